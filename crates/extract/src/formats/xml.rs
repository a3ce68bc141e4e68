//! XML as a flat stream of tags and text, without a tree and without a DTD: an entity that is
//! not one of XML's own five, or a character's number, is nothing.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::ExtractError;
use crate::decode::decode;

/// A piece of XML. Names are without their namespace's prefix.
pub(super) enum Part<'a> {
    /// An element begins.
    Start(Tag<'a>),
    /// An element of this name ends.
    End(&'a str),
    /// Text, with references resolved.
    Text(&'a str),
}

/// A start tag.
pub(super) struct Tag<'a>(&'a BytesStart<'a>);

impl Tag<'_> {
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The value of an attribute, whatever its prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes().flatten();
        let attribute =
            attributes.find(|attribute| attribute.key.local_name().into_inner() == name)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }
}

/// Hands every piece to `handle`, in order; an empty element begins and ends.
pub(super) fn walk(
    bytes: &[u8],
    format: &'static str,
    mut handle: impl FnMut(Part) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let text =
        decode(bytes).ok_or_else(|| ExtractError::malformed(format, "a part is not text"))?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    loop {
        let event = reader.read_event();
        match event.map_err(|error| ExtractError::malformed(format, error))? {
            Event::Start(tag) => handle(Part::Start(Tag(&tag)))?,
            Event::End(tag) => handle(Part::End(tag.local_name().into_inner()))?,
            Event::Empty(tag) => {
                handle(Part::Start(Tag(&tag)))?;
                handle(Part::End(tag.local_name().into_inner()))?;
            }
            Event::Text(text) => handle(Part::Text(&text.xml10_content()))?,
            Event::CData(text) => handle(Part::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => {
                if let Some(c) = resolve(&reference) {
                    handle(Part::Text(c.encode_utf8(&mut [0; 4])))?;
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => return Ok(()),
        }
    }
}

fn resolve(reference: &BytesRef) -> Option<char> {
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}
