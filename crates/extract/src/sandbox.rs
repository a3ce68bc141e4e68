//! Reading files in a child process, where nothing they do can harm the server.
//!
//! Every parser of PDF and Office files has inputs on which it panics, overflows its stack, asks
//! for all memory or never ends, and most of that cannot be caught in a thread. So [`Extractor`]
//! hands each file to a child: the program runs itself with a hidden command that calls
//! [`serve`]. What such a child may do is in `confine.rs`; that one which fails, or has read
//! enough, is replaced is in `pool.rs`; what is said over its two pipes is in `frame.rs`.
//!
//! A file that ends its child costs that file only: it fails with an
//! [`ExtractError`](crate::ExtractError) that says whether time, memory or depth ran out.

mod child;
mod confine;
mod frame;
mod pool;
mod worker;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::{Document, ExtractError};

pub use child::serve;
pub use confine::Limits;

use pool::Pool;

/// Reads files: in children of the program, or, for tests, right here.
#[derive(Debug)]
pub struct Extractor {
    pool: Option<Pool>,
}

/// The program whose children read files, and what they may use up.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The program to run.
    pub program: PathBuf,
    /// What makes it call [`serve`]. The limits follow as further arguments; see
    /// [`Limits::to_args`].
    pub args: Vec<String>,
    /// What a child may use for one file.
    pub limits: Limits,
    /// How long a child may take over one file, waiting included.
    pub wall_clock: Duration,
}

impl Sandbox {
    /// This very program, run with `args`, under the usual limits.
    ///
    /// # Errors
    ///
    /// When the system does not say which program this is.
    pub fn of_this_program(args: &[&str]) -> std::io::Result<Self> {
        Ok(Self {
            program: this_program()?,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            limits: Limits::default(),
            wall_clock: Duration::from_secs(60),
        })
    }
}

/// On Linux the running program itself, even if its file has been replaced or deleted since, so
/// that both ends of the pipe are always of one version.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

impl Extractor {
    /// Reads files in children of a program; they are started when needed.
    pub fn sandboxed(sandbox: Sandbox) -> Self {
        Self {
            pool: Some(Pool::new(sandbox)),
        }
    }

    /// Reads files in this process. For tests of what comes after extraction, and for files that
    /// are trusted: one that crashes its reader takes the whole process down.
    pub fn in_process() -> Self {
        Self { pool: None }
    }

    /// Reads a file, as [`extract`](crate::extract) does.
    ///
    /// # Errors
    ///
    /// Those of [`extract`](crate::extract), and [`ExtractError::Crashed`],
    /// [`ExtractError::TimedOut`], [`ExtractError::OutOfMemory`], [`ExtractError::TooDeep`] for
    /// what became of the child, [`ExtractError::Unavailable`] when none could be started.
    pub fn extract(&self, filename: &str, bytes: &[u8]) -> Result<Document, ExtractError> {
        match &self.pool {
            Some(pool) => pool.extract(filename, bytes),
            None => crate::extract(filename, bytes),
        }
    }

    /// How many files are worth reading at the same time: one per core.
    pub fn parallelism(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZeroUsize::get)
    }
}
