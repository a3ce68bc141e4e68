//! Matrices of plain numbers, which stay as wide as they are in the file.
//!
//! Sixteen rows of the matrix (sixteen outputs) make a panel, in which the numbers of a column lie
//! beside each other. Each output is the sum of its products in the order of the columns, each
//! fused with its addition.

use half::{bf16, f16};

use super::activations::Input;
use super::columns::Columns;
use super::share::Product;

/// Rows of a matrix that are packed together.
pub(super) const PANEL: usize = 16;

/// A number as weights are stored in.
pub(super) trait Number: Copy + Default + Send + Sync + 'static {
    /// Reads one from a file.
    fn from_file(bytes: &[u8]) -> Self;

    /// As f32, exactly.
    fn to_f32(self) -> f32;

    /// Sixteen as f32, in two registers.
    ///
    /// # Safety
    ///
    /// The processor must have AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    unsafe fn widen(numbers: &[Self; PANEL]) -> [std::arch::x86_64::__m256; 2];
}

/// Panels one after the other; the last is filled up with zeros.
pub(super) struct Dense<T: Number> {
    columns: Vec<[T; PANEL]>,
    inputs: usize,
    outputs: usize,
}

impl<T: Number> Dense<T> {
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

    /// `x · matrixᵀ`
    pub(super) fn multiply(&self, x: &Input<'_>, out: &mut [f32]) {
        let product = Product {
            rows: x.rows(),
            inputs: self.inputs,
            outputs: self.outputs,
            group: PANEL,
            group_bytes: self.inputs * size_of::<[T; PANEL]>(),
        };
        // Six rows by one panel fill the registers of a processor; so do fewer rows by more
        // panels, and one row by one panel would wait for each addition to end.
        product.share(out, |mut columns| {
            for first in (0..x.rows()).step_by(6) {
                match x.rows() - first {
                    1 => self.rows::<1, 4>(x, first, &mut columns),
                    2 => self.rows::<2, 2>(x, first, &mut columns),
                    3 => self.rows::<3, 2>(x, first, &mut columns),
                    4 => self.rows::<4, 1>(x, first, &mut columns),
                    5 => self.rows::<5, 1>(x, first, &mut columns),
                    _ => self.rows::<6, 1>(x, first, &mut columns),
                }
            }
        });
    }

    /// The results for `M` rows from `first` on, `P` panels at a time.
    fn rows<const M: usize, const P: usize>(
        &self,
        x: &Input<'_>,
        first: usize,
        out: &mut Columns<'_>,
    ) {
        let row = |m| &x.values()[(first + m) * self.inputs..][..self.inputs];
        let x: [&[f32]; M] = std::array::from_fn(row);
        let columns = out.range();
        let mut panel = columns.start / PANEL;
        let end = columns.end.div_ceil(PANEL);
        let mut write = |panel: usize, products: &[[f32; PANEL]; M]| {
            let place = panel * PANEL - columns.start;
            for (m, products) in products.iter().enumerate() {
                let row = &mut out.row(first + m)[place..];
                let len = row.len().min(PANEL);
                row[..len].copy_from_slice(&products[..len]);
            }
        };
        while panel + P <= end {
            let panels = std::array::from_fn(|p| self.panel(panel + p));
            for (p, products) in panels_by_rows::<T, M, P>(panels, x).iter().enumerate() {
                write(panel + p, products);
            }
            panel += P;
        }
        while panel < end {
            write(panel, &panels_by_rows::<T, M, 1>([self.panel(panel)], x)[0]);
            panel += 1;
        }
    }
}

/// By the best kernel of this processor.
fn panels_by_rows<T: Number, const M: usize, const P: usize>(
    panels: [&[[T; PANEL]]; P],
    x: [&[f32]; M],
) -> [[[f32; PANEL]; M]; P] {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() {
        // SAFETY: the processor has these features.
        return unsafe { wide::panels_by_rows(panels, x) };
    }
    plain(panels, x)
}

/// The sixteen outputs of each panel for each row, in plain Rust. This is what the other kernel
/// must give, bit for bit.
pub(super) fn plain<T: Number, const M: usize, const P: usize>(
    panels: [&[[T; PANEL]]; P],
    x: [&[f32]; M],
) -> [[[f32; PANEL]; M]; P] {
    panels.map(|panel| {
        x.map(|row| {
            let mut sums = [0.0f32; PANEL];
            for (column, x) in panel.iter().zip(row) {
                for (sum, weight) in sums.iter_mut().zip(column) {
                    *sum = weight.to_f32().mul_add(*x, *sum);
                }
            }
            sums
        })
    })
}

#[cfg(target_arch = "x86_64")]
pub(super) mod wide {
    use std::arch::x86_64::*;

    use super::super::avx2;
    use super::{Number, PANEL};

    /// [`plain`](super::plain), eight outputs at a time.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub(crate) fn panels_by_rows<T: Number, const M: usize, const P: usize>(
        panels: [&[[T; PANEL]]; P],
        x: [&[f32]; M],
    ) -> [[[f32; PANEL]; M]; P] {
        let inputs = panels[0].len();
        let mut sums = [[[_mm256_setzero_ps(); 2]; M]; P];
        for column in 0..inputs {
            for p in 0..P {
                // SAFETY: this function has the same features.
                let [first, last] = unsafe { T::widen(&panels[p][..inputs][column]) };
                for m in 0..M {
                    let x = _mm256_set1_ps(x[m][..inputs][column]);
                    sums[p][m][0] = _mm256_fmadd_ps(first, x, sums[p][m][0]);
                    sums[p][m][1] = _mm256_fmadd_ps(last, x, sums[p][m][1]);
                }
            }
        }
        let mut out = [[[0.0; PANEL]; M]; P];
        for p in 0..P {
            for m in 0..M {
                let [first, last] = sums[p][m];
                out[p][m][..8].copy_from_slice(&avx2::store(first));
                out[p][m][8..].copy_from_slice(&avx2::store(last));
            }
        }
        out
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    pub(super) fn widen_f16(bits: &[u16; PANEL]) -> [__m256; 2] {
        let [first, last] = halves(bits);
        [_mm256_cvtph_ps(first), _mm256_cvtph_ps(last)]
    }

    /// A bf16 is the upper half of an f32.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn widen_bf16(bits: &[u16; PANEL]) -> [__m256; 2] {
        let [first, last] = halves(bits);
        let first = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(first));
        let last = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(last));
        [_mm256_castsi256_ps(first), _mm256_castsi256_ps(last)]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves(bits: &[u16; PANEL]) -> [__m128i; 2] {
        let both = bits.as_ptr().cast::<__m128i>();
        // SAFETY: there are 32 bytes, and they need not be aligned.
        unsafe { [_mm_loadu_si128(both), _mm_loadu_si128(both.add(1))] }
    }
}

impl Number for f32 {
    fn from_file(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("a number has four bytes"))
    }

    fn to_f32(self) -> f32 {
        self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn widen(numbers: &[Self; PANEL]) -> [std::arch::x86_64::__m256; 2] {
        let halves = numbers.as_chunks::<8>().0;
        [
            super::avx2::load_floats(&halves[0]),
            super::avx2::load_floats(&halves[1]),
        ]
    }
}

macro_rules! sixteen_bits {
    ($number:ty, $widen:ident) => {
        impl Number for $number {
            fn from_file(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("a number has two bytes"))
            }

            fn to_f32(self) -> f32 {
                self.to_f32()
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx2,f16c")]
            unsafe fn widen(numbers: &[Self; PANEL]) -> [std::arch::x86_64::__m256; 2] {
                wide::$widen(&numbers.map(Self::to_bits))
            }
        }
    };
}

sixteen_bits!(f16, widen_f16);
sixteen_bits!(bf16, widen_bf16);
