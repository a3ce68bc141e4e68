//! The headings of a document: its sections, and which headings hold for a span.

use std::ops::Range;

use crate::passage::Heading;

/// Stands between headings.
pub(super) const SEPARATOR: &str = " > ";

/// Headings and titles travel with every passage, so one monstrous line must not multiply.
const MAX_TITLE_BYTES: usize = 240;
const MAX_DEPTH: usize = 8;

/// The headings of one text, checked and with their parents found.
pub(super) struct Outline<'a> {
    text: &'a str,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    heading: &'a Heading,
    /// One past the heading's own lines.
    end: usize,
    parent: Option<usize>,
}

impl<'a> Outline<'a> {
    /// Headings that are out of order or not at a character of `text` are ignored.
    pub(super) fn new(text: &'a str, headings: &'a [Heading]) -> Self {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(headings.len());
        let mut open: Vec<usize> = Vec::new();
        for heading in headings {
            let in_order = entries
                .last()
                .is_none_or(|last| last.heading.start < heading.start);
            if !in_order || heading.start >= text.len() || !text.is_char_boundary(heading.start) {
                continue;
            }
            while open
                .last()
                .is_some_and(|at| entries[*at].heading.level >= heading.level)
            {
                open.pop();
            }
            let entry = Entry {
                heading,
                end: heading_end(text, heading.start),
                parent: open.last().copied(),
            };
            open.push(entries.len());
            entries.push(entry);
        }
        Outline { text, entries }
    }

    /// The text cut at every heading; nothing is left out.
    pub(super) fn sections(&self) -> Vec<Range<usize>> {
        let starts = self.entries.iter().map(|entry| entry.heading.start);
        let mut cuts: Vec<usize> = std::iter::once(0).chain(starts).collect();
        cuts.push(self.text.len());
        cuts.dedup();
        cuts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    /// Level of the heading that governs `offset`; 0 before the first.
    pub(super) fn level_at(&self, offset: usize) -> u8 {
        self.governing(offset)
            .map_or(0, |at| self.entries[at].heading.level)
    }

    /// Where the first words stand that belong to no heading.
    pub(super) fn body_start(&self, span: &Range<usize>) -> Option<usize> {
        let mut at = span.start;
        loop {
            let rest = &self.text[at..span.end];
            at += rest.len() - rest.trim_start().len();
            if at >= span.end {
                return None;
            }
            match self.governing(at) {
                Some(entry) if at < self.entries[entry].end => {
                    at = self.entries[entry].end.min(span.end);
                }
                _ => return Some(at),
            }
        }
    }

    /// The headings that hold for everything in `span`, outermost first.
    pub(super) fn path(&self, span: &Range<usize>) -> Option<String> {
        let body = self.body_start(span).unwrap_or(span.start);
        let mut shared = self.chain(self.governing(body));
        let first_after = self
            .entries
            .partition_point(|entry| entry.heading.start <= body);
        for at in first_after..self.entries.len() {
            let section = self.section_within(at, span);
            if section.is_empty() {
                break;
            }
            if self.body_start(&section).is_some() {
                let chain = self.chain(Some(at));
                let common = shared
                    .iter()
                    .zip(&chain)
                    .take_while(|(a, b)| a == b)
                    .count();
                shared.truncate(common);
            }
        }
        let titles: Vec<&str> = shared
            .iter()
            .take(MAX_DEPTH)
            .map(|at| shorten(self.entries[*at].heading.title.trim()))
            .filter(|title| !title.is_empty())
            .collect();
        (!titles.is_empty()).then(|| titles.join(SEPARATOR))
    }

    fn section_within(&self, at: usize, span: &Range<usize>) -> Range<usize> {
        let next = self.entries.get(at + 1);
        let end = next.map_or(self.text.len(), |entry| entry.heading.start);
        let start = self.entries[at].heading.start.min(span.end);
        start..end.min(span.end)
    }

    /// The last heading at or before `offset`.
    fn governing(&self, offset: usize) -> Option<usize> {
        let after = self
            .entries
            .partition_point(|entry| entry.heading.start <= offset);
        after.checked_sub(1)
    }

    /// A heading and its ancestors, outermost first.
    fn chain(&self, at: Option<usize>) -> Vec<usize> {
        let parents = std::iter::successors(at, |at| self.entries[*at].parent);
        let mut chain: Vec<usize> = parents.collect();
        chain.reverse();
        chain
    }
}

/// At most [`MAX_TITLE_BYTES`] of a title.
pub(super) fn shorten(title: &str) -> &str {
    &title[..title.floor_char_boundary(MAX_TITLE_BYTES)]
}

/// One past the heading's line, and past the line of `=` or `-` that may underline it.
fn heading_end(text: &str, start: usize) -> usize {
    let line_end = |from: usize| {
        text[from..]
            .find('\n')
            .map_or(text.len(), |at| from + at + 1)
    };
    let end = line_end(start);
    let next_end = line_end(end);
    let underline = text[end..next_end].trim();
    let underlined = !underline.is_empty()
        && (underline.bytes().all(|byte| byte == b'=')
            || underline.bytes().all(|byte| byte == b'-'));
    if underlined { next_end } else { end }
}
