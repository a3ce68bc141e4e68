//! Matrices of weights packed for the processor, and the products with them.
//!
//! Read `matrix` first: it is what the rest of the crate sees. A quantised matrix is repacked once,
//! when it is read, so that eight outputs lie beside each other ([`format`]); nothing else of it
//! stays in memory. What is multiplied with it is rounded to 8 bits in blocks of 32
//! ([`activations`]). Dense weights of 16 bits stay 16 bits wide and are widened in the kernel
//! ([`dense`]).
//!
//! Every kernel exists three times: in plain Rust, which says what the result is, for AVX2 and for
//! AVX-512, chosen when the program runs ([`level`]). All give the same bits: integer sums are exact, and the order of the
//! additions in f32 is fixed. No result depends on how many rows are multiplied together, so a
//! request gets the same tokens alone and in any company.
#![allow(
    unsafe_code,
    reason = "vector instructions, and columns of one result written by several threads; each use \
              is tested against plain Rust"
)]

mod activations;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod columns;
mod dense;
mod format;
mod level;
mod matrix;
mod packed;
pub(crate) mod panels;
#[cfg(target_arch = "x86_64")]
mod panels_wide;
mod prefetch;
mod q4_0;
mod q4_k;
mod q5_k;
mod q6_k;
mod q8_0;
mod share;
#[cfg(test)]
mod tests;
pub(crate) mod vector;

pub(crate) use activations::Input;
pub(crate) use level::Level;
pub(crate) use matrix::{Matrix, MatrixBuilder, packed_bytes};
pub(crate) use prefetch::prefetch;

/// Defines a function twice from one body in plain Rust: compiled for any processor, and for one
/// with AVX2, where the compiler finds wider instructions for the same operations. The one that
/// fits is called. Nothing in Rust reorders or fuses operations on floats by itself, so both give
/// the same bits.
macro_rules! twice {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn plain($($arg: $ty),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,f16c")]
                fn wide($($arg: $ty),*) $(-> $out)? {
                    plain($($arg),*)
                }
                if crate::kernels::Level::best() >= crate::kernels::Level::Avx2 {
                    // SAFETY: the processor has these features.
                    return unsafe { wide($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
}
pub(crate) use twice;
