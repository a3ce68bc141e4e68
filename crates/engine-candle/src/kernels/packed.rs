//! A quantised matrix in one of the packed forms.

use super::activations::{BLOCK, Block, Input};
use super::columns::Columns;
use super::format::{self, Format, GROUP};
use super::level::Level;
use super::share::outputs_in_share;

/// Outputs that are computed together: those of two groups.
const TOGETHER: usize = 2 * GROUP;

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

    /// Outputs that make a share of the work.
    pub(super) fn outputs_in_share(&self) -> usize {
        let group_bytes = Self::group_len(self.inputs) * size_of::<F::Packed>();
        outputs_in_share(TOGETHER, 2 * group_bytes)
    }

    /// These columns of `x · matrixᵀ`, the first of them a multiple of [`TOGETHER`].
    pub(super) fn multiply(&self, level: Level, x: &Input<'_>, out: &mut Columns<'_>) {
        assert!(level <= Level::best(), "kernels need instructions");
        let most_rows = match level {
            Level::Plain | Level::Avx2 => 4,
            Level::Avx512 => 8,
        };
        for first in (0..x.rows()).step_by(most_rows) {
            match most_rows.min(x.rows() - first) {
                1 => self.rows::<1>(level, x, first, out),
                2 => self.rows::<2>(level, x, first, out),
                3 => self.rows::<3>(level, x, first, out),
                4 => self.rows::<4>(level, x, first, out),
                5 => self.rows::<5>(level, x, first, out),
                6 => self.rows::<6>(level, x, first, out),
                7 => self.rows::<7>(level, x, first, out),
                _ => self.rows::<8>(level, x, first, out),
            }
        }
    }

    /// The results for `M` rows from `first` on.
    fn rows<const M: usize>(
        &self,
        level: Level,
        x: &Input<'_>,
        first: usize,
        out: &mut Columns<'_>,
    ) {
        let len = self.inputs / BLOCK;
        let x: [&[Block]; M] = std::array::from_fn(|m| &x.rounded()[(first + m) * len..][..len]);
        let columns = out.range();
        let last_group = self.outputs.div_ceil(GROUP) - 1;
        for start in columns.clone().step_by(TOGETHER) {
            let group = start / GROUP;
            // Without a second group the first is computed twice.
            let groups = [group, last_group.min(group + 1)].map(|group| self.group(group));
            // Later rows find the weights in the cache.
            let next = (first == 0 && group + 3 <= last_group)
                .then(|| [group + 2, group + 3].map(|group| self.group(group)));
            let products = two_groups::<F, M>(level, groups, next, x);
            for m in 0..M {
                let row = &mut out.row(first + m)[start - columns.start..];
                for (row, products) in row
                    .chunks_mut(GROUP)
                    .zip([&products[0][m], &products[1][m]])
                {
                    row.copy_from_slice(&products[..row.len()]);
                }
            }
        }
    }
}

/// The outputs of two groups for `M` rows, in these instructions, which the processor has.
fn two_groups<F: Format, const M: usize>(
    level: Level,
    groups: [&[F::Packed]; 2],
    next: Option<[&[F::Packed]; 2]>,
    x: [&[Block]; M],
) -> [[[f32; GROUP]; M]; 2] {
    match level {
        // SAFETY: the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { super::avx512::two_groups::<F, M>(groups, next, x) },
        // SAFETY: the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => groups.map(|group| unsafe { super::avx2::group::<F, M>(group, x) }),
        _ => groups.map(|group| format::group::<F, M>(group, x)),
    }
}
