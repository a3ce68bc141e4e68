//! What is multiplied with weights: rows of numbers, and the same rounded to 8 bits.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::twice;

/// Columns that share a scale.
pub(crate) const BLOCK: usize = 32;

/// A block below this is taken for zero: the inverse of its scale would not be finite.
const SMALLEST: f32 = 1e-30;

/// Added to a small number, this leaves no place behind the point: what is near is rounded to the
/// nearest whole number, to the even one of two, and lies in the lowest bits.
const ROUNDING: f32 = (3 << 22) as f32;

/// Numbers that one thread rounds at a time, a multiple of 32.
const ROUNDED_TOGETHER: usize = 1 << 13;

/// Rows of `width` numbers, all of which are multiplied with the same matrices.
pub(crate) struct Input<'a> {
    values: &'a [f32],
    width: usize,
    rounded: OnceLock<Vec<Block>>,
}

/// 32 numbers of a row in 8 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub(crate) struct Block {
    /// The numbers, divided by `scale` and rounded to -127..=127; four in each, the first lowest.
    pub(crate) fours: [i32; BLOCK / 4],
    /// What they are multiples of.
    pub(crate) scale: f32,
    /// Their sum, in the original unit.
    pub(crate) sum: f32,
    /// The sums of the first and of the last sixteen, as two numbers of 16 bits.
    pub(crate) half_sums: i32,
    /// What 128 too much in every weight adds to a product, negated.
    pub(crate) excess: i32,
}

impl<'a> Input<'a> {
    /// `values` is `[rows, width]`.
    pub(crate) fn new(values: &'a [f32], width: usize) -> Self {
        debug_assert!(values.len().is_multiple_of(width));
        Self {
            values,
            width,
            rounded: OnceLock::new(),
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Numbers in a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// All rows, in f32.
    pub(super) fn values(&self) -> &[f32] {
        self.values
    }

    /// All rows in 8 bits, rounded when they are first asked for. The width must be a multiple
    /// of 32.
    pub(super) fn rounded(&self) -> &[Block] {
        self.rounded.get_or_init(|| {
            let mut blocks = vec![Block::default(); self.values.len() / BLOCK];
            if self.values.len() < 2 * ROUNDED_TOGETHER {
                round(self.values, &mut blocks);
            } else {
                let values = self.values.par_chunks(ROUNDED_TOGETHER);
                let blocks = blocks.par_chunks_mut(ROUNDED_TOGETHER / BLOCK);
                values
                    .zip(blocks)
                    .for_each(|(values, blocks)| round(values, blocks));
            }
            blocks
        })
    }
}

impl Block {
    /// The rounded numbers.
    pub(super) fn quants(&self) -> [i8; BLOCK] {
        let mut quants = [0; BLOCK];
        for (four, bytes) in self.fours.iter().zip(quants.chunks_exact_mut(4)) {
            for (quant, byte) in bytes.iter_mut().zip(four.to_le_bytes()) {
                *quant = byte as i8;
            }
        }
        quants
    }
}

twice! {
    /// Rounds each 32 numbers to multiples of a scale of their own.
    fn round(values: &[f32], blocks: &mut [Block]) {
        for (values, block) in values.as_chunks::<BLOCK>().0.iter().zip(blocks) {
            *block = round_block(values);
        }
    }
}

#[inline(always)]
fn round_block(values: &[f32; BLOCK]) -> Block {
    let mut largest = [0.0f32; 8];
    // Zero, unless there is a value that is not a number, which `max` would pass over, or not
    // finite: the scale then says so, and with it every result.
    let mut zero = [0.0f32; 8];
    for eight in values.as_chunks::<8>().0 {
        for lane in 0..8 {
            largest[lane] = largest[lane].max(eight[lane].abs());
            zero[lane] += eight[lane] * 0.0;
        }
    }
    let largest = largest.into_iter().fold(0.0, f32::max);
    let (scale, inverse) = match largest > SMALLEST {
        true => (largest / 127.0, 127.0 / largest),
        false => (0.0, 0.0),
    };
    let scale = scale + zero.iter().sum::<f32>();
    let mut quants = [0u8; BLOCK];
    for (quant, value) in quants.iter_mut().zip(values) {
        *quant = (value * inverse + ROUNDING).to_bits() as u8;
    }
    let mut sums = [0i32; 2];
    for (sum, quants) in sums.iter_mut().zip(quants.as_chunks::<{ BLOCK / 2 }>().0) {
        for quant in quants {
            *sum += i32::from(*quant as i8);
        }
    }
    let [first, last] = sums;
    let mut fours = [0; BLOCK / 4];
    for (four, quants) in fours.iter_mut().zip(quants.as_chunks::<4>().0) {
        *four = i32::from_le_bytes(*quants);
    }
    Block {
        fours,
        scale,
        sum: scale * (first + last) as f32,
        half_sums: (first & 0xffff) | (last << 16),
        excess: -128 * (first + last),
    }
}
