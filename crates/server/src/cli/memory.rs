//! Memory, as far as Linux says it in `/proc`; elsewhere nothing is known.

use std::fs;

/// Bytes that a program could take now without pushing others out.
pub(super) fn available() -> Option<u64> {
    bytes_after(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The most bytes this process ever had in memory, or had since [`forget_peak`].
pub(super) fn peak() -> Option<u64> {
    bytes_after(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Lets the next [`peak`] begin at what is in memory now. Where the kernel does not allow that,
/// it goes on from before.
pub(super) fn forget_peak() {
    // See proc(5): 5 resets the peak, and does nothing else.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// `/proc` writes `Name:   1234 kB`, and means 1024 bytes by kB.
fn bytes_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes = rest.trim().strip_suffix("kB")?;
    kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_read() {
        let text = "MemFree:  1 kB\nMemAvailable:   23456 kB\nOdd: many kB\n";
        assert_eq!(bytes_after(text, "MemAvailable:"), Some(23456 * 1024));
        assert_eq!(bytes_after(text, "Odd:"), None);
        assert_eq!(bytes_after(text, "Swap:"), None);
    }
}
