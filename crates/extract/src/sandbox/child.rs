//! The child's side: read a file, say what it holds, wait for the next.

use std::io::{self, BufWriter};
use std::panic::{self, AssertUnwindSafe};

use super::confine::{Limits, allow_cpu, confine};
use super::frame::{read_request, write_reply};
use crate::{Document, ExtractError};

/// Reads the files that come in on standard input, until it ends, and writes what `read` makes
/// of them to standard output. The hidden command of the program calls this with
/// [`extract`](crate::extract).
///
/// After a panic the reply is [`ExtractError::Crashed`], and the process is to be replaced.
///
/// # Errors
///
/// When a pipe breaks, or the process cannot be confined.
pub fn serve(
    limits: Limits,
    read: impl Fn(&str, &[u8]) -> Result<Document, ExtractError>,
) -> io::Result<()> {
    // The parent says what happened, once and in words for people.
    panic::set_hook(Box::new(|_| {}));
    let mut requests = io::stdin().lock();
    let mut replies = BufWriter::new(io::stdout().lock());
    confine(limits)?;
    while let Some(request) = read_request(&mut requests)? {
        allow_cpu(limits.cpu_seconds)?;
        let reading = AssertUnwindSafe(|| read(&request.filename, &request.bytes));
        let result = panic::catch_unwind(reading).unwrap_or(Err(ExtractError::Crashed));
        write_reply(&mut replies, result)?;
    }
    Ok(())
}
