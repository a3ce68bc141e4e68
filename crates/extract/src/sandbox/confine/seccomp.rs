//! The system calls that reading a file needs; all others fail with "not permitted".
//!
//! The list names what the allocator, threads, locks, clocks and pipes use. What is missing from
//! it matters more: nothing that opens, connects, executes, traces or starts a process.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

/// Calls that are allowed whatever their arguments.
const ALLOWED: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    // Refused by a filter of its own.
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Closes all other calls. Failing is no reason to read nothing: the other walls stand.
pub(super) fn restrict() {
    // In this order: the second filter forbids installing any other.
    let _ = refuse_clone3().and_then(|()| allow_only_reading());
}

fn allow_only_reading() -> Result<(), Error> {
    let process = u64::from(std::process::id());
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    // A thread may be started, a process may not.
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let is_thread = condition(0, SeccompCmpOp::MaskedEq(thread), thread)?;
    rules.insert(libc::SYS_clone, vec![is_thread]);
    // A signal to itself is how a process aborts.
    let to_itself = condition(0, SeccompCmpOp::Eq, process)?;
    rules.insert(libc::SYS_tgkill, vec![to_itself]);
    let own_limits = [0, process].map(|id| condition(0, SeccompCmpOp::Eq, id));
    let own_limits = own_limits.into_iter().collect::<Result<Vec<_>, _>>()?;
    rules.insert(libc::SYS_prlimit64, own_limits);
    install(
        rules,
        SeccompAction::Errno(errno(libc::EPERM)),
        SeccompAction::Allow,
    )
}

/// `clone3` keeps its flags where a filter cannot see them. Told that it does not exist, the C
/// library uses `clone`.
fn refuse_clone3() -> Result<(), Error> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    install(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno(libc::ENOSYS)),
    )
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn errno(error: i32) -> u32 {
    error.unsigned_abs()
}

fn install(
    rules: BTreeMap<c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<(), Error> {
    let filter = SeccompFilter::new(rules, otherwise, listed, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}
