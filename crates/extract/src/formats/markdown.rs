//! Markdown: the source itself is the text; its headings and title are found in it.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Format, by_name_only};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// CommonMark with tables and heading attributes. Only the name tells it from plain text: a `#`
/// at the start of a line is as common in scripts and settings.
pub(super) const FORMAT: Format = Format {
    name: "markdown",
    media_type: "text/markdown",
    extensions: &["md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"],
    is_text: true,
    is_markdown: true,
    recognise: by_name_only,
    read,
};

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let text = source.text()?;
    draft.push(text)?;
    let front_matter = front_matter(text);
    if let Some(title) = title_in(&text[front_matter.clone()]) {
        draft.set_title(title);
    }
    note_headings(text, front_matter.end, draft);
    Ok(())
}

/// The block of settings between two lines `---` (YAML) or `+++` (TOML) at the very start, with
/// these lines; empty when there is none.
fn front_matter(text: &str) -> Range<usize> {
    let Some(fence) = ["---", "+++"]
        .into_iter()
        .find(|fence| text.starts_with(fence))
    else {
        return 0..0;
    };
    let mut end = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        end += line.len();
        let is_fence = line.trim_end() == fence;
        if number == 0 && !is_fence {
            return 0..0;
        }
        if number > 0 && is_fence {
            return 0..end;
        }
    }
    0..0
}

/// The value of the top-level key `title`, without its quotes.
fn title_in(front_matter: &str) -> Option<&str> {
    let value = front_matter.lines().find_map(|line| {
        let rest = line.strip_prefix("title")?.trim_start();
        rest.strip_prefix(':').or_else(|| rest.strip_prefix('='))
    })?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// Notes the headings of the text from `start` on. Those inside quotations and lists are part
/// of what is quoted or listed and open no section of the document.
fn note_headings(text: &str, start: usize, draft: &mut Draft) {
    let options = Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_TABLES;
    let mut containers = 0usize;
    let mut open: Option<(u8, usize, String)> = None;
    for (event, range) in Parser::new_ext(&text[start..], options).into_offset_iter() {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => containers += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => containers -= 1,
            Event::Start(Tag::Heading { level, .. }) if containers == 0 => {
                let line = line_start(text, start + range.start);
                open = Some((rank(level), line, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, line, title)) = open.take() {
                    draft.note_heading(level, line, &title);
                }
            }
            event => {
                if let Some((_, _, title)) = &mut open {
                    add_words(title, &event);
                }
            }
        }
    }
}

/// Adds what a reader sees of an inline event; markup and HTML tags add nothing.
fn add_words(title: &mut String, event: &Event) {
    match event {
        Event::Text(words) | Event::Code(words) => title.push_str(words),
        Event::SoftBreak | Event::HardBreak => title.push(' '),
        _ => {}
    }
}

/// Where the line of an offset starts. A line holds at most one heading, so that all calls
/// together pass over the text once.
fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

fn rank(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
