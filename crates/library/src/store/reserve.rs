//! A few megabytes kept for the day on which the disk is full: deleting writes before it frees,
//! and must always work.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// Deleting a file of a gigabyte writes about as much.
const RESERVE_BYTES: usize = 4 << 20;

/// The file that takes the space.
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(super) fn new(path: PathBuf) -> Reserve {
        Reserve { path }
    }

    /// Takes the space, unless it is taken. On a full disk this waits for the next call.
    pub(super) fn hold(&self) {
        let held = fs::metadata(&self.path).is_ok_and(|file| file.len() == RESERVE_BYTES as u64);
        if !held && self.fill().is_err() {
            self.release();
        }
    }

    /// Gives the space up; `false` when there was none.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        let zeros = vec![0; 1 << 16];
        for _ in 0..RESERVE_BYTES / zeros.len() {
            file.write_all(&zeros)?;
        }
        Ok(())
    }
}
