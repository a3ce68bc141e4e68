//! How quantised matrices are packed, and what the product with them is.
//!
//! Eight rows of the matrix (eight outputs) make a group, and a block holds some columns of a
//! group. In a block, four columns of the first row are followed by the same four columns of the
//! second: 32 bytes, one vector register, each 32-bit lane of which belongs to one output. Sums
//! thus stay in their lanes, and neither scales nor results have to be moved between them.

use super::activations::{BLOCK, Block};

/// Rows of a matrix that are packed together.
pub(crate) const GROUP: usize = 8;

/// One of the packed forms. A weight is `scale * quant - min`.
pub(crate) trait Format: 'static {
    /// Some columns of eight rows.
    type Packed: Copy + Send + Sync + 'static;

    /// Columns of a block, by 32.
    const PARTS: usize;

    /// Bytes that the columns of a block take in a row of a GGUF file.
    const FILE_BYTES: usize;

    /// Weights have a `min`.
    const HAS_MINS: bool;

    /// Packs the same columns of eight rows, as they are in a GGUF file.
    fn pack(rows: [&[u8]; GROUP]) -> Self::Packed;

    /// The weights of 32 columns.
    fn unpack(block: &Self::Packed, part: usize) -> Part;

    /// The products of 32 columns with the same columns of `M` rows of activations.
    ///
    /// # Safety
    ///
    /// The processor must have AVX2, FMA and F16C.
    #[cfg(target_arch = "x86_64")]
    unsafe fn products<const M: usize>(
        block: &Self::Packed,
        part: usize,
        x: &[&Block; M],
    ) -> super::avx2::Products<M>;

    /// The same for two groups.
    ///
    /// # Safety
    ///
    /// The processor must have what [`Level::Avx512`](super::Level::Avx512) says.
    #[cfg(target_arch = "x86_64")]
    unsafe fn wide_products<const M: usize>(
        blocks: [&Self::Packed; 2],
        part: usize,
        x: &[&Block; M],
    ) -> super::avx512::Products<M>;
}

/// 32 columns of eight rows of weights.
pub(crate) struct Part {
    pub(crate) quants: [[i16; BLOCK]; GROUP],
    pub(crate) scales: [f32; GROUP],
    pub(crate) mins: [f32; GROUP],
}

impl Part {
    /// The weights of one row.
    pub(super) fn weights(&self, row: usize) -> [f32; BLOCK] {
        self.quants[row].map(|quant| self.scales[row] * f32::from(quant) - self.mins[row])
    }
}

/// The eight outputs of a group for `M` rows of activations, in plain Rust. This is what the other
/// kernels must give, bit for bit.
pub(super) fn group<F: Format, const M: usize>(
    blocks: &[F::Packed],
    x: [&[Block]; M],
) -> [[f32; GROUP]; M] {
    let mut sums = [[0.0f32; GROUP]; M];
    for (index, block) in blocks.iter().enumerate() {
        for part in 0..F::PARTS {
            let weights = F::unpack(block, part);
            for (sums, x) in sums.iter_mut().zip(&x) {
                let x = &x[index * F::PARTS + part];
                let quants = x.quants();
                for (row, sum) in sums.iter_mut().enumerate() {
                    let pairs = weights.quants[row].iter().zip(&quants);
                    let product = pairs
                        .map(|(w, x)| i32::from(*w) * i32::from(*x))
                        .sum::<i32>();
                    *sum = (product as f32).mul_add(weights.scales[row] * x.scale, *sum);
                    if F::HAS_MINS {
                        *sum = (-weights.mins[row]).mul_add(x.sum, *sum);
                    }
                }
            }
        }
    }
    sums
}

/// Lays 32 columns of eight rows out in vectors of four columns.
pub(super) fn interleave(rows: &[[u8; BLOCK]; GROUP]) -> [[u8; BLOCK]; GROUP] {
    let mut vectors = [[0; BLOCK]; GROUP];
    for (row, columns) in rows.iter().enumerate() {
        for (column, value) in columns.iter().enumerate() {
            vectors[column / 4][row * 4 + column % 4] = *value;
        }
    }
    vectors
}

/// Undoes [`interleave`].
pub(super) fn separate(vectors: &[[u8; BLOCK]; GROUP]) -> [[u8; BLOCK]; GROUP] {
    let mut rows = [[0; BLOCK]; GROUP];
    for (row, columns) in rows.iter_mut().enumerate() {
        for (column, value) in columns.iter_mut().enumerate() {
            *value = vectors[column / 4][row * 4 + column % 4];
        }
    }
    rows
}

/// Two vectors of numbers below 16 in one: the first in the low halves of the bytes.
pub(super) fn join_nibbles(vectors: &[[u8; BLOCK]; GROUP]) -> [[u8; BLOCK]; GROUP / 2] {
    std::array::from_fn(|v| {
        std::array::from_fn(|i| (vectors[v][i] & 15) | ((vectors[v + GROUP / 2][i] & 15) << 4))
    })
}

/// Undoes [`join_nibbles`].
pub(super) fn split_nibbles(nibbles: &[[u8; BLOCK]; GROUP / 2]) -> [[u8; BLOCK]; GROUP] {
    std::array::from_fn(|v| match v < GROUP / 2 {
        true => nibbles[v].map(|byte| byte & 15),
        false => nibbles[v - GROUP / 2].map(|byte| byte >> 4),
    })
}

/// Two little-endian bytes, the bits of an f16.
pub(super) fn f16_bits(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

/// The numbers that bits of f16 stand for.
pub(super) fn widen(bits: &[u16; GROUP]) -> [f32; GROUP] {
    bits.map(|bits| half::f16::from_bits(bits).to_f32())
}
