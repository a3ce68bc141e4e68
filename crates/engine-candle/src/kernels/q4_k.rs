//! Q4_K: 256 numbers of 4 bits; each 32 have a scale and a minimum of 6 bits, which are multiples
//! of two numbers.

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
#[cfg(target_arch = "x86_64")]
use super::q4_0::{nibble_products, wide_nibble_products};

/// 4.6 bits a weight; 4.5 in the file.
pub(crate) struct Q4K;

/// Parts of 32 columns in a block of the K formats.
pub(super) const PARTS: usize = 8;

#[derive(Clone, Copy)]
pub(crate) struct Packed {
    scales: Scales,
    nibbles: [[[u8; BLOCK]; GROUP / 2]; PARTS],
}

/// The scales and minima of eight rows.
#[derive(Clone, Copy)]
pub(super) struct Scales {
    scale: [u16; GROUP],
    min: [u16; GROUP],
    scales: [[u8; GROUP]; PARTS],
    mins: [[u8; GROUP]; PARTS],
}

impl Format for Q4K {
    type Packed = Packed;
    const PARTS: usize = PARTS;
    const FILE_BYTES: usize = 144;
    const HAS_MINS: bool = true;

    fn pack(rows: [&[u8]; GROUP]) -> Packed {
        let nibbles = std::array::from_fn(|part| {
            let quants = rows.map(|row| file_nibbles(&row[16..], part));
            join_nibbles(&interleave(&quants))
        });
        Packed {
            scales: Scales::pack(rows),
            nibbles,
        }
    }

    fn unpack(block: &Packed, part: usize) -> Part {
        let rows = separate(&split_nibbles(&block.nibbles[part]));
        let quants = rows.map(|row| row.map(i16::from));
        block.scales.unpack(part, quants)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn products<const M: usize>(
        block: &Packed,
        part: usize,
        x: &[&Block; M],
    ) -> Products<M> {
        let [scales, mins] = block.scales.load(part);
        Products {
            dots: nibble_products(&block.nibbles[part], x),
            scales,
            mins,
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Packed; 2],
        part: usize,
        x: &[&Block; M],
    ) -> avx512::Products<M> {
        let [scales, mins] = Scales::load_two([&blocks[0].scales, &blocks[1].scales], part);
        avx512::Products {
            dots: wide_nibble_products([&blocks[0].nibbles[part], &blocks[1].nibbles[part]], x),
            scales,
            mins,
        }
    }
}

/// In the file, each 32 bytes hold two parts: one in the low halves, one in the high ones.
pub(super) fn file_nibbles(bytes: &[u8], part: usize) -> [u8; BLOCK] {
    let bytes = &bytes[part / 2 * BLOCK..];
    std::array::from_fn(|i| match part.is_multiple_of(2) {
        true => bytes[i] & 15,
        false => bytes[i] >> 4,
    })
}

impl Scales {
    /// From the beginning of eight blocks of Q4_K or Q5_K.
    pub(super) fn pack(rows: [&[u8]; GROUP]) -> Self {
        let parts = rows.map(|row| file_scales(&row[4..16]));
        Self {
            scale: rows.map(f16_bits),
            min: rows.map(|row| f16_bits(&row[2..])),
            scales: std::array::from_fn(|part| parts.map(|(scales, _)| scales[part])),
            mins: std::array::from_fn(|part| parts.map(|(_, mins)| mins[part])),
        }
    }

    pub(super) fn unpack(&self, part: usize, quants: [[i16; BLOCK]; GROUP]) -> Part {
        let (scale, min) = (widen(&self.scale), widen(&self.min));
        Part {
            quants,
            scales: std::array::from_fn(|row| scale[row] * f32::from(self.scales[part][row])),
            mins: std::array::from_fn(|row| min[row] * f32::from(self.mins[part][row])),
        }
    }

    /// Scales and minima of one part.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn load(&self, part: usize) -> [__m256; 2] {
        [
            multiples(&self.scale, &self.scales[part]),
            multiples(&self.min, &self.mins[part]),
        ]
    }

    /// The same of two groups.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(super) fn load_two([a, b]: [&Self; 2], part: usize) -> [__m512; 2] {
        [
            wide_multiples([&a.scale, &b.scale], [&a.scales[part], &b.scales[part]]),
            wide_multiples([&a.min, &b.min], [&a.mins[part], &b.mins[part]]),
        ]
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn multiples(units: &[u16; GROUP], numbers: &[u8; GROUP]) -> __m256 {
    let numbers = _mm256_cvtepu8_epi32(avx2::load_eight(numbers));
    _mm256_mul_ps(avx2::load_halves(units), _mm256_cvtepi32_ps(numbers))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn wide_multiples(units: [&[u16; GROUP]; 2], numbers: [&[u8; GROUP]; 2]) -> __m512 {
    let numbers = _mm512_cvtepu8_epi32(avx512::load_eights(numbers));
    _mm512_mul_ps(avx512::load_halves(units), _mm512_cvtepi32_ps(numbers))
}

/// Eight scales and eight minima of 6 bits in twelve bytes: the last four of each lie in the high
/// bits of the first eight bytes and in the last four.
fn file_scales(bytes: &[u8]) -> ([u8; PARTS], [u8; PARTS]) {
    let (mut scales, mut mins) = ([0; PARTS], [0; PARTS]);
    for part in 0..4 {
        scales[part] = bytes[part] & 63;
        mins[part] = bytes[part + 4] & 63;
        scales[part + 4] = (bytes[part + 8] & 15) | ((bytes[part] >> 6) << 4);
        mins[part + 4] = (bytes[part + 8] >> 4) | ((bytes[part + 4] >> 6) << 4);
    }
    (scales, mins)
}
