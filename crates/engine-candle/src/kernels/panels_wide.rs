//! The products with panels of plain numbers in wide instructions.

use std::arch::x86_64::*;

use super::avx2;
use super::avx512;
use super::panels::{Number, PANEL};

/// [`plain`](super::panels::plain), eight outputs at a time.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn eights<T: Number, const M: usize, const P: usize>(
    panels: [&[[T; PANEL]]; P],
    x: [&[f32]; M],
) -> [[[f32; PANEL]; M]; P] {
    let inputs = panels[0].len();
    let mut sums = [[[_mm256_setzero_ps(); 2]; M]; P];
    for column in 0..inputs {
        for p in 0..P {
            // SAFETY: this function has the same features.
            let [first, last] = unsafe { T::eights(&panels[p][..inputs][column]) };
            for m in 0..M {
                let x = _mm256_set1_ps(x[m][..inputs][column]);
                sums[p][m][0] = _mm256_fmadd_ps(first, x, sums[p][m][0]);
                sums[p][m][1] = _mm256_fmadd_ps(last, x, sums[p][m][1]);
            }
        }
    }
    let mut out = [[[0.0; PANEL]; M]; P];
    for p in 0..P {
        for m in 0..M {
            let [first, last] = sums[p][m];
            out[p][m][..8].copy_from_slice(&avx2::store(first));
            out[p][m][8..].copy_from_slice(&avx2::store(last));
        }
    }
    out
}

/// [`plain`](super::panels::plain), sixteen outputs at a time.
#[target_feature(enable = "avx512f,avx2,fma,f16c")]
pub(super) fn sixteen<T: Number, const M: usize, const P: usize>(
    panels: [&[[T; PANEL]]; P],
    x: [&[f32]; M],
) -> [[[f32; PANEL]; M]; P] {
    let inputs = panels[0].len();
    let mut sums = [[_mm512_setzero_ps(); M]; P];
    for column in 0..inputs {
        let mut weights = [_mm512_setzero_ps(); P];
        for p in 0..P {
            // SAFETY: this function has the same features.
            weights[p] = unsafe { T::sixteen(&panels[p][..inputs][column]) };
        }
        for m in 0..M {
            let x = _mm512_set1_ps(x[m][..inputs][column]);
            for p in 0..P {
                sums[p][m] = _mm512_fmadd_ps(weights[p], x, sums[p][m]);
            }
        }
    }
    let mut out = [[[0.0; PANEL]; M]; P];
    for p in 0..P {
        for m in 0..M {
            out[p][m] = avx512::store(sums[p][m]);
        }
    }
    out
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_floats(numbers: &[f32; PANEL]) -> [__m256; 2] {
    let first = numbers.as_ptr();
    // SAFETY: there are twice eight numbers, and they need not be aligned.
    unsafe { [_mm256_loadu_ps(first), _mm256_loadu_ps(first.add(8))] }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_sixteen_floats(numbers: &[f32; PANEL]) -> __m512 {
    // SAFETY: there are sixteen numbers, and they need not be aligned.
    unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn eights_of_f16(bits: &[u16]) -> [__m256; 2] {
    let [first, last] = halves(bits);
    [_mm256_cvtph_ps(first), _mm256_cvtph_ps(last)]
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sixteen_of_f16(bits: &[u16]) -> __m512 {
    _mm512_cvtph_ps(all(bits))
}

/// A bf16 is the upper half of an f32.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn eights_of_bf16(bits: &[u16]) -> [__m256; 2] {
    let [first, last] = halves(bits);
    let first = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(first));
    let last = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(last));
    [_mm256_castsi256_ps(first), _mm256_castsi256_ps(last)]
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sixteen_of_bf16(bits: &[u16]) -> __m512 {
    let bits = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(all(bits)));
    _mm512_castsi512_ps(bits)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn eights_of_i8(bytes: &[i8; PANEL]) -> [__m256; 2] {
    let bytes = sixteen_bytes(bytes);
    let first = _mm256_cvtepi8_epi32(bytes);
    let last = _mm256_cvtepi8_epi32(_mm_srli_si128::<8>(bytes));
    [_mm256_cvtepi32_ps(first), _mm256_cvtepi32_ps(last)]
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sixteen_of_i8(bytes: &[i8; PANEL]) -> __m512 {
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen_bytes(bytes)))
}

#[inline]
#[target_feature(enable = "sse2")]
fn sixteen_bytes(bytes: &[i8; PANEL]) -> __m128i {
    // SAFETY: there are 16 bytes, and they need not be aligned.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn halves(bits: &[u16]) -> [__m128i; 2] {
    assert_eq!(bits.len(), PANEL);
    let both = bits.as_ptr().cast::<__m128i>();
    // SAFETY: there are 32 bytes, and they need not be aligned.
    unsafe { [_mm_loadu_si128(both), _mm_loadu_si128(both.add(1))] }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn all(bits: &[u16]) -> __m256i {
    assert_eq!(bits.len(), PANEL);
    // SAFETY: there are 32 bytes, and they need not be aligned.
    unsafe { _mm256_loadu_si256(bits.as_ptr().cast()) }
}
