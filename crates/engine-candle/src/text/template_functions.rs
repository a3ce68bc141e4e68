//! What chat templates may call beyond Jinja's own: the functions `transformers` gives them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use super::clock;

/// Marks an error that the template raised itself.
#[derive(Debug)]
pub(crate) struct Raised;

impl fmt::Display for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("raised by the template")
    }
}

impl std::error::Error for Raised {}

/// `raise_exception(message)`: the conversation is one the model cannot read.
pub(crate) fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message).with_source(Raised))
}

/// `strftime_now(format)`: the date and time in UTC.
pub(crate) fn strftime_now(format: String) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    clock::strftime(&format, now.map_or(0, |now| now.as_secs()))
}
