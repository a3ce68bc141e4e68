//! Messages saved by Outlook (MS-OXMSG): a compound file with a stream for each property.

use encoding_rs::{Encoding, UTF_16LE};

use super::email::{Head, write_attachments};
use super::{Confidence, Format, certain_if, html};
use crate::ExtractError;
use crate::compound::Streams;
use crate::decode::decode;
use crate::draft::Draft;
use crate::source::Source;

/// A message, an appointment or the like.
pub(super) const FORMAT: Format = Format {
    name: "msg",
    media_type: "application/vnd.ms-outlook",
    extensions: &["msg"],
    is_text: false,
    is_markdown: false,
    recognise,
    read,
};

const NAME: &str = "Outlook message";

/// Attachments that are named.
const MAX_ATTACHMENTS: usize = 100;

/// Properties (MS-OXPROPS), by the first half of their tag.
const SUBJECT: u16 = 0x0037;
const SENDER_NAME: u16 = 0x0C1A;
const SENDER_ADDRESS: u16 = 0x5D01;
const RECIPIENTS: u16 = 0x0E04;
const TRANSPORT_HEADERS: u16 = 0x007D;
const BODY: u16 = 0x1000;
const BODY_HTML: u16 = 0x1013;
const ATTACHMENT_NAME: u16 = 0x3707;

fn recognise(source: &Source) -> Confidence {
    let compound = source.compound();
    certain_if(compound.is_some_and(|compound| compound.has("__properties_version1.0")))
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let mut streams = Streams::open(source.bytes(), NAME)?;
    let mut property = |tag| text_of(&mut streams, "", tag).unwrap_or_default();
    let sender = [property(SENDER_NAME), property(SENDER_ADDRESS)];
    let head = Head {
        subject: property(SUBJECT),
        from: match sender {
            [name, address] if address.is_empty() || name == address => name,
            [name, address] => format!("{name} <{address}>"),
        },
        to: property(RECIPIENTS),
        date: date_in(&property(TRANSPORT_HEADERS)),
    };
    head.write(draft)?;
    write_body(&mut streams, draft)?;
    let names: Vec<String> = (0..MAX_ATTACHMENTS)
        .map_while(|n| {
            text_of(
                &mut streams,
                &format!("__attach_version1.0_#{n:08X}/"),
                ATTACHMENT_NAME,
            )
        })
        .collect();
    write_attachments(&names.iter().map(String::as_str).collect::<Vec<_>>(), draft)
}

fn write_body(streams: &mut Streams, draft: &mut Draft) -> Result<(), ExtractError> {
    if let Some(text) = text_of(streams, "", BODY).filter(|text| !text.trim().is_empty()) {
        return draft.paragraph(&text);
    }
    let page = streams.read(&format!("__substg1.0_{BODY_HTML:04X}0102"));
    let page = page.and_then(|bytes| decode(&bytes));
    html::write(&page.unwrap_or_default(), draft)
}

/// A property that is text: in UTF-16, or in whatever old encoding its writer used.
fn text_of(streams: &mut Streams, storage: &str, tag: u16) -> Option<String> {
    if let Some(bytes) = streams.read(&format!("{storage}__substg1.0_{tag:04X}001F")) {
        return Some(decode_as(UTF_16LE, &bytes));
    }
    let bytes = streams.read(&format!("{storage}__substg1.0_{tag:04X}001E"))?;
    decode(&bytes)
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The field `Date` of the head with which a message came.
fn date_in(headers: &str) -> String {
    let field = headers.lines().find_map(|line| line.strip_prefix("Date:"));
    field.unwrap_or_default().trim().to_owned()
}
