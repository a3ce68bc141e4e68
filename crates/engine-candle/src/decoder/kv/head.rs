//! One head's keys and values of a page, and what attention does with them.

use std::ops::Range;

use half::f16;

use super::PAGE_TOKENS;
use crate::kernels::panels::{self, Number, PANEL};
use crate::kernels::{Level, prefetch};

/// Keys, `[sixteen tokens][head_dim][token]`, and values, `[sixteen numbers][token][number]`.
type KeysValues<'a, T> = (&'a [[T; PANEL]], &'a [[T; PANEL]]);

/// The keys and values of [`PAGE_TOKENS`] tokens.
pub(crate) enum Head<'a> {
    F32(KeysValues<'a, f32>),
    F16(KeysValues<'a, f16>),
    /// With what each token's keys and values are multiplied by.
    Q8(KeysValues<'a, i8>, (&'a [f32], &'a [f32])),
}

impl Head<'_> {
    /// Asks for the keys to be brought near.
    pub(crate) fn prefetch_keys(&self) {
        match self {
            Self::F32((keys, _)) => prefetch(keys),
            Self::F16((keys, _)) => prefetch(keys),
            Self::Q8((keys, _), _) => prefetch(keys),
        }
    }

    /// Asks for the values to be brought near.
    pub(crate) fn prefetch_values(&self) {
        match self {
            Self::F32((_, values)) => prefetch(values),
            Self::F16((_, values)) => prefetch(values),
            Self::Q8((_, values), _) => prefetch(values),
        }
    }

    /// The products of `rows` queries with the keys of all tokens of the page. `write` takes the
    /// row, and the first of sixteen tokens.
    pub(crate) fn scores<'x>(
        &self,
        rows: usize,
        query: impl Fn(usize) -> &'x [f32],
        mut write: impl FnMut(usize, usize, &[f32; PANEL]),
    ) {
        match self {
            Self::F32((keys, _)) => scores(keys, rows, query, write),
            Self::F16((keys, _)) => scores(keys, rows, query, write),
            Self::Q8((keys, _), (scales, _)) => {
                scores(keys, rows, query, |row, first, products| {
                    let mut scaled = *products;
                    for (product, scale) in scaled.iter_mut().zip(&scales[first..]) {
                        *product *= scale;
                    }
                    write(row, first, &scaled);
                });
            }
        }
    }

    /// The sums of these tokens' values, each times its weight in a row. `write` takes the row,
    /// and the first of sixteen numbers.
    pub(crate) fn weighted_values<'x>(
        &self,
        tokens: Range<usize>,
        rows: usize,
        weights: impl Fn(usize) -> &'x [f32],
        write: impl FnMut(usize, usize, &[f32; PANEL]),
    ) {
        match self {
            Self::F32((_, values)) => weighted_values(values, tokens, rows, weights, write),
            Self::F16((_, values)) => weighted_values(values, tokens, rows, weights, write),
            Self::Q8((_, values), (_, scales)) => {
                let mut scaled = Vec::with_capacity(rows * tokens.len());
                for row in 0..rows {
                    let pairs = weights(row).iter().zip(&scales[tokens.clone()]);
                    scaled.extend(pairs.map(|(weight, scale)| weight * scale));
                }
                let len = tokens.len();
                let weights = |row| &scaled[row * len..][..len];
                weighted_values(values, tokens, rows, weights, write);
            }
        }
    }
}

fn scores<'x, T: Number>(
    keys: &[[T; PANEL]],
    rows: usize,
    query: impl Fn(usize) -> &'x [f32],
    mut write: impl FnMut(usize, usize, &[f32; PANEL]),
) {
    let count = PAGE_TOKENS / PANEL;
    let head_dim = keys.len() / count;
    panels::multiply(
        Level::best(),
        0..count,
        |panel| &keys[panel * head_dim..][..head_dim],
        rows,
        query,
        |row, panel, products| write(row, panel * PANEL, products),
    );
}

fn weighted_values<'x, T: Number>(
    values: &[[T; PANEL]],
    tokens: Range<usize>,
    rows: usize,
    weights: impl Fn(usize) -> &'x [f32],
    mut write: impl FnMut(usize, usize, &[f32; PANEL]),
) {
    panels::multiply(
        Level::best(),
        0..values.len() / PAGE_TOKENS,
        |panel| &values[panel * PAGE_TOKENS..][tokens.clone()],
        rows,
        weights,
        |row, panel, products| write(row, panel * PANEL, products),
    );
}
