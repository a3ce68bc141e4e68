//! HTML: what a reader of the page sees, as paragraphs, lists, table rows and headings.
//!
//! The page is walked as a flat stream of tags, without a tree: trees of hostile pages nest a
//! hundred thousand deep and cost quadratic time. What that loses (repairing wrong nesting)
//! does not matter for text.

mod element;
mod lines;
mod page;

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use self::element::Element;
use self::page::Page;
use super::{Confidence, Format};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// HTML of any version, and XHTML.
pub(super) const FORMAT: Format = Format {
    name: "html",
    media_type: "text/html",
    extensions: &["html", "htm", "xhtml"],
    is_text: true,
    is_markdown: false,
    recognise,
    read,
};

/// Tags with which a fragment of a page begins.
const OPENINGS: &[&str] = &[
    "<head", "<body", "<p>", "<div", "<h1", "<table", "<meta", "<title",
];

fn recognise(source: &Source) -> Confidence {
    let text = skip_prolog(source.text().unwrap_or_default());
    let begins_with = |tag: &&str| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    if ["<!doctype html", "<html"].iter().any(begins_with) {
        Confidence::Certain
    } else if OPENINGS.iter().any(begins_with) {
        Confidence::Likely
    } else {
        Confidence::None
    }
}

/// The text after white space, comments and an XML declaration.
fn skip_prolog(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?xml") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => return rest,
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return rest,
        }
    }
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    write(source.text()?, draft)
}

/// Writes what can be seen of a page, and takes over its title.
pub(super) fn write(page: &str, draft: &mut Draft) -> Result<(), ExtractError> {
    let mut walker = Walker::default();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        walker.handle(event);
        None::<Infallible>
    });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(page, emitter).finish();
    if let Some(title) = walker.title {
        draft.set_title(&title);
    }
    walker.page.write(draft)
}

/// Follows the tags and hands the page what can be seen.
#[derive(Default)]
struct Walker {
    page: Page,
    title: Option<String>,
    in_title: bool,
    tag: StartTag,
    skipped: Option<Skipped>,
}

/// The start tag being read.
#[derive(Default)]
struct StartTag {
    name: Vec<u8>,
    attribute: Vec<u8>,
    is_hidden: bool,
}

/// An element being left out: it ends where as many of its name have ended as have begun.
struct Skipped {
    name: Vec<u8>,
    depth: usize,
}

impl Walker {
    fn handle(&mut self, event: CallbackEvent) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.tag.open(name),
            CallbackEvent::AttributeName { name } => self.tag.attribute(name),
            CallbackEvent::AttributeValue { value } => self.tag.value(value),
            CallbackEvent::CloseStartTag { self_closing } => self.start(self_closing),
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.text(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { .. }
            | CallbackEvent::Doctype { .. }
            | CallbackEvent::Error(_) => {}
        }
    }

    fn start(&mut self, self_closing: bool) {
        let name = &self.tag.name;
        if let Some(skipped) = &mut self.skipped {
            skipped.depth += usize::from(skipped.name == *name && !self_closing);
            return;
        }
        let element = Element::named(name);
        let is_left_out =
            element == Element::Skipped || (self.tag.is_hidden && element::has_end_tag(name));
        if is_left_out && !self_closing {
            self.skipped = Some(Skipped {
                name: name.clone(),
                depth: 1,
            });
        } else if element == Element::Title {
            self.in_title = true;
        } else if !is_left_out {
            self.page.start(element);
        }
    }

    fn end(&mut self, name: &[u8]) {
        self.in_title = false;
        match &mut self.skipped {
            Some(skipped) if skipped.name == name => {
                skipped.depth -= 1;
                if skipped.depth == 0 {
                    self.skipped = None;
                }
            }
            Some(_) => {}
            None => self.page.end(Element::named(name)),
        }
    }

    fn text(&mut self, text: &str) {
        if self.skipped.is_some() {
            return;
        }
        if self.in_title {
            self.title.get_or_insert_with(|| text.to_owned());
        } else {
            self.page.text(text);
        }
    }
}

impl StartTag {
    fn open(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.extend_from_slice(name);
        self.attribute.clear();
        self.is_hidden = false;
    }

    /// What a browser does not show, a reader could not check: it must not become evidence.
    fn attribute(&mut self, name: &[u8]) {
        self.attribute.clear();
        self.attribute.extend_from_slice(name);
        self.is_hidden |= name == b"hidden";
    }

    fn value(&mut self, value: &[u8]) {
        if self.attribute != b"style" {
            return;
        }
        let style = String::from_utf8_lossy(value).to_ascii_lowercase();
        let style: String = style.split_whitespace().collect();
        self.is_hidden |= style.contains("display:none") || style.contains("visibility:hidden");
    }
}
