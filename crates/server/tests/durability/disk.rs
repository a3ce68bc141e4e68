//! E04 and E05: the disk is full, or fails. Writes are refused, reading goes on, and all heals
//! by itself when the disk does.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ledger::{Fate, Ledger};
use crate::process::Server;
use crate::workload::{Belief, make};

/// The calls by which data reach the disk.
const WRITES: &str = "pwrite64,fsync,fdatasync,ftruncate,fallocate,rename";

/// How long healing may take: a pause before the next try, and the try.
const HEALING: Duration = Duration::from_secs(30);

#[test]
#[ignore = "part of the campaign; needs strace"]
fn a_full_disk_refuses_writes_and_heals() {
    check_fault("ENOSPC", 507);
}

#[test]
#[ignore = "part of the campaign; needs strace"]
fn a_failing_disk_acknowledges_nothing_and_heals() {
    check_fault("EIO", 500);
}

#[test]
#[ignore = "part of the campaign; needs strace"]
fn acknowledgements_on_a_failing_disk_are_caught() {
    let home = TempDir::new().expect("a folder");
    let (server, ledger) = start_with_one_file(home.path());
    let fault = Fault::begin(&server, "EIO");
    make(&server.client, &ledger, "d0x1.txt", Some(2), Belief::Early);
    fault.end();
    server.kill();
    let mut server = Server::must_start(&home.path().join("data"));
    server.must_settle();
    let faults = ledger.lock().unwrap().check(&server.client);
    assert!(!faults.is_empty(), "the planted defect was not caught");
}

fn check_fault(error: &str, status: u16) {
    let home = TempDir::new().expect("a folder");
    let (mut server, ledger) = start_with_one_file(home.path());
    for round in 0..10 {
        let fault = Fault::begin(&server, error);
        let reply = server
            .client
            .replace("d0x1.txt", b"refused")
            .expect("a reply");
        assert_eq!(reply.status, status, "{}", reply.text());
        let fate = make(
            &server.client,
            &ledger,
            "d0x2.txt",
            Some(round),
            Belief::Honest,
        );
        assert_ne!(fate, Fate::Acknowledged);
        check_reading(&server);
        fault.end();
        let started = Instant::now();
        let version = Some(100 + round);
        while make(&server.client, &ledger, "d0x2.txt", version, Belief::Honest)
            != Fate::Acknowledged
        {
            assert!(started.elapsed() < HEALING, "it does not heal");
        }
        server.must_settle();
        let faults = ledger.lock().unwrap().check(&server.client);
        assert!(faults.is_empty(), "round {round}: {faults:#?}");
    }
    println!("{error}: 10 rounds of faults, each healed without a restart");
    server.kill();
    let mut server = Server::must_start(&home.path().join("data"));
    server.must_settle();
    let faults = ledger.lock().unwrap().check(&server.client);
    assert!(faults.is_empty(), "after a restart: {faults:#?}");
}

#[test]
#[ignore = "part of the campaign; needs root, for a small disk"]
fn a_small_disk_fills_up_and_is_emptied() {
    let home = TempDir::new().expect("a folder");
    let disk = SmallDisk::mount(&home.path().join("data"), "24m");
    let ledger = Mutex::new(Ledger::new(&home.path().join("ledger")));
    let mut server = Server::must_start(&disk.0);
    make(&server.client, &ledger, "d0x0.txt", Some(1), Belief::Honest);
    server.must_settle();
    let large = "a line of text that is long enough to matter\n".repeat(20_000);
    let mut names = (0..).map(|number| format!("large{number}.md"));
    let full = names.find(|name| {
        let reply = server
            .client
            .replace(name, large.as_bytes())
            .expect("a reply");
        assert!(
            reply.is_success() || reply.status == 507,
            "{}",
            reply.text()
        );
        reply.status == 507
    });
    println!("E04: the disk is full at {}", full.expect("it fills up"));
    check_reading(&server);
    let list = server
        .client
        .get("/v1/files?order=asc")
        .expect("a list")
        .json();
    for file in list["data"].as_array().expect("a list") {
        if file["filename"]
            .as_str()
            .is_some_and(|name| name.starts_with("large"))
        {
            let id = file["id"].as_str().expect("an id");
            let reply = server
                .client
                .delete(&format!("/v1/files/{id}"))
                .expect("a reply");
            assert!(reply.is_success(), "{}", reply.text());
        }
    }
    let started = Instant::now();
    while make(&server.client, &ledger, "d0x1.txt", Some(2), Belief::Honest) != Fate::Acknowledged {
        assert!(started.elapsed() < HEALING, "it does not heal");
    }
    server.must_settle();
    let faults = ledger.lock().unwrap().check(&server.client);
    assert!(faults.is_empty(), "{faults:#?}");
}

fn start_with_one_file(home: &Path) -> (Server, Mutex<Ledger>) {
    let data_dir = home.join("data");
    std::fs::create_dir(&data_dir).expect("a folder");
    let ledger = Mutex::new(Ledger::new(&home.join("ledger")));
    let mut server = Server::must_start(&data_dir);
    let fate = make(&server.client, &ledger, "d0x0.txt", Some(1), Belief::Honest);
    assert_eq!(fate, Fate::Acknowledged);
    server.must_settle();
    (server, ledger)
}

/// Searching and asking do not need the disk to take anything.
fn check_reading(server: &Server) {
    let search = r#"{"query":"common words"}"#;
    let reply = server
        .client
        .post("/v1/vector_stores/default/search", search);
    let reply = reply.expect("a reply");
    assert!(reply.is_success(), "{}", reply.text());
    let question = r#"{"model":"default","answer":"quotes",
        "messages":[{"role":"user","content":"What is attention?"}]}"#;
    let reply = server.client.post("/v1/chat/completions", question);
    let reply = reply.expect("a reply");
    assert!(reply.is_success(), "{}", reply.text());
}

/// `strace` that is attached to a running server and makes its writes fail.
struct Fault(Child);

impl Fault {
    fn begin(server: &Server, error: &str) -> Fault {
        let id = server.id().to_string();
        let strace = Command::new("strace")
            .args(["-f", "-qqq", "-o", "/dev/null", "-p", &id, "-e"])
            .arg(format!("trace={WRITES}"))
            .arg("-e")
            .arg(format!("inject={WRITES}:error={error}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace runs");
        while !is_traced(server.id()) {
            thread::sleep(Duration::from_millis(1));
        }
        // Its threads follow at once, one by one.
        thread::sleep(Duration::from_millis(200));
        Fault(strace)
    }

    /// The server goes on without faults.
    fn end(mut self) {
        let id = self.0.id().to_string();
        let asked = Command::new("kill").args(["-INT", &id]).status();
        asked.expect("`kill` runs");
        self.0.wait().expect("its status");
    }
}

fn is_traced(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

/// A disk of its own, in memory.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: &Path, size: &str) -> SmallDisk {
        std::fs::create_dir(path).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .status();
        assert!(mounted.is_ok_and(|status| status.success()), "needs root");
        SmallDisk(path.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
