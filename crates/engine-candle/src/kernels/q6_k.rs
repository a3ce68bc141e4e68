//! Q6_K: 256 numbers of 6 bits, from which 32 is subtracted; each 16 have a scale of 8 bits, which
//! is a multiple of one number.

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
use super::q4_k::PARTS;

/// 6.6 bits a weight.
pub(crate) struct Q6K;

#[derive(Clone, Copy)]
pub(crate) struct Packed {
    scale: [u16; GROUP],
    /// For each half of each part.
    scales: [[[u8; GROUP]; 2]; PARTS],
    nibbles: [[[u8; BLOCK]; GROUP / 2]; PARTS],
    /// The two high bits of the first four vectors of a part, and of the last four, each at
    /// [`SHIFTS`].
    highs: [[[u8; BLOCK]; 2]; PARTS],
}

/// Where the high bits of four vectors lie in a byte: two shifts are to the right, two to the
/// left, until they are at bit 4.
const SHIFTS: [usize; 4] = [4, 6, 0, 2];

impl Format for Q6K {
    type Packed = Packed;
    const PARTS: usize = PARTS;
    const FILE_BYTES: usize = 210;
    const HAS_MINS: bool = false;

    fn pack(rows: [&[u8]; GROUP]) -> Packed {
        let vectors: [_; PARTS] =
            std::array::from_fn(|part| interleave(&rows.map(|row| file_quants(row, part))));
        let scale_of = |part: usize, half: usize| rows.map(|row| row[192 + part * 2 + half]);
        Packed {
            scale: rows.map(|row| f16_bits(&row[208..])),
            scales: std::array::from_fn(|part| [scale_of(part, 0), scale_of(part, 1)]),
            nibbles: vectors.map(|vectors| join_nibbles(&vectors)),
            highs: vectors.map(|vectors| {
                std::array::from_fn(|half| {
                    std::array::from_fn(|i| {
                        let bits = (0..4).map(|v| (vectors[half * 4 + v][i] >> 4) << SHIFTS[v]);
                        bits.fold(0, |byte, bits| byte | bits)
                    })
                })
            }),
        }
    }

    /// The scales of the halves, being whole numbers, are multiplied into the weights.
    fn unpack(block: &Packed, part: usize) -> Part {
        let low = split_nibbles(&block.nibbles[part]);
        let highs = block.highs[part];
        let vectors = std::array::from_fn(|v| {
            std::array::from_fn(|i| low[v][i] | (((highs[v / 4][i] >> SHIFTS[v % 4]) & 3) << 4))
        });
        let rows = separate(&vectors);
        let quants = std::array::from_fn(|row| {
            std::array::from_fn(|i| {
                let scale = block.scales[part][i / (BLOCK / 2)][row] as i8;
                i16::from(scale) * (i16::from(rows[row][i]) - 32)
            })
        });
        Part {
            quants,
            scales: widen(&block.scale),
            mins: [0.0; GROUP],
        }
    }

    /// Two products of two pairs, at most 63 * 127 each, fit in 16 bits; multiplied by a scale
    /// and added in pairs they become 32 bits. The 32 is subtracted once, from the sums.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn products<const M: usize>(
        block: &Packed,
        part: usize,
        x: &[&Block; M],
    ) -> Products<M> {
        let high_bits = _mm256_set1_epi8(0x30);
        let highs = [
            highs_of_vectors(&block.highs[part][0]),
            highs_of_vectors(&block.highs[part][1]),
        ];
        let [first_low, first_high] = scales_of_half(&block.scales[part][0]);
        let [last_low, last_high] = scales_of_half(&block.scales[part][1]);
        let scales = [
            _mm256_or_si256(first_low, first_high),
            _mm256_or_si256(last_low, last_high),
        ];
        let both_scales = _mm256_or_si256(first_low, last_high);

        let mut dots = [_mm256_setzero_si256(); M];
        for pair in 0..2 {
            let mut sums = [[_mm256_setzero_si256(); 2]; M];
            for index in [pair * 2, pair * 2 + 1] {
                let low = avx2::nibbles(avx2::load(&block.nibbles[part][index]));
                for half in 0..2 {
                    let high = _mm256_and_si256(highs[half][index], high_bits);
                    let weights = _mm256_or_si256(low[half], high);
                    for m in 0..M {
                        let four = _mm256_set1_epi32(x[m].fours[index + half * GROUP / 2]);
                        let pairs = _mm256_maddubs_epi16(weights, four);
                        sums[m][half] = _mm256_add_epi16(sums[m][half], pairs);
                    }
                }
            }
            for m in 0..M {
                for half in 0..2 {
                    let scaled = _mm256_madd_epi16(sums[m][half], scales[half]);
                    dots[m] = _mm256_add_epi32(dots[m], scaled);
                }
            }
        }
        for m in 0..M {
            let sums = _mm256_set1_epi32(x[m].half_sums);
            let scaled = _mm256_madd_epi16(both_scales, sums);
            dots[m] = _mm256_sub_epi32(dots[m], _mm256_slli_epi32::<5>(scaled));
        }
        Products {
            dots,
            scales: avx2::load_halves(&block.scale),
            mins: _mm256_setzero_ps(),
        }
    }

    /// The sums of both halves, each times its scale. What the 32 adds to them is subtracted with
    /// the sums of the activations, in one instruction for both.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Packed; 2],
        part: usize,
        x: &[&Block; M],
    ) -> avx512::Products<M> {
        let [a, b] = blocks;
        let high_bits = _mm512_set1_epi8(0x30);
        let mut dots = [[_mm512_setzero_si512(); 2]; M];
        let mut highs = [[_mm512_setzero_si512(); 4]; 2];
        let mut scales = [_mm512_setzero_si512(); 2];
        for half in 0..2 {
            let both = avx512::load([&a.highs[part][half], &b.highs[part][half]]);
            highs[half] = wide_highs_of_vectors(both);
            let both = avx512::load_eights([&a.scales[part][half], &b.scales[part][half]]);
            scales[half] = _mm512_cvtepi8_epi32(both);
        }
        let nibbles = a.nibbles[part].iter().zip(&b.nibbles[part]);
        for (index, (a, b)) in nibbles.enumerate() {
            let low = avx512::nibbles(avx512::load([a, b]));
            for half in 0..2 {
                let high = _mm512_and_si512(highs[half][index], high_bits);
                let weights = _mm512_or_si512(low[half], high);
                for m in 0..M {
                    let four = _mm512_set1_epi32(x[m].fours[index + half * GROUP / 2]);
                    dots[m][half] = _mm512_dpbusd_epi32(dots[m][half], weights, four);
                }
            }
        }
        // -32 times the scales, in pairs of 16 bits.
        let minus_32 =
            |scale| _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32::<5>(scale));
        let first = _mm512_and_si512(minus_32(scales[0]), _mm512_set1_epi32(0xffff));
        let excess = _mm512_or_si512(first, _mm512_slli_epi32::<16>(minus_32(scales[1])));
        let mut sums = [_mm512_setzero_si512(); M];
        for m in 0..M {
            let first = _mm512_mullo_epi32(dots[m][0], scales[0]);
            let last = _mm512_mullo_epi32(dots[m][1], scales[1]);
            let half_sums = _mm512_set1_epi32(x[m].half_sums);
            sums[m] = _mm512_dpwssd_epi32(_mm512_add_epi32(first, last), excess, half_sums);
        }
        avx512::Products {
            dots: sums,
            scales: avx512::load_halves([&a.scale, &b.scale]),
            mins: _mm512_setzero_ps(),
        }
    }
}

/// Brings the high bits of each vector to bit 4.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn highs_of_vectors(highs: &[u8; BLOCK]) -> [__m256i; 4] {
    let highs = avx2::load(highs);
    [
        highs,
        _mm256_srli_epi16::<2>(highs),
        _mm256_slli_epi16::<4>(highs),
        _mm256_slli_epi16::<2>(highs),
    ]
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn wide_highs_of_vectors(highs: __m512i) -> [__m512i; 4] {
    [
        highs,
        _mm512_srli_epi16::<2>(highs),
        _mm512_slli_epi16::<4>(highs),
        _mm512_slli_epi16::<2>(highs),
    ]
}

/// Each scale in the low and in the high half of its lane.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn scales_of_half(scales: &[u8; GROUP]) -> [__m256i; 2] {
    let scales = _mm256_cvtepi8_epi32(avx2::load_eight(scales));
    [
        _mm256_and_si256(scales, _mm256_set1_epi32(0xffff)),
        _mm256_slli_epi32::<16>(scales),
    ]
}

/// In the file, four parts share 64 bytes of low bits and 32 of high bits.
fn file_quants(row: &[u8], part: usize) -> [u8; BLOCK] {
    let (half, quarter) = (part / 4, part % 4);
    let lows = &row[half * 64 + quarter % 2 * 32..];
    let highs = &row[128 + half * 32..];
    std::array::from_fn(|i| {
        let low = match quarter < 2 {
            true => lows[i] & 15,
            false => lows[i] >> 4,
        };
        low | (((highs[i] >> (quarter * 2)) & 3) << 4)
    })
}
