//! Matrices of plain numbers, which stay as wide as they are in the file.
//!
//! Sixteen rows of the matrix (sixteen outputs) make a panel, in which the numbers of a column lie
//! beside each other. Each output is the sum of its products in the order of the columns, each
//! fused with its addition ([`panels`](super::panels)).

use half::{bf16, f16};

use super::activations::Input;
use super::columns::Columns;
use super::level::Level;
use super::panels::{self, Number, PANEL};
use super::share::outputs_in_share;

/// A number as weights are stored in.
pub(super) trait Stored: Number {
    /// Reads one from a file.
    fn from_file(bytes: &[u8]) -> Self;
}

impl Stored for f32 {
    fn from_file(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("a number has four bytes"))
    }
}

impl Stored for f16 {
    fn from_file(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("a number has two bytes"))
    }
}

impl Stored for bf16 {
    fn from_file(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("a number has two bytes"))
    }
}

/// Panels one after the other; the last is filled up with zeros.
pub(super) struct Dense<T: Stored> {
    columns: Vec<[T; PANEL]>,
    inputs: usize,
    outputs: usize,
}

impl<T: Stored> Dense<T> {
    /// Without rows, and with room for `outputs`.
    pub(super) fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            columns: Vec::with_capacity(outputs.div_ceil(PANEL) * inputs),
            inputs,
            outputs: 0,
        }
    }

    /// Appends rows as they are in a file. Only the last rows may not fill a panel.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        debug_assert!(self.outputs.is_multiple_of(PANEL));
        let row_bytes = self.inputs * size_of::<T>();
        for rows in bytes.chunks(row_bytes * PANEL) {
            let start = self.columns.len();
            let len = start + self.inputs;
            self.columns.resize(len, [T::default(); PANEL]);
            for (place, row) in rows.chunks_exact(row_bytes).enumerate() {
                let numbers = row.chunks_exact(size_of::<T>()).map(T::from_file);
                for (column, number) in self.columns[start..].iter_mut().zip(numbers) {
                    column[place] = number;
                }
                self.outputs += 1;
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
        for (out, column) in out.iter_mut().zip(self.panel(row / PANEL)) {
            *out = column[row % PANEL].to_f32();
        }
    }

    fn panel(&self, index: usize) -> &[[T; PANEL]] {
        &self.columns[index * self.inputs..][..self.inputs]
    }

    /// Outputs that make a share of the work.
    pub(super) fn outputs_in_share(&self) -> usize {
        outputs_in_share(PANEL, self.inputs * size_of::<[T; PANEL]>())
    }

    /// These columns of `x · matrixᵀ`, the first of them that of a panel.
    pub(super) fn multiply(&self, level: Level, x: &Input<'_>, out: &mut Columns<'_>) {
        let columns = out.range();
        panels::multiply(
            level,
            columns.start / PANEL..columns.end.div_ceil(PANEL),
            |panel| self.panel(panel),
            x.rows(),
            |row| &x.values()[row * self.inputs..][..self.inputs],
            |row, panel, products| {
                let row = &mut out.row(row)[panel * PANEL - columns.start..];
                let len = row.len().min(PANEL);
                row[..len].copy_from_slice(&products[..len]);
            },
        );
    }
}
