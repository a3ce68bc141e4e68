//! Q8_0: 32 numbers of 8 bits and a scale.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::activations::{BLOCK, Block};
#[cfg(target_arch = "x86_64")]
use super::avx2::{self, Products};
#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::format::{Format, GROUP, Part, f16_bits, interleave, separate, widen};

/// 8.5 bits a weight.
pub(crate) struct Q8_0;

#[derive(Clone, Copy)]
pub(crate) struct Packed {
    scales: [u16; GROUP],
    quants: [[u8; BLOCK]; GROUP],
}

impl Format for Q8_0 {
    type Packed = Packed;
    const PARTS: usize = 1;
    const FILE_BYTES: usize = 34;
    const HAS_MINS: bool = false;

    fn pack(rows: [&[u8]; GROUP]) -> Packed {
        let quants = rows.map(|row| std::array::from_fn(|i| row[2 + i]));
        Packed {
            scales: rows.map(f16_bits),
            quants: interleave(&quants),
        }
    }

    fn unpack(block: &Packed, _: usize) -> Part {
        Part {
            quants: separate(&block.quants).map(|row| row.map(|byte| i16::from(byte as i8))),
            scales: widen(&block.scales),
            mins: [0.0; GROUP],
        }
    }

    /// One factor of the instruction has no sign: the weight's goes to the other.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn products<const M: usize>(block: &Packed, _: usize, x: &[&Block; M]) -> Products<M> {
        let mut dots = [_mm256_setzero_si256(); M];
        for (index, quants) in block.quants.iter().enumerate() {
            let weights = avx2::load(quants);
            let sizes = _mm256_abs_epi8(weights);
            for m in 0..M {
                let four = _mm256_set1_epi32(x[m].fours[index]);
                let pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(four, weights));
                dots[m] = _mm256_add_epi32(dots[m], avx2::add_pairs(pairs));
            }
        }
        Products {
            dots,
            scales: avx2::load_halves(&block.scales),
            mins: _mm256_setzero_ps(),
        }
    }

    /// One factor of the instruction has no sign: 128 is added to the weights.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Packed; 2],
        _: usize,
        x: &[&Block; M],
    ) -> avx512::Products<M> {
        let mut dots = [_mm512_setzero_si512(); M];
        for m in 0..M {
            dots[m] = _mm512_set1_epi32(x[m].excess);
        }
        for index in 0..GROUP {
            let weights = avx512::load([&blocks[0].quants[index], &blocks[1].quants[index]]);
            let weights = _mm512_xor_si512(weights, _mm512_set1_epi8(-128));
            for m in 0..M {
                let four = _mm512_set1_epi32(x[m].fours[index]);
                dots[m] = _mm512_dpbusd_epi32(dots[m], weights, four);
            }
        }
        avx512::Products {
            dots,
            scales: avx512::load_halves([&blocks[0].scales, &blocks[1].scales]),
            mins: _mm512_setzero_ps(),
        }
    }
}
