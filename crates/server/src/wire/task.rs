//! The field `task` of a chat request: what the model is to do.

use engine::OutputFormat;
use rag::{Example, MAX_EXAMPLES, Task};
use serde_json::json;

use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// The longest text of an example, in bytes.
const LONGEST_EXAMPLE: usize = 4096;
/// The longest name of a language, or of a field to extract, in characters.
const LONGEST_NAME: usize = 64;
/// The most fields that are extracted at a time.
const MOST_FIELDS: usize = 64;

/// A task, with examples of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TaskRequest {
    pub(crate) task: Task,
    pub(crate) examples: Vec<Example>,
}

impl TaskRequest {
    /// Reads the field: a name, or an object with a `type`.
    pub(crate) fn read(place: &Place<'_>) -> Result<Self, ApiError> {
        if place.value().is_string() {
            let task = place.choice(&KINDS)?;
            return match task {
                Kind::Answer => Ok(Self::default()),
                Kind::Summarise => Ok(Self {
                    task: Task::Summarise,
                    examples: Vec::new(),
                }),
                Kind::Translate => Err(place.refuse(
                    ErrorKind::InvalidValue,
                    "needs a language: {\"type\": \"translate\", \"to\": \"Korean\"}",
                )),
                Kind::Extract => Err(place.refuse(
                    ErrorKind::InvalidValue,
                    "needs fields: {\"type\": \"extract\", \"fields\": [\"name\", \"date\"]}",
                )),
            };
        }
        let fields = place.object()?;
        let task = match fields.require("type")?.choice(&KINDS)? {
            Kind::Answer => Task::Answer,
            Kind::Summarise => Task::Summarise,
            Kind::Translate => Task::Translate {
                to: read_name(&fields.require("to")?)?,
            },
            Kind::Extract => Task::Extract {
                fields: read_fields(&fields.require("fields")?)?,
            },
        };
        let examples = fields.optional("examples", read_examples)?;
        Ok(Self {
            task,
            examples: examples.unwrap_or_default(),
        })
    }

    /// What the text must be when the request does not say: extracting gives an object with just
    /// the fields, each a text or null.
    pub(crate) fn usual_format(&self) -> OutputFormat {
        let Task::Extract { fields } = &self.task else {
            return OutputFormat::Text;
        };
        let value = json!({"type": ["string", "null"]});
        let properties = fields.iter().map(|field| (field.clone(), value.clone()));
        let schema = json!({
            "type": "object",
            "properties": properties.collect::<serde_json::Map<_, _>>(),
            "required": fields,
            "additionalProperties": false,
        });
        OutputFormat::JsonSchema(schema.to_string())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Answer,
    Summarise,
    Translate,
    Extract,
}

/// Both spellings of English.
const KINDS: [(&str, Kind); 5] = [
    ("answer", Kind::Answer),
    ("summarise", Kind::Summarise),
    ("summarize", Kind::Summarise),
    ("translate", Kind::Translate),
    ("extract", Kind::Extract),
];

fn read_name(place: &Place<'_>) -> Result<String, ApiError> {
    let name = place.string()?.trim();
    if (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    let why = format!("must have 1 to {LONGEST_NAME} characters on one line");
    Err(place.refuse(ErrorKind::InvalidValue, why))
}

fn read_fields(place: &Place<'_>) -> Result<Vec<String>, ApiError> {
    let items = place.items()?;
    if !(1..=MOST_FIELDS).contains(&items.len()) {
        let why = format!("must name 1 to {MOST_FIELDS} fields");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let mut fields: Vec<String> = Vec::new();
    for item in &items {
        let name = read_name(item)?;
        if fields.contains(&name) {
            return Err(item.refuse(ErrorKind::InvalidValue, "is named twice"));
        }
        fields.push(name);
    }
    Ok(fields)
}

fn read_examples(place: &Place<'_>) -> Result<Vec<Example>, ApiError> {
    let items = place.items()?;
    if items.len() > MAX_EXAMPLES {
        let why = format!("may hold at most {MAX_EXAMPLES} examples");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    items.iter().map(read_example).collect()
}

fn read_example(place: &Place<'_>) -> Result<Example, ApiError> {
    let fields = place.object()?;
    Ok(Example {
        input: read_example_text(&fields, "input")?,
        output: read_example_text(&fields, "output")?,
    })
}

fn read_example_text(fields: &Object<'_>, name: &str) -> Result<String, ApiError> {
    let place = fields.require(name)?;
    let text = place.string()?;
    if (1..=LONGEST_EXAMPLE).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let why = format!("must have 1 to {LONGEST_EXAMPLE} bytes");
    Err(place.refuse(ErrorKind::InvalidValue, why))
}
