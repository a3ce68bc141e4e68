//! `tojson` as Python's `json.dumps` writes it.

use std::io::{self, Write};

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{Formatter, Serializer};

use super::SENTINEL;
use super::python;

/// `value | tojson`: like `json.dumps` with `ensure_ascii=False`. minijinja's own would escape
/// `<`, `>`, `&` and quotes for HTML.
pub(crate) fn tojson(value: &Value, arguments: Kwargs) -> Result<Value, Error> {
    let layout = Layout::read(&arguments)?;
    let sort_keys = arguments.get::<Option<bool>>("sort_keys")? == Some(true);
    arguments.assert_all_used()?;
    let mut json = Vec::new();
    let mut serializer = Serializer::with_formatter(
        &mut json,
        Writer {
            layout,
            depth: 0,
            empty: true,
        },
    );
    let written = match sort_keys {
        // Serialised to a value and sorted there: only the few who ask for it pay for it.
        true => serde_json::to_value(value).and_then(|mut whole| {
            whole.sort_all_objects();
            Json::serialize(&whole, &mut serializer)
        }),
        false => value.serialize(&mut serializer),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let json = String::from_utf8_lossy(&json).into_owned();
    Ok(Value::from_safe_string(json))
}

/// The options of `json.dumps` that say how a value is laid out.
struct Layout {
    /// Each item stands on a line of its own, this far in for each level.
    indent: Option<String>,
    between_items: String,
    after_key: String,
    ensure_ascii: bool,
}

/// No template needs more, and each level of a value repeats it.
const WIDEST_INDENT: usize = 16;

impl Layout {
    fn read(arguments: &Kwargs) -> Result<Self, Error> {
        let indent = arguments
            .get::<Option<Value>>("indent")?
            .filter(|indent| !indent.is_none());
        let indent = indent.map(|indent| match indent.as_str() {
            Some(text) => text.chars().take(WIDEST_INDENT).collect(),
            None => " ".repeat(indent.as_usize().unwrap_or(0).min(WIDEST_INDENT)),
        });
        let separators = arguments.get::<Option<Vec<String>>>("separators")?;
        let (between_items, after_key) = match separators.as_deref() {
            Some([between_items, after_key]) => (between_items.clone(), after_key.clone()),
            Some(_) => {
                let why = "tojson takes two separators, between items and after a key";
                return Err(Error::new(ErrorKind::InvalidOperation, why));
            }
            None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
            None => (", ".to_owned(), ": ".to_owned()),
        };
        Ok(Self {
            indent,
            between_items,
            after_key,
            ensure_ascii: arguments.get::<Option<bool>>("ensure_ascii")? == Some(true),
        })
    }
}

struct Writer {
    layout: Layout,
    depth: usize,
    /// Nothing was written inside the innermost bracket yet.
    empty: bool,
}

impl Writer {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty {
            self.new_line(writer)?;
        }
        self.empty = false;
        writer.write_all(bracket)
    }

    fn begin_item<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(self.layout.between_items.as_bytes())?;
        }
        self.empty = false;
        self.new_line(writer)
    }

    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        let Some(indent) = &self.layout.indent else {
            return Ok(());
        };
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(indent.as_bytes()))
    }
}

impl Formatter for Writer {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_item(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_item(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.layout.after_key.as_bytes())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !self.layout.ensure_ascii {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            match character {
                // It never reaches the model, so it is not spelt out either.
                SENTINEL | ' '..='~' => write!(writer, "{character}")?,
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
