//! Random numbers that a seed repeats.

use std::hash::{BuildHasher, Hasher, RandomState};

/// SplitMix64 (Steele, Lea and Flood 2014): one addition and a mix; good enough for drawing
/// tokens, not for secrets.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a seed; without one, of a seed that differs each time.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// A number from 0 up to but not including 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let bits_of_a_fraction = 53;
        (mixed >> (64 - bits_of_a_fraction)) as f64 / (1u64 << bits_of_a_fraction) as f64
    }
}
