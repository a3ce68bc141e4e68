//! Asking for memory before it is needed.

/// Bytes that come together.
const LINE: usize = 64;

/// Asks for these values to be brought near. Processors do so by themselves once they see a
/// pattern, but each run of memory ends theirs.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..size_of_val(values)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: the address is inside the slice, and nothing is read.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().cast::<i8>().add(offset)) };
    }
}
