//! JSON to lines that can be searched and quoted: each value behind the path that leads to it.
//!
//! Values are written while they are parsed and no tree is kept, so that a file of a million
//! numbers needs no more memory than its text. serde_json limits the depth to 128.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Confidence, Format};
use crate::ExtractError;
use crate::canonical::canonical;
use crate::draft::Draft;
use crate::source::Source;

/// A JSON text, or several one after another.
pub(super) const FORMAT: Format = Format {
    name: "json",
    media_type: "application/json",
    extensions: &["json", "geojson", "webmanifest", "ipynb"],
    is_text: true,
    is_markdown: false,
    recognise,
    read,
};

/// Something between braces whose first token is a string.
fn recognise(source: &Source) -> Confidence {
    let text = source.text().unwrap_or_default().trim();
    let inside = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    match inside {
        Some(inside) if inside.trim_start().starts_with('"') => Confidence::Likely,
        _ => Confidence::None,
    }
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let mut parser = serde_json::Deserializer::from_str(source.text()?);
    while parser.end().is_err() {
        write_value(&mut parser, draft).map_err(|failure| match failure {
            Failure::Syntax(error) => ExtractError::malformed("JSON", error),
            Failure::Draft(error) => error,
        })?;
    }
    Ok(())
}

/// Why a value was not written.
pub(super) enum Failure {
    /// The text is not JSON here.
    Syntax(serde_json::Error),
    /// The document took no more.
    Draft(ExtractError),
}

/// Writes the next value: `path: value` on a line of its own for each scalar, a blank line
/// before each object or array that stands alone or in an array.
pub(super) fn write_value<'de, R: serde_json::de::Read<'de>>(
    parser: &mut serde_json::Deserializer<R>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    let mut writer = Writer {
        draft,
        path: String::new(),
        failure: None,
    };
    let parsed = Node(&mut writer).deserialize(parser);
    match (parsed, writer.failure) {
        (_, Some(error)) => Err(Failure::Draft(error)),
        (Err(error), None) => Err(Failure::Syntax(error)),
        (Ok(()), None) => Ok(()),
    }
}

/// What is being written, and where in the value we are: `a.b[0]`.
struct Writer<'a> {
    draft: &'a mut Draft,
    path: String,
    /// Kept here because the parser's error type can carry only a message.
    failure: Option<ExtractError>,
}

impl Writer<'_> {
    fn scalar<E: Error>(&mut self, value: &str) -> Result<(), E> {
        let separator = if self.path.is_empty() { "" } else { ": " };
        let path = std::mem::take(&mut self.path);
        let written = [&path, separator, value, "\n"]
            .into_iter()
            .try_for_each(|part| self.draft.push(part));
        self.path = path;
        self.keep_failure(written)
    }

    /// Elements of arrays are records more often than not: a blank line keeps each together.
    fn open_container<E: Error>(&mut self) -> Result<(), E> {
        if !self.path.is_empty() && !self.path.ends_with(']') {
            return Ok(());
        }
        let written = self.draft.open_block();
        self.keep_failure(written)
    }

    fn keep_failure<E: Error>(&mut self, written: Result<(), ExtractError>) -> Result<(), E> {
        written.map_err(|error| {
            self.failure = Some(error);
            E::custom("the document takes no more")
        })
    }
}

/// One value at the writer's path.
struct Node<'w, 'd>(&'w mut Writer<'d>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.scalar("null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.scalar(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.scalar(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.scalar(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.scalar(&serde_json::Value::from(value).to_string())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        // Escapes can spell what the file's own text was cleaned of.
        let value = canonical(value);
        self.0
            .scalar(if value.is_empty() { "\"\"" } else { &value })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Node(writer) = self;
        writer.open_container()?;
        let parent = writer.path.len();
        for index in 0usize.. {
            writer.path.push_str(&format!("[{index}]"));
            let element = elements.next_element_seed(Node(writer));
            writer.path.truncate(parent);
            if element?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Node(writer) = self;
        writer.open_container()?;
        let parent = writer.path.len();
        while let Some(key) = members.next_key::<String>()? {
            if parent > 0 {
                writer.path.push('.');
            }
            writer.path.push_str(&canonical(&key));
            let value = members.next_value_seed(Node(writer));
            writer.path.truncate(parent);
            value?;
        }
        Ok(())
    }
}
