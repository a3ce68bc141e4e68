//! Q4_0: 32 numbers of 4 bits, from which 8 is subtracted, and a scale.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::activations::{BLOCK, Block};
#[cfg(target_arch = "x86_64")]
use super::avx2::{self, Products};
#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::format::{
    Format, GROUP, Part, f16_bits, interleave, join_nibbles, separate, split_nibbles, widen,
};

/// 4.5 bits a weight.
pub(crate) struct Q4_0;

#[derive(Clone, Copy)]
pub(crate) struct Packed {
    scales: [u16; GROUP],
    nibbles: [[u8; BLOCK]; GROUP / 2],
}

impl Format for Q4_0 {
    type Packed = Packed;
    const PARTS: usize = 1;
    const FILE_BYTES: usize = 18;
    const HAS_MINS: bool = true;

    fn pack(rows: [&[u8]; GROUP]) -> Packed {
        let quants = rows.map(|row| {
            std::array::from_fn(|i| match i < BLOCK / 2 {
                true => row[2 + i] & 15,
                false => row[2 + i - BLOCK / 2] >> 4,
            })
        });
        Packed {
            scales: rows.map(f16_bits),
            nibbles: join_nibbles(&interleave(&quants)),
        }
    }

    fn unpack(block: &Packed, _: usize) -> Part {
        let rows = separate(&split_nibbles(&block.nibbles));
        let scales = widen(&block.scales);
        Part {
            quants: rows.map(|row| row.map(i16::from)),
            scales,
            mins: scales.map(|scale| 8.0 * scale),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn products<const M: usize>(block: &Packed, _: usize, x: &[&Block; M]) -> Products<M> {
        let scales = avx2::load_halves(&block.scales);
        Products {
            dots: nibble_products(&block.nibbles, x),
            scales,
            mins: _mm256_mul_ps(scales, _mm256_set1_ps(8.0)),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Packed; 2],
        _: usize,
        x: &[&Block; M],
    ) -> avx512::Products<M> {
        let scales = avx512::load_halves([&blocks[0].scales, &blocks[1].scales]);
        avx512::Products {
            dots: wide_nibble_products([&blocks[0].nibbles, &blocks[1].nibbles], x),
            scales,
            mins: _mm512_mul_ps(scales, _mm512_set1_ps(8.0)),
        }
    }
}

/// Eight products of two pairs, at most 15 * 127 each, fit in 16 bits.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn nibble_products<const M: usize>(
    nibbles: &[[u8; BLOCK]; GROUP / 2],
    x: &[&Block; M],
) -> [__m256i; M] {
    let mut sums = [_mm256_setzero_si256(); M];
    for (index, bytes) in nibbles.iter().enumerate() {
        let [low, high] = avx2::nibbles(avx2::load(bytes));
        for m in 0..M {
            let four = _mm256_set1_epi32(x[m].fours[index]);
            sums[m] = _mm256_add_epi16(sums[m], _mm256_maddubs_epi16(low, four));
            let four = _mm256_set1_epi32(x[m].fours[index + GROUP / 2]);
            sums[m] = _mm256_add_epi16(sums[m], _mm256_maddubs_epi16(high, four));
        }
    }
    let mut dots = sums;
    for dot in &mut dots {
        *dot = avx2::add_pairs(*dot);
    }
    dots
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn wide_nibble_products<const M: usize>(
    nibbles: [&[[u8; BLOCK]; GROUP / 2]; 2],
    x: &[&Block; M],
) -> [__m512i; M] {
    let mut dots = [_mm512_setzero_si512(); M];
    for (index, (a, b)) in nibbles[0].iter().zip(nibbles[1]).enumerate() {
        let [low, high] = avx512::nibbles(avx512::load([a, b]));
        for m in 0..M {
            let four = _mm512_set1_epi32(x[m].fours[index]);
            dots[m] = _mm512_dpbusd_epi32(dots[m], low, four);
        }
        for m in 0..M {
            let four = _mm512_set1_epi32(x[m].fours[index + GROUP / 2]);
            dots[m] = _mm512_dpbusd_epi32(dots[m], high, four);
        }
    }
    dots
}
