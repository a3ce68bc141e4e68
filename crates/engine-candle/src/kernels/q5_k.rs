//! Q5_K: as Q4_K, with a fifth bit for each number.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::activations::{BLOCK, Block};
#[cfg(target_arch = "x86_64")]
use super::avx2::{self, Products};
#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::format::{Format, GROUP, Part, interleave, join_nibbles, separate, split_nibbles};
use super::q4_k::{PARTS, Scales, file_nibbles};

/// 5.6 bits a weight; 5.5 in the file.
pub(crate) struct Q5K;

#[derive(Clone, Copy)]
pub(crate) struct Packed {
    scales: Scales,
    nibbles: [[[u8; BLOCK]; GROUP / 2]; PARTS],
    /// The fifth bits of a part. Bits 4 to 7 belong to its first four vectors, bits 0 to 3 to the
    /// last four.
    fifths: [[u8; BLOCK]; PARTS],
}

impl Format for Q5K {
    type Packed = Packed;
    const PARTS: usize = PARTS;
    const FILE_BYTES: usize = 176;
    const HAS_MINS: bool = true;

    fn pack(rows: [&[u8]; GROUP]) -> Packed {
        let vectors: [_; PARTS] = std::array::from_fn(|part| {
            interleave(&rows.map(|row| {
                let low = file_nibbles(&row[48..], part);
                std::array::from_fn(|i| low[i] | (((row[16 + i] >> part) & 1) << 4))
            }))
        });
        Packed {
            scales: Scales::pack(rows),
            nibbles: vectors.map(|vectors| join_nibbles(&vectors)),
            fifths: vectors.map(|vectors| {
                std::array::from_fn(|i| {
                    let bits = (0..GROUP).map(|v| (vectors[v][i] >> 4) << bit_of(v));
                    bits.fold(0, |byte, bit| byte | bit)
                })
            }),
        }
    }

    fn unpack(block: &Packed, part: usize) -> Part {
        let low = split_nibbles(&block.nibbles[part]);
        let fifths = block.fifths[part];
        let vectors = std::array::from_fn(|v| {
            std::array::from_fn(|i| low[v][i] | (((fifths[i] >> bit_of(v)) & 1) << 4))
        });
        let quants = separate(&vectors).map(|row| row.map(i16::from));
        block.scales.unpack(part, quants)
    }

    /// Four products of two pairs, at most 31 * 127 each, fit in 16 bits.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn products<const M: usize>(
        block: &Packed,
        part: usize,
        x: &[&Block; M],
    ) -> Products<M> {
        let bit = _mm256_set1_epi8(16);
        let fifths = avx2::load(&block.fifths[part]);
        let fifths = [
            fifths_of_vectors(fifths),
            fifths_of_vectors(_mm256_slli_epi16::<4>(fifths)),
        ];
        let mut sums = [[_mm256_setzero_si256(); 2]; M];
        for (index, bytes) in block.nibbles[part].iter().enumerate() {
            let low = avx2::nibbles(avx2::load(bytes));
            for half in 0..2 {
                let fifth = _mm256_and_si256(fifths[half][index], bit);
                let weights = _mm256_or_si256(low[half], fifth);
                for m in 0..M {
                    let four = _mm256_set1_epi32(x[m].fours[index + half * GROUP / 2]);
                    let pairs = _mm256_maddubs_epi16(weights, four);
                    sums[m][half] = _mm256_add_epi16(sums[m][half], pairs);
                }
            }
        }
        let mut dots = [_mm256_setzero_si256(); M];
        for m in 0..M {
            let [first, last] = sums[m];
            dots[m] = _mm256_add_epi32(avx2::add_pairs(first), avx2::add_pairs(last));
        }
        let [scales, mins] = block.scales.load(part);
        Products { dots, scales, mins }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Packed; 2],
        part: usize,
        x: &[&Block; M],
    ) -> avx512::Products<M> {
        let bit = _mm512_set1_epi8(16);
        let fifths = avx512::load([&blocks[0].fifths[part], &blocks[1].fifths[part]]);
        let fifths = [
            wide_fifths_of_vectors(fifths),
            wide_fifths_of_vectors(_mm512_slli_epi16::<4>(fifths)),
        ];
        let nibbles = [&blocks[0].nibbles[part], &blocks[1].nibbles[part]];
        let mut dots = [_mm512_setzero_si512(); M];
        for index in 0..GROUP / 2 {
            let low = avx512::nibbles(avx512::load([&nibbles[0][index], &nibbles[1][index]]));
            for half in 0..2 {
                let fifth = _mm512_and_si512(fifths[half][index], bit);
                let weights = _mm512_or_si512(low[half], fifth);
                for m in 0..M {
                    let four = _mm512_set1_epi32(x[m].fours[index + half * GROUP / 2]);
                    dots[m] = _mm512_dpbusd_epi32(dots[m], weights, four);
                }
            }
        }
        let [scales, mins] = Scales::load_two([&blocks[0].scales, &blocks[1].scales], part);
        avx512::Products { dots, scales, mins }
    }
}

/// Brings bits 4 to 7 to bit 4.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn fifths_of_vectors(fifths: __m256i) -> [__m256i; 4] {
    [
        fifths,
        _mm256_srli_epi16::<1>(fifths),
        _mm256_srli_epi16::<2>(fifths),
        _mm256_srli_epi16::<3>(fifths),
    ]
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn wide_fifths_of_vectors(fifths: __m512i) -> [__m512i; 4] {
    [
        fifths,
        _mm512_srli_epi16::<1>(fifths),
        _mm512_srli_epi16::<2>(fifths),
        _mm512_srli_epi16::<3>(fifths),
    ]
}

/// Where the fifth bits of a vector lie.
fn bit_of(vector: usize) -> usize {
    (vector + 4) % 8
}
