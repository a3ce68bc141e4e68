//! Work divided among the threads of the pool that is running.

use rayon::prelude::*;

use super::columns::Columns;

/// What fits into a core's second-level cache beside everything else: the weights of one share
/// stay there while all rows pass by.
const SHARE_BYTES: usize = 128 << 10;

/// Below this many multiplications, waking other threads costs more than it gains.
const FEWEST_PRODUCTS: usize = 1 << 17;

/// The shape of a product.
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Outputs that one kernel computes together.
    pub(super) group: usize,
    /// Bytes of the weights of a group.
    pub(super) group_bytes: usize,
}

impl Product {
    /// Calls `compute` for runs of whole groups of outputs that cover `out`, `[rows, outputs]`.
    pub(super) fn share(&self, out: &mut [f32], compute: impl Fn(Columns<'_>) + Send + Sync) {
        let groups = (SHARE_BYTES / self.group_bytes).max(1);
        let shares = Columns::split(out, self.outputs, groups * self.group);
        let threads = rayon::current_num_threads();
        if threads == 1 || self.rows * self.inputs * self.outputs < FEWEST_PRODUCTS {
            shares.into_iter().for_each(compute);
        } else {
            shares.into_par_iter().with_max_len(1).for_each(compute);
        }
    }
}
