//! Products of rows with panels: sixteen outputs, whose weights of a column lie beside each other.
//!
//! Each output is the sum of its products in the order of the columns, each fused with its
//! addition.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m512};
use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::level::Level;
#[cfg(target_arch = "x86_64")]
use super::panels_wide;

/// Outputs of a panel.
pub(crate) const PANEL: usize = 16;

/// A number that is multiplied as f32.
pub(crate) trait Number: Copy + Default + Send + Sync + 'static {
    /// As f32, exactly.
    fn to_f32(self) -> f32;

    /// Sixteen as f32, in two registers.
    ///
    /// # Safety
    ///
    /// The processor must have AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    unsafe fn eights(numbers: &[Self; PANEL]) -> [__m256; 2];

    /// Sixteen as f32, in one register.
    ///
    /// # Safety
    ///
    /// The processor must have AVX-512 F.
    #[cfg(target_arch = "x86_64")]
    unsafe fn sixteen(numbers: &[Self; PANEL]) -> __m512;
}

/// Multiplies each of `rows` rows, `x`, with each of these panels, and calls `write` with the row,
/// the panel and the sixteen results. A row must be as long as a panel.
pub(crate) fn multiply<'p, 'x, T: Number>(
    level: Level,
    panels: Range<usize>,
    panel: impl Fn(usize) -> &'p [[T; PANEL]],
    rows: usize,
    x: impl Fn(usize) -> &'x [f32],
    write: impl FnMut(usize, usize, &[f32; PANEL]),
) {
    assert!(level <= Level::best(), "kernels need instructions");
    // As many sums as fill the registers of a processor: one row by one panel would wait for each
    // addition to end.
    let most_rows = match level {
        Level::Plain | Level::Avx2 => 6,
        Level::Avx512 => 8,
    };
    let mut product = Product {
        level,
        panels,
        panel,
        x,
        write,
    };
    for first in (0..rows).step_by(most_rows) {
        match (level, most_rows.min(rows - first)) {
            (_, 1) => product.rows::<1, 4>(first),
            (Level::Avx512, 2) => product.rows::<2, 4>(first),
            (_, 2) => product.rows::<2, 2>(first),
            (Level::Avx512, 3) => product.rows::<3, 4>(first),
            (_, 3) => product.rows::<3, 2>(first),
            (Level::Avx512, 4) => product.rows::<4, 2>(first),
            (_, 4) => product.rows::<4, 1>(first),
            (Level::Avx512, 5) => product.rows::<5, 2>(first),
            (_, 5) => product.rows::<5, 1>(first),
            (Level::Avx512, 6) => product.rows::<6, 2>(first),
            (_, 6) => product.rows::<6, 1>(first),
            (_, 7) => product.rows::<7, 2>(first),
            (_, _) => product.rows::<8, 2>(first),
        }
    }
}

/// The arguments of [`multiply`].
struct Product<Panel, X, Write> {
    level: Level,
    panels: Range<usize>,
    panel: Panel,
    x: X,
    write: Write,
}

impl<'p, 'x, T, Panel, X, Write> Product<Panel, X, Write>
where
    T: Number,
    Panel: Fn(usize) -> &'p [[T; PANEL]],
    X: Fn(usize) -> &'x [f32],
    Write: FnMut(usize, usize, &[f32; PANEL]),
{
    /// The results for `M` rows from `first` on, `P` panels at a time.
    fn rows<const M: usize, const P: usize>(&mut self, first: usize) {
        let x: [&[f32]; M] = std::array::from_fn(|m| (self.x)(first + m));
        let mut panel = self.panels.start;
        while panel + P <= self.panels.end {
            self.panels_by_rows::<M, P>(panel, first, x);
            panel += P;
        }
        if P > 2 && panel + 2 <= self.panels.end {
            self.panels_by_rows::<M, 2>(panel, first, x);
            panel += 2;
        }
        while panel < self.panels.end {
            self.panels_by_rows::<M, 1>(panel, first, x);
            panel += 1;
        }
    }

    fn panels_by_rows<const M: usize, const P: usize>(
        &mut self,
        panel: usize,
        first: usize,
        x: [&[f32]; M],
    ) {
        let panels = std::array::from_fn(|p| (self.panel)(panel + p));
        let products = panels_by_rows::<T, M, P>(self.level, panels, x);
        for (p, products) in products.iter().enumerate() {
            for (m, products) in products.iter().enumerate() {
                (self.write)(first + m, panel + p, products);
            }
        }
    }
}

/// In these instructions, which the processor has.
fn panels_by_rows<T: Number, const M: usize, const P: usize>(
    level: Level,
    panels: [&[[T; PANEL]]; P],
    x: [&[f32]; M],
) -> [[[f32; PANEL]; M]; P] {
    match level {
        // SAFETY: the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { panels_wide::sixteen(panels, x) },
        // SAFETY: the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { panels_wide::eights(panels, x) },
        _ => plain(panels, x),
    }
}

/// The sixteen outputs of each panel for each row, in plain Rust. This is what the other kernels
/// must give, bit for bit.
fn plain<T: Number, const M: usize, const P: usize>(
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

impl Number for f32 {
    fn to_f32(self) -> f32 {
        self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn eights(numbers: &[Self; PANEL]) -> [__m256; 2] {
        panels_wide::load_floats(numbers)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(numbers: &[Self; PANEL]) -> __m512 {
        panels_wide::load_sixteen_floats(numbers)
    }
}

macro_rules! sixteen_bits {
    ($number:ty, $eights:ident, $sixteen:ident) => {
        impl Number for $number {
            fn to_f32(self) -> f32 {
                self.to_f32()
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx2,f16c")]
            unsafe fn eights(numbers: &[Self; PANEL]) -> [__m256; 2] {
                panels_wide::$eights(numbers.reinterpret_cast())
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx512f")]
            unsafe fn sixteen(numbers: &[Self; PANEL]) -> __m512 {
                panels_wide::$sixteen(numbers.reinterpret_cast())
            }
        }
    };
}

sixteen_bits!(f16, eights_of_f16, sixteen_of_f16);
sixteen_bits!(bf16, eights_of_bf16, sixteen_of_bf16);

impl Number for i8 {
    fn to_f32(self) -> f32 {
        self.into()
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn eights(numbers: &[Self; PANEL]) -> [__m256; 2] {
        panels_wide::eights_of_i8(numbers)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(numbers: &[Self; PANEL]) -> __m512 {
        panels_wide::sixteen_of_i8(numbers)
    }
}
