//! The product of a group in AVX2, around what each format computes for 32 columns.
//!
//! Functions with wide instructions are inlined only into their like, so there are loops here where
//! elsewhere a closure would do.

use std::arch::x86_64::*;

use super::activations::Block;
use super::format::{Format, GROUP};

/// The products of 32 columns of a group with `M` rows; a lane for each output.
pub(crate) struct Products<const M: usize> {
    /// Of whole numbers.
    pub(crate) dots: [__m256i; M],
    /// The scales of the weights.
    pub(crate) scales: __m256,
    /// What is subtracted from the weights, if the format does so.
    pub(crate) mins: __m256,
}

/// [`format::group`](super::format::group), eight outputs at a time.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn group<F: Format, const M: usize>(
    blocks: &[F::Packed],
    x: [&[Block]; M],
) -> [[f32; GROUP]; M] {
    let len = blocks.len() * F::PARTS;
    let mut sums = [_mm256_setzero_ps(); M];
    for (index, block) in blocks.iter().enumerate() {
        for part in 0..F::PARTS {
            let mut x_part = [&x[0][..len][index * F::PARTS + part]; M];
            for m in 1..M {
                x_part[m] = &x[m][..len][index * F::PARTS + part];
            }
            // SAFETY: this function has the same features.
            let products = unsafe { F::products(block, part, &x_part) };
            for m in 0..M {
                let scales = _mm256_mul_ps(products.scales, _mm256_set1_ps(x_part[m].scale));
                let dots = _mm256_cvtepi32_ps(products.dots[m]);
                sums[m] = _mm256_fmadd_ps(dots, scales, sums[m]);
                if F::HAS_MINS {
                    let sum = _mm256_set1_ps(x_part[m].sum);
                    sums[m] = _mm256_fnmadd_ps(products.mins, sum, sums[m]);
                }
            }
        }
    }
    let mut out = [[0.0; GROUP]; M];
    for m in 0..M {
        out[m] = store(sums[m]);
    }
    out
}

/// Reads 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: there are 32 bytes, and they need not be aligned.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Reads eight f16.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn load_halves(bits: &[u16; 8]) -> __m256 {
    // SAFETY: there are 16 bytes, and they need not be aligned.
    let bits = unsafe { _mm_loadu_si128(bits.as_ptr().cast()) };
    _mm256_cvtph_ps(bits)
}

/// Eight bytes, which may be meant as signed or not.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_eight(bytes: &[u8; 8]) -> __m128i {
    _mm_cvtsi64_si128(i64::from_le_bytes(*bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(numbers: __m256) -> [f32; 8] {
    let mut out = [0.0; 8];
    // SAFETY: there is room for eight numbers.
    unsafe { _mm256_storeu_ps(out.as_mut_ptr(), numbers) };
    out
}

/// Adds neighbours: sixteen numbers of 16 bits become eight of 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_pairs(numbers: __m256i) -> __m256i {
    _mm256_madd_epi16(numbers, _mm256_set1_epi16(1))
}

/// The low and the high halves of bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn nibbles(bytes: __m256i) -> [__m256i; 2] {
    let mask = _mm256_set1_epi8(15);
    let high = _mm256_srli_epi16::<4>(bytes);
    [_mm256_and_si256(bytes, mask), _mm256_and_si256(high, mask)]
}
