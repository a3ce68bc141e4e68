//! What was acknowledged survives: the server is killed at any time and at every system call,
//! the disk is full or fails, files do their worst, and a ledger kept outside of it must come true.
//!
//! The short form runs with all other tests. The campaign takes an hour, needs `strace` and,
//! for the full disk, root; it says so when it lacks them:
//!
//! ```sh
//! cargo test --release -p server --test durability -- --ignored --nocapture --test-threads 1
//! ```
//!
//! `CAMPAIGN_CYCLES`, `CAMPAIGN_SEED` and `CAMPAIGN_STRIDE` (try every n-th system call) set its length;
//! `CAMPAIGN_PROGRAM` names another build of the program.
//! Each experiment is run once with a planted defect that it must catch.

#![cfg(unix)]

mod client;
mod disk;
mod every_call;
mod kill;
mod ledger;
mod poison;
mod poisoned;
mod process;
mod workload;

/// A number from the environment, or another one.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}
