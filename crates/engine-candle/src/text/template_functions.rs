//! What chat templates may call beyond Jinja's own: the functions `transformers` gives them.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::clock;

/// `value | tojson`: like Python's `json.dumps` with `ensure_ascii=False`. minijinja's own would
/// escape `<`, `>`, `&` and quotes for HTML.
pub(crate) fn tojson(value: &Value, arguments: Kwargs) -> Result<Value, Error> {
    let indent = arguments.get::<Option<usize>>("indent")?;
    // Accepted and without effect: what `transformers` passes is what is done anyway.
    let _ = arguments.get::<Option<Value>>("ensure_ascii")?;
    let _ = arguments.get::<Option<Value>>("sort_keys")?;
    let _ = arguments.get::<Option<Value>>("separators")?;
    arguments.assert_all_used()?;
    let mut json = Vec::new();
    let written = match indent {
        Some(width) => {
            let indent = " ".repeat(width.min(16));
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut json, formatter))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut json, PythonSpacing)),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(Value::from_safe_string(
        String::from_utf8_lossy(&json).into_owned(),
    ))
}

/// `raise_exception(message)`: the conversation is one the model cannot read.
pub(crate) fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// `strftime_now(format)`: the date and time in UTC.
pub(crate) fn strftime_now(format: String) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    clock::strftime(&format, now.map_or(0, |now| now.as_secs()))
}

/// A blank after each comma and colon, as Python writes them.
struct PythonSpacing;

impl Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
