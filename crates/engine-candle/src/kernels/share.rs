//! Work divided among the threads of the pool that is running.

use rayon::prelude::*;

/// What fits into a core's second-level cache beside everything else: the weights of one share
/// stay there while all rows pass by.
const SHARE_BYTES: usize = 128 << 10;

/// Below this many multiplications, waking other threads costs more than it gains.
const FEWEST_PRODUCTS: usize = 1 << 17;

/// How many outputs make a share, a multiple of `together`, whose weights take so many bytes.
pub(super) fn outputs_in_share(together: usize, bytes: usize) -> usize {
    (SHARE_BYTES / bytes).max(1) * together
}

/// Calls `compute` for each share; all of them make so many multiplications.
pub(super) fn share<T: Send>(shares: Vec<T>, products: usize, compute: impl Fn(T) + Send + Sync) {
    if rayon::current_num_threads() == 1 || products < FEWEST_PRODUCTS {
        shares.into_iter().for_each(compute);
    } else {
        shares.into_par_iter().with_max_len(1).for_each(compute);
    }
}
