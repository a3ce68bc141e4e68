//! One result, written by several threads, each of which has some of its columns.

use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

/// Some columns of a matrix of results. No other has any of them.
pub(super) struct Columns<'a> {
    start: *mut f32,
    rows: usize,
    width: usize,
    range: Range<usize>,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a part of a `&mut [f32]`, which may go to another thread, and parts of one matrix
// have no number in common.
unsafe impl Send for Columns<'_> {}

impl<'a> Columns<'a> {
    /// Takes `matrix`, `[rows, width]`, apart into runs of `count` columns; the last may be
    /// shorter.
    pub(super) fn split(matrix: &'a mut [f32], width: usize, count: usize) -> Vec<Self> {
        assert!(count > 0 && matrix.len().is_multiple_of(width));
        let start = matrix.as_mut_ptr();
        let starts = (0..width).step_by(count);
        let parts = starts.map(|first| Self {
            start,
            rows: matrix.len() / width,
            width,
            range: first..width.min(first + count),
            matrix: PhantomData,
        });
        parts.collect()
    }

    /// Which columns these are.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// These columns of a row.
    pub(super) fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows);
        // SAFETY: the row and the columns are inside the matrix, whose borrow this value keeps;
        // other parts have other columns, and of this part there is one row at a time.
        unsafe {
            let first = self.start.add(row * self.width + self.range.start);
            slice::from_raw_parts_mut(first, self.range.len())
        }
    }
}
