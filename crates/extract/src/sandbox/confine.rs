//! What a child may not do: use more than its share, or touch anything but its two pipes.
//!
//! | what | by | where |
//! | --- | --- | --- |
//! | more than 512 MiB of memory, 30 s of processor time a file | `RLIMIT_AS`, `RLIMIT_CPU` | Unix |
//! | write files, leave a core dump | `RLIMIT_FSIZE`, `RLIMIT_CORE` | Unix |
//! | open files, use TCP, signal or reach other processes | Landlock, as much as the kernel has, which also forbids new privileges | Linux |
//! | every other system call, so no socket, no process, no program | seccomp, a list of what is allowed | Linux on x86-64, AArch64, RISC-V |
//!
//! A kernel without Landlock or seccomp leaves these two out; the limits and the wall clock
//! remain. Elsewhere than on Unix only the wall clock does.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod seccomp;

use std::io;

/// What a child may use for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space, the program itself included.
    pub memory_bytes: u64,
    /// Seconds of processor time.
    pub cpu_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            cpu_seconds: 30,
        }
    }
}

impl Limits {
    /// The limits as two arguments of a command line.
    pub fn to_args(self) -> [String; 2] {
        [self.memory_bytes.to_string(), self.cpu_seconds.to_string()]
    }
}

/// Gives up everything this process will not need, for good.
pub(super) fn confine(limits: Limits) -> io::Result<()> {
    limit_resources(limits)?;
    #[cfg(target_os = "linux")]
    landlock::restrict();
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    seccomp::restrict();
    Ok(())
}

#[cfg(unix)]
fn limit_resources(limits: Limits) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let at_most = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::Fsize, at_most(0))?;
    match setrlimit(Resource::As, at_most(limits.memory_bytes)) {
        // macOS knows the name only.
        Err(_) if cfg!(not(target_os = "linux")) => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(not(unix))]
fn limit_resources(_: Limits) -> io::Result<()> {
    Ok(())
}

/// Allows another `seconds` of processor time. The system counts what a process has used since
/// it began, so the limit moves on with every file.
#[cfg(unix)]
pub(super) fn allow_cpu(seconds: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};

    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    // The count is in whole seconds: one more, so that no file gets less than its share.
    let limit = Rlimit {
        current: Some(used + seconds + 1),
        maximum: getrlimit(Resource::Cpu).maximum,
    };
    Ok(setrlimit(Resource::Cpu, limit)?)
}

#[cfg(not(unix))]
pub(super) fn allow_cpu(_: u64) -> io::Result<()> {
    Ok(())
}
