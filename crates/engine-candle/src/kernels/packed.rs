//! A quantised matrix in one of the packed forms.

use super::activations::{BLOCK, Block, Input};
use super::columns::Columns;
use super::format::{self, Format, GROUP};
use super::share::Product;

/// Rows of activations that pass by a group of weights together, as far as there are so many.
const MOST_ROWS: usize = 4;

/// Groups of eight rows one after the other, the blocks of each in the order of their columns. The
/// last group is filled up with zeros.
pub(super) struct Packed<F: Format> {
    blocks: Vec<F::Packed>,
    inputs: usize,
    outputs: usize,
}

impl<F: Format> Packed<F> {
    /// Without rows, and with room for `outputs`. `inputs` must be a multiple of a block's.
    pub(super) fn new(inputs: usize, outputs: usize) -> Self {
        let blocks = outputs.div_ceil(GROUP) * Self::group_len(inputs);
        Self {
            blocks: Vec::with_capacity(blocks),
            inputs,
            outputs: 0,
        }
    }

    fn group_len(inputs: usize) -> usize {
        inputs / (F::PARTS * BLOCK)
    }

    /// Appends rows as they are in a GGUF file. Only the last rows may not fill a group.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        debug_assert!(self.outputs.is_multiple_of(GROUP));
        let row_bytes = Self::group_len(self.inputs) * F::FILE_BYTES;
        let zeros = vec![0; row_bytes];
        for group in bytes.chunks(row_bytes * GROUP) {
            let mut rows = [&*zeros; GROUP];
            for (row, bytes) in rows.iter_mut().zip(group.chunks_exact(row_bytes)) {
                *row = bytes;
                self.outputs += 1;
            }
            for start in (0..row_bytes).step_by(F::FILE_BYTES) {
                let block = rows.map(|row| &row[start..start + F::FILE_BYTES]);
                self.blocks.push(F::pack(block));
            }
        }
    }

    /// Columns.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Rows.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// One row of the matrix.
    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        let mut parts = out.as_chunks_mut::<BLOCK>().0.iter_mut();
        for block in self.group(row / GROUP) {
            for part in 0..F::PARTS {
                let weights = F::unpack(block, part).weights(row % GROUP);
                *parts.next().expect("out has room for a row") = weights;
            }
        }
    }

    fn group(&self, index: usize) -> &[F::Packed] {
        let len = Self::group_len(self.inputs);
        &self.blocks[index * len..][..len]
    }

    /// `x · matrixᵀ`
    pub(super) fn multiply(&self, x: &Input<'_>, out: &mut [f32]) {
        let product = Product {
            rows: x.rows(),
            inputs: self.inputs,
            outputs: self.outputs,
            group: GROUP,
            group_bytes: Self::group_len(self.inputs) * size_of::<F::Packed>(),
        };
        let rounded = x.rounded();
        product.share(out, |mut columns| {
            for first in (0..x.rows()).step_by(MOST_ROWS) {
                match x.rows() - first {
                    1 => self.rows::<1>(rounded, first, &mut columns),
                    2 => self.rows::<2>(rounded, first, &mut columns),
                    3 => self.rows::<3>(rounded, first, &mut columns),
                    _ => self.rows::<MOST_ROWS>(rounded, first, &mut columns),
                }
            }
        });
    }

    /// The results for `M` rows from `first` on.
    fn rows<const M: usize>(&self, x: &[Block], first: usize, out: &mut Columns<'_>) {
        let len = self.inputs / BLOCK;
        let x: [&[Block]; M] = std::array::from_fn(|m| &x[(first + m) * len..][..len]);
        let columns = out.range();
        for start in columns.clone().step_by(GROUP) {
            let products = group::<F, M>(self.group(start / GROUP), x);
            let place = start - columns.start;
            for (m, products) in products.iter().enumerate() {
                let row = &mut out.row(first + m)[place..];
                let len = row.len().min(GROUP);
                row[..len].copy_from_slice(&products[..len]);
            }
        }
    }
}

/// By the best kernel of this processor.
fn group<F: Format, const M: usize>(blocks: &[F::Packed], x: [&[Block]; M]) -> [[f32; GROUP]; M] {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() {
        // SAFETY: the processor has these features.
        return unsafe { super::avx2::group::<F, M>(blocks, x) };
    }
    format::group::<F, M>(blocks, x)
}
