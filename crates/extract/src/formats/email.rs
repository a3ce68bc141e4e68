//! E-mail as it travels (RFC 5322, MIME), by the library mail-parser.

use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use super::{Confidence, Format, html};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// A single message.
pub(super) const FORMAT: Format = Format {
    name: "email",
    media_type: "message/rfc822",
    extensions: &["eml"],
    is_text: true,
    is_markdown: false,
    recognise,
    read,
};

/// How much of a file must look like the head of a message.
const HEAD_LINES: usize = 40;

/// Fields of which every message has at least two.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "date",
    "subject",
    "message-id",
    "received",
    "mime-version",
];

/// Lines `Name: value` up to an empty one, among them the fields of a message.
fn recognise(source: &Source) -> Confidence {
    let text = source.text().unwrap_or_default();
    let mut known = 0;
    for line in text.lines().take(HEAD_LINES) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else {
            return Confidence::None;
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Confidence::None;
        }
        known += usize::from(FIELDS.contains(&name.to_ascii_lowercase().as_str()));
    }
    match known {
        0 | 1 => Confidence::None,
        _ => Confidence::Likely,
    }
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let message = MessageParser::default()
        .parse(source.bytes())
        .ok_or_else(|| ExtractError::malformed("e-mail", "it has no head"))?;
    let head = Head {
        subject: message.subject().unwrap_or_default().to_owned(),
        from: people(message.from()),
        to: people(message.to()),
        date: message
            .date()
            .map(|date| date.to_rfc3339())
            .unwrap_or_default(),
    };
    head.write(draft)?;
    write_body(&message, draft)?;
    let names = message
        .attachments()
        .filter_map(|part| part.attachment_name());
    write_attachments(&names.collect::<Vec<_>>(), draft)
}

/// What is known of a message beside its text.
pub(super) struct Head {
    pub(super) subject: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) date: String,
}

impl Head {
    pub(super) fn write(&self, draft: &mut Draft) -> Result<(), ExtractError> {
        draft.set_title(&self.subject);
        for (name, value) in [
            ("Subject", &self.subject),
            ("From", &self.from),
            ("To", &self.to),
            ("Date", &self.date),
        ] {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            if !value.is_empty() {
                draft.line(&format!("{name}: {value}"))?;
            }
        }
        draft.open_block()
    }
}

/// Attachments are named, not opened.
pub(super) fn write_attachments(names: &[&str], draft: &mut Draft) -> Result<(), ExtractError> {
    if names.is_empty() {
        return Ok(());
    }
    draft.paragraph(&format!("Attachments: {}", names.join(", ")))
}

fn people(address: Option<&Address>) -> String {
    let people = address.into_iter().flat_map(Address::iter);
    let named = people.map(|person| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn write_body(message: &Message, draft: &mut Draft) -> Result<(), ExtractError> {
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => draft.paragraph(text)?,
            PartType::Html(page) => {
                draft.open_block()?;
                html::write(page, draft)?;
            }
            _ => {}
        }
    }
    Ok(())
}
