//! Which instructions this processor has.

/// Instructions that kernels are written for. Each level has those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor has.
    Plain,
    /// AVX2, FMA and F16C.
    Avx2,
    /// AVX-512 F, BW and VL, and its sums of products of bytes (VNNI).
    Avx512,
}

impl Level {
    /// The highest level of this processor.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni");
            match (avx2, avx512) {
                (true, true) => Self::Avx512,
                (true, false) => Self::Avx2,
                (false, _) => Self::Plain,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Self::Plain
        }
    }

    /// All levels of this processor.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let levels = [Self::Plain, Self::Avx2, Self::Avx512];
        levels.into_iter().filter(|level| *level <= Self::best())
    }
}
