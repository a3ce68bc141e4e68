//! The products of two groups in AVX-512 with its instructions for sums of products of bytes
//! (VNNI), around what each format computes for 32 columns.
//!
//! The low half of a register belongs to the first group, the high half to the second.

use std::arch::x86_64::*;

use super::activations::Block;
use super::format::{Format, GROUP};
use super::prefetch::prefetch;

/// The products of 32 columns of two groups with `M` rows; a lane for each output.
pub(crate) struct Products<const M: usize> {
    /// Of whole numbers.
    pub(crate) dots: [__m512i; M],
    /// The scales of the weights.
    pub(crate) scales: __m512,
    /// What is subtracted from the weights, if the format does so.
    pub(crate) mins: __m512,
}

/// [`format::group`](super::format::group) of two groups. `next` are those that will be computed
/// then.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn two_groups<F: Format, const M: usize>(
    groups: [&[F::Packed]; 2],
    next: Option<[&[F::Packed]; 2]>,
    x: [&[Block]; M],
) -> [[[f32; GROUP]; M]; 2] {
    let blocks = groups[0].len();
    let len = blocks * F::PARTS;
    let mut sums = [_mm512_setzero_ps(); M];
    for index in 0..blocks {
        let block = [&groups[0][index], &groups[1][..blocks][index]];
        if let Some(next) = next {
            prefetch(&next[0][index..=index]);
            prefetch(&next[1][index..=index]);
        }
        for part in 0..F::PARTS {
            let mut x_part = [&x[0][..len][index * F::PARTS + part]; M];
            for m in 1..M {
                x_part[m] = &x[m][..len][index * F::PARTS + part];
            }
            // SAFETY: this function has the same features.
            let products = unsafe { F::wide_products(block, part, &x_part) };
            for m in 0..M {
                let scales = _mm512_mul_ps(products.scales, _mm512_set1_ps(x_part[m].scale));
                let dots = _mm512_cvtepi32_ps(products.dots[m]);
                sums[m] = _mm512_fmadd_ps(dots, scales, sums[m]);
                if F::HAS_MINS {
                    let sum = _mm512_set1_ps(x_part[m].sum);
                    sums[m] = _mm512_fnmadd_ps(products.mins, sum, sums[m]);
                }
            }
        }
    }
    let mut out = [[[0.0; GROUP]; M]; 2];
    for m in 0..M {
        let both = store(sums[m]);
        let halves = both.as_chunks::<GROUP>().0;
        [out[0][m], out[1][m]] = [halves[0], halves[1]];
    }
    out
}

/// Reads 32 bytes of each group.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(bytes: [&[u8; 32]; 2]) -> __m512i {
    // SAFETY: there are 32 bytes each, and they need not be aligned.
    let [a, b] = unsafe { bytes.map(|bytes| _mm256_loadu_si256(bytes.as_ptr().cast())) };
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b)
}

/// Reads eight f16 of each group.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_halves(bits: [&[u16; GROUP]; 2]) -> __m512 {
    // SAFETY: there are 16 bytes each, and they need not be aligned.
    let [a, b] = unsafe { bits.map(|bits| _mm_loadu_si128(bits.as_ptr().cast())) };
    _mm512_cvtph_ps(_mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), b))
}

/// Eight bytes of each group, which may be meant as signed or not.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_eights(bytes: [&[u8; GROUP]; 2]) -> __m128i {
    let [a, b] = bytes.map(|bytes| i64::from_le_bytes(*bytes));
    _mm_set_epi64x(b, a)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(numbers: __m512) -> [f32; 16] {
    let mut out = [0.0; 16];
    // SAFETY: there is room for sixteen numbers.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), numbers) };
    out
}

/// The low and the high halves of bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn nibbles(bytes: __m512i) -> [__m512i; 2] {
    let mask = _mm512_set1_epi8(15);
    let high = _mm512_srli_epi16::<4>(bytes);
    [_mm512_and_si512(bytes, mask), _mm512_and_si512(high, mask)]
}
