//! The field `response_format` of a chat request: what the answer's text must be.

use engine::OutputFormat;

use super::place::Place;
use crate::error::{ApiError, ErrorKind};

/// In characters, as OpenAI has it.
const LONGEST_NAME: usize = 64;

/// Reads the field. Whether a schema can be followed is the engine's to say.
pub(super) fn read_response_format(place: &Place<'_>) -> Result<OutputFormat, ApiError> {
    let fields = place.object()?;
    let schema = || read_json_schema(&fields.require("json_schema")?);
    match fields.require("type")?.choice(&[
        ("text", Kind::Text),
        ("json_object", Kind::JsonObject),
        ("json_schema", Kind::JsonSchema),
    ])? {
        Kind::Text => Ok(OutputFormat::Text),
        Kind::JsonObject => Ok(OutputFormat::JsonObject),
        Kind::JsonSchema => schema(),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    JsonObject,
    JsonSchema,
}

/// `strict` makes no difference: the schema is always kept.
fn read_json_schema(place: &Place<'_>) -> Result<OutputFormat, ApiError> {
    let fields = place.object()?;
    fields.optional("name", check_name)?;
    fields.optional("strict", Place::boolean)?;
    fields.optional("description", Place::string)?;
    let schema = fields.require("schema")?;
    schema.object()?;
    Ok(OutputFormat::JsonSchema(schema.value().to_string()))
}

fn check_name(place: &Place<'_>) -> Result<(), ApiError> {
    let name = place.string()?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    let why = format!("must be 1 to {LONGEST_NAME} letters, digits, underscores or hyphens");
    Err(place.refuse(ErrorKind::InvalidValue, why))
}
