//! JSON Lines: one JSON value a line, each a block of its own in the text.

use super::json::{Failure, write_value};
use super::{Format, by_name_only};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// A value a line; a line that is not JSON is named in the error.
pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    media_type: "application/jsonl",
    extensions: &["jsonl", "ndjson", "jsonlines"],
    is_text: true,
    is_markdown: false,
    recognise: by_name_only,
    read,
};

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    for (index, line) in source.text()?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut parser = serde_json::Deserializer::from_str(line);
        write_value(&mut parser, draft)
            .and_then(|()| parser.end().map_err(Failure::Syntax))
            .map_err(|failure| match failure {
                Failure::Syntax(error) => {
                    ExtractError::malformed("JSON Lines", at_line(index + 1, &error))
                }
                Failure::Draft(error) => error,
            })?;
    }
    Ok(())
}

/// The parser's message with the line of the file in place of the line it saw, always its first.
fn at_line(line: usize, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = message
        .split_once(" at line ")
        .map_or(message.as_str(), |(what, _)| what);
    format!("{what} at line {line} column {}", error.column())
}
