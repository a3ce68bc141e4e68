//! The parent's side of one child.

use std::io::{self, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::Sandbox;
use super::frame::{read_reply, write_request};
use crate::{Document, ExtractError};

/// For a child whose parsers start threads: one each, whose stacks are large enough for what is
/// nested deep, and no heap of their own, of which each reserves 64 MiB.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("RAYON_NUM_THREADS", "1"),
    ("RUST_MIN_STACK", "16777216"),
    ("MALLOC_ARENA_MAX", "1"),
];

/// How often, and how long apart, a child that has closed its pipe is asked whether it ended.
const FAREWELL: (u32, Duration) = (200, Duration::from_millis(1));

/// A running child.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
    /// Files read so far.
    pub(super) files: usize,
}

/// Why a child gave no reply.
struct Silence {
    /// It was killed for taking too long.
    expired: bool,
    /// It said something else than a reply.
    broken: bool,
}

impl Worker {
    /// Starts a child, without waiting for it.
    pub(super) fn start(sandbox: &Sandbox) -> io::Result<Self> {
        let mut child = Command::new(&sandbox.program)
            .args(&sandbox.args)
            .args(sandbox.limits.to_args())
            // Nothing it could read secrets from.
            .env_clear()
            .envs(ENVIRONMENT.iter().copied())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(requests), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a child without pipes"));
        };
        Ok(Self {
            child,
            requests,
            replies,
            files: 0,
        })
    }

    /// Has a file read. A child that died over it comes back as the error alone; a living one
    /// is returned to be used again.
    pub(super) fn extract(
        mut self,
        sandbox: &Sandbox,
        filename: &str,
        bytes: &[u8],
    ) -> (Result<Document, ExtractError>, Option<Self>) {
        self.files += 1;
        match self.exchange(sandbox.wall_clock, filename, bytes) {
            // What a panic left behind is not to be relied on.
            Ok(Err(ExtractError::Crashed)) => (Err(ExtractError::Crashed), None),
            Ok(result) => (result, Some(self)),
            Err(silence) => (Err(self.bury(&silence, sandbox)), None),
        }
    }

    /// Sends a file and waits for the reply, while a watchdog counts the time.
    fn exchange(
        &mut self,
        limit: Duration,
        filename: &str,
        bytes: &[u8],
    ) -> Result<Result<Document, ExtractError>, Silence> {
        let Self {
            child,
            requests,
            replies,
            ..
        } = self;
        let (done, watch) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watchdog = scope.spawn(move || {
                let expired = watch.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
                if expired {
                    let _ = child.kill();
                }
                expired
            });
            let reply = write_request(requests, filename, bytes).and_then(|()| read_reply(replies));
            drop(done);
            let expired = watchdog.join().unwrap_or(false);
            reply.map_err(|error| Silence {
                expired,
                broken: error.kind() == io::ErrorKind::InvalidData,
            })
        })
    }

    /// Waits for the end of a child that gave no reply, and says what it died of.
    fn bury(&mut self, silence: &Silence, sandbox: &Sandbox) -> ExtractError {
        let child = &mut self.child;
        if silence.broken {
            let _ = child.kill();
        }
        let status = wait_shortly(child);
        let mut last_words = String::new();
        if let Some(stderr) = child.stderr.take() {
            let _ = stderr.take(4096).read_to_string(&mut last_words);
        }
        let timed_out = ExtractError::TimedOut {
            seconds: sandbox.wall_clock.as_secs().min(sandbox.limits.cpu_seconds),
        };
        match status {
            _ if silence.expired => timed_out,
            Some(status) if used_up_its_time(status) => timed_out,
            _ if last_words.contains("memory allocation of") => ExtractError::OutOfMemory {
                mebibytes: sandbox.limits.memory_bytes >> 20,
            },
            _ if last_words.contains("overflowed its stack") => ExtractError::TooDeep,
            _ => ExtractError::Crashed,
        }
    }
}

impl Drop for Worker {
    /// A child whose pipe is closed ends by itself; this is for one that is stuck, and takes
    /// the entry out of the system's table of processes.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of a child that is ending; one that does not is killed.
fn wait_shortly(child: &mut Child) -> Option<ExitStatus> {
    let (times, pause) = FAREWELL;
    for _ in 0..times {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(pause);
    }
    let _ = child.kill();
    child.wait().ok()
}

#[cfg(unix)]
fn used_up_its_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;

    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn used_up_its_time(_: ExitStatus) -> bool {
    false
}
