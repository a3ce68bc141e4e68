//! E02: the server is killed at every single system call that changes the disk, in a short
//! life of it: three files are added, one is replaced, one deleted, all is settled.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::ledger::{Fate, Ledger};
use crate::process::{Server, strace, traced};
use crate::setting;
use crate::workload::{Belief, make};

/// The calls that change what is on the disk. Which of those that rename is used is up to the
/// libraries.
const CALLS: [&str; 11] = [
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "unlink",
    "ftruncate",
    "write",
    "openat",
];

/// `write` and `openat` also serve sockets and reading; the first so many hold all of ours.
const MOST_CALLS: u64 = 400;

#[test]
#[ignore = "part of the campaign; needs strace"]
fn a_kill_at_every_call_loses_nothing() {
    let stride = setting("CAMPAIGN_STRIDE", 1);
    let start = Start::new();
    let (mut kills, mut renames, mut faults) = (0, 0, Vec::new());
    for call in CALLS {
        let mut of_call = 0;
        for number in (1..=MOST_CALLS).step_by(stride as usize) {
            match killed_at(&start, call, number, Belief::Honest) {
                Some(found) => {
                    of_call += 1;
                    faults.extend(
                        found
                            .iter()
                            .map(|fault| format!("{call} {number}: {fault}")),
                    );
                }
                None => break,
            }
        }
        println!("E02: {of_call} kills at {call}");
        kills += of_call;
        renames += if call.starts_with("rename") {
            of_call
        } else {
            0
        };
    }
    println!("E02: {kills} kills, {} faults", faults.len());
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(kills > 50 / stride, "strace did not kill");
    assert!(
        renames > 0,
        "no kill at a rename, by which commits take effect"
    );
}

#[test]
#[ignore = "part of the campaign; needs strace"]
fn early_acknowledgements_are_caught() {
    let start = Start::new();
    let caught = (1..60).step_by(6).any(|number| {
        let faults = killed_at(&start, "pwrite64", number, Belief::Early);
        faults.is_some_and(|faults| !faults.is_empty())
    });
    assert!(caught, "the planted defect was not caught");
}

/// A library with the examples, from which every life begins.
struct Start(TempDir);

impl Start {
    fn new() -> Start {
        let home = TempDir::new().expect("a folder");
        let mut server = Server::must_start(home.path());
        server.must_settle();
        server.kill();
        Start(home)
    }

    fn copy_to(&self, data_dir: &Path) {
        let mut copy = Command::new("cp");
        let copied = copy.arg("-r").arg(self.0.path()).arg(data_dir).status();
        assert!(copied.is_ok_and(|status| status.success()));
    }
}

/// What is wrong after a kill at the call of that number, counted for each thread: the first
/// one that comes so far takes the others with it. `None` when there was no such call.
fn killed_at(start: &Start, call: &str, number: u64, belief: Belief) -> Option<Vec<String>> {
    let home = TempDir::new().expect("a folder");
    let data_dir = home.path().join("data");
    start.copy_to(&data_dir);
    let ledger = Mutex::new(Ledger::new(&home.path().join("ledger")));
    let fault = format!("{call}:signal=SIGKILL:when={number}");
    if live(&data_dir, &ledger, &strace(&fault), belief) {
        return None;
    }
    let mut server = Server::must_start(&data_dir);
    server.must_settle();
    Some(ledger.lock().unwrap().check(&server.client))
}

/// The whole short life; `false` when it was cut short.
fn live(data_dir: &Path, ledger: &Mutex<Ledger>, wrapper: &[String], belief: Belief) -> bool {
    let Ok(mut server) = Server::start(data_dir, wrapper) else {
        return false;
    };
    for (name, version) in [
        ("d0x0.txt", Some(1)),
        ("d0x1.txt", Some(2)),
        ("d0x2.txt", Some(3)),
        ("d0x1.txt", Some(4)),
        ("d0x0.txt", None),
    ] {
        if make(&server.client, ledger, name, version, belief) == Fate::Unknown {
            return false;
        }
    }
    if !server.settle() {
        return false;
    }
    match traced(server.id()) {
        Some(id) => server.stop(id),
        None => false,
    }
}
