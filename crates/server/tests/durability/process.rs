//! A server in a process of its own, alone or under `strace`.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;

/// How long a server may take to start, on a busy machine and under `strace`.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    data_dir: PathBuf,
    pub(crate) client: Client,
}

/// The program itself, or another build of it.
fn program() -> String {
    let other = std::env::var("CAMPAIGN_PROGRAM");
    other.unwrap_or_else(|_| env!("CARGO_BIN_EXE_ibid").to_owned())
}

impl Server {
    /// Starts on `data_dir` and waits until it can be asked. `Err` when it ended instead.
    pub(crate) fn start(data_dir: &Path, wrapper: &[String]) -> Result<Server, ExitStatus> {
        let address_file = data_dir.join("address");
        let _ = fs::remove_file(&address_file);
        let program = program();
        let mut words = wrapper.iter().map(String::as_str).chain([&*program]);
        let mut command = Command::new(words.next().expect("a program"));
        let mut child = command
            .args(words)
            .args(["serve", "--listen", "127.0.0.1:0", "--embedder", "none"])
            .arg("--data-dir")
            .arg(data_dir)
            .current_dir(data_dir)
            .stdout(Stdio::null())
            .stderr(log(data_dir))
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {wrapper:?}: {error}"));
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("its status") {
                return Err(status);
            }
            if let Ok(address) = fs::read_to_string(&address_file)
                && !address.is_empty()
            {
                let client = Client { address };
                if client.get("/healthz").is_ok() {
                    let data_dir = data_dir.to_owned();
                    return Ok(Server {
                        child,
                        data_dir,
                        client,
                    });
                }
            }
            assert!(
                started.elapsed() < START_PATIENCE,
                "the server does not start"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts on a library that must open whatever happened to it.
    pub(crate) fn must_start(data_dir: &Path) -> Server {
        Server::start(data_dir, &[]).unwrap_or_else(|status| {
            panic!("the server does not start: {status}: {}", said(data_dir))
        })
    }

    /// Waits until nothing is left to be indexed. `false` when the server died.
    pub(crate) fn settle(&mut self) -> bool {
        loop {
            let path = "/v1/vector_stores/default";
            match self.client.get(path) {
                Ok(reply) if reply.is_success() => {
                    let collection = reply.json();
                    let ready = self.client.get("/readyz");
                    if collection["file_counts"]["in_progress"] == 0
                        && collection["index"] == "complete"
                        && ready.is_ok_and(|ready| ready.is_success())
                    {
                        return true;
                    }
                }
                _ if self.has_died() => return false,
                _ => {}
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Settles a server that nobody kills.
    #[track_caller]
    pub(crate) fn must_settle(&mut self) {
        if !self.settle() {
            panic!("the server died by itself: {}", said(&self.data_dir));
        }
    }

    pub(crate) fn has_died(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_some()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power switch would end the process.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end and waits; `false` when it was killed on the way.
    pub(crate) fn stop(mut self, server_id: u32) -> bool {
        let asked = Command::new("kill")
            .args(["-TERM", &server_id.to_string()])
            .stderr(Stdio::null())
            .status();
        asked.expect("`kill` runs");
        let status = self.child.wait().expect("its status");
        status.signal().is_none() && status.code() != Some(128 + 9)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(data_dir: &Path) -> String {
    fs::read_to_string(data_dir.join("stderr")).unwrap_or_default()
}

/// Where the server's words go, to be read when it ends unasked.
fn log(data_dir: &Path) -> Stdio {
    fs::File::create(data_dir.join("stderr")).map_or_else(|_| Stdio::null(), Stdio::from)
}

/// The process that `strace` runs: its only child.
pub(crate) fn traced(strace: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// `strace` that does `fault` to the calls it names.
pub(crate) fn strace(fault: &str) -> Vec<String> {
    ["strace", "-f", "-qqq", "-o", "/dev/null", "-e"]
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("trace={}", fault.split(':').next().expect("calls")),
            "-e".to_owned(),
            format!("inject={fault}"),
        ])
        .collect()
}
