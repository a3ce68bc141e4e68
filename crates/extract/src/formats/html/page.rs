//! What the elements of a page do to its text.

use super::element::Element;
use super::lines::{Gap, Lines, Marker, Region, SegmentKind};
use crate::ExtractError;
use crate::canonical::is_removed;
use crate::draft::Draft;
use crate::joiners::{is_joiner, joins};

/// The page read so far, and the elements that are open. Tags are taken as they come: an end
/// without a start does no harm, and a start without an end only lasts longer.
#[derive(Default)]
pub(super) struct Page {
    lines: Lines,
    heading: Option<u8>,
    row: Row,
    list_depth: usize,
    pre_depth: usize,
    content_depth: usize,
    navigation_depth: usize,
    chrome_depth: usize,
}

/// The row of a table being read.
#[derive(Default)]
struct Row {
    cells: usize,
    has_text: bool,
}

impl Page {
    /// An element begins.
    pub(super) fn start(&mut self, element: Element) {
        match element {
            Element::Heading(level) => {
                self.heading = Some(level);
                self.turn();
            }
            Element::List => {
                self.block();
                self.list_depth += 1;
            }
            Element::Item => self.start_item(),
            Element::Row => self.turn_row(),
            Element::Cell => self.start_cell(),
            Element::Preformatted => {
                self.block();
                self.pre_depth += 1;
            }
            Element::Content => {
                self.content_depth += 1;
                // Content inside navigation means that the navigation was never closed.
                self.navigation_depth = 0;
                self.turn();
            }
            Element::Navigation => {
                self.navigation_depth += 1;
                self.turn();
            }
            Element::Chrome => {
                self.chrome_depth += 1;
                self.turn();
            }
            Element::Break if self.pre_depth > 0 => self.preformatted("\n"),
            _ => self.edge(element),
        }
    }

    /// An element ends.
    pub(super) fn end(&mut self, element: Element) {
        match element {
            Element::Heading(_) => self.close_heading(),
            Element::List => self.end_list(),
            Element::Item => self.lines.abandon(Gap::Line),
            Element::Row => self.turn_row(),
            Element::Table => {
                self.turn_row();
                self.block();
            }
            Element::Preformatted => {
                self.pre_depth = self.pre_depth.saturating_sub(1);
                self.block();
            }
            Element::Content => {
                self.content_depth = self.content_depth.saturating_sub(1);
                self.turn();
            }
            Element::Navigation => {
                self.navigation_depth = self.navigation_depth.saturating_sub(1);
                self.turn();
            }
            Element::Chrome => {
                self.chrome_depth = self.chrome_depth.saturating_sub(1);
                self.turn();
            }
            Element::Break | Element::Cell => {}
            _ => self.edge(element),
        }
    }

    /// Text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if self.pre_depth > 0 {
            return self.preformatted(text);
        }
        for (at, c) in text.char_indices() {
            let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
            let is_spelling = is_joiner(c) && joins(before, c, after.chars());
            if is_removed(c) && !is_spelling {
                continue;
            }
            if c.is_whitespace() {
                self.lines.space();
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// Writes the page into a draft.
    pub(super) fn write(&self, draft: &mut Draft) -> Result<(), ExtractError> {
        self.lines.write(draft)
    }

    /// The first newlines after the tag are not part of the text.
    fn preformatted(&mut self, text: &str) {
        let text = match self.lines.is_at_line_start() {
            true => text.trim_start_matches('\n'),
            false => text,
        };
        if !text.is_empty() {
            self.put(text);
        }
    }

    fn put(&mut self, text: &str) {
        self.row.has_text |= self.row.cells > 0;
        self.lines.put(text);
    }

    /// The edge of an element that only separates.
    fn edge(&mut self, element: Element) {
        match element {
            Element::Paragraph | Element::Table => self.block(),
            Element::Line | Element::Break if self.heading.is_some() => self.lines.space(),
            Element::Line | Element::Break => self.lines.owe(Gap::Line),
            _ => {}
        }
    }

    /// A paragraph begins or ends. Those of a list stay together.
    fn block(&mut self) {
        self.close_heading();
        self.lines.owe(match self.list_depth {
            0 => Gap::Paragraph,
            _ => Gap::Line,
        });
    }

    /// Only the outermost list is set off from what follows.
    fn end_list(&mut self) {
        self.list_depth = self.list_depth.saturating_sub(1);
        self.lines.abandon(match self.list_depth {
            0 => Gap::Paragraph,
            _ => Gap::Line,
        });
    }

    /// The first item of a list in a cell stands where the cell does.
    fn start_item(&mut self) {
        self.close_heading();
        self.lines.owe(Gap::Line);
        if !matches!(self.lines.marker(), Marker::Cells(1..)) {
            let indent = self.list_depth.saturating_sub(1);
            self.lines.mark(Marker::Item { indent });
        }
    }

    /// A row begins or ends. Rows stay together, whatever paragraphs their cells ended with.
    fn turn_row(&mut self) {
        if self.row.cells > 0 {
            self.lines.forgive();
        }
        self.lines.abandon(Gap::Line);
        self.row = Row::default();
    }

    /// The cells of a row share a line; what breaks lines inside one of them still does.
    fn start_cell(&mut self) {
        let before = match self.lines.marker() {
            _ if self.row.cells == 0 => 0,
            Marker::Cells(before) => before + 1,
            Marker::None | Marker::Item { .. } => 1,
        };
        if self.row.has_text {
            self.lines.forgive();
        } else {
            self.lines.owe(Gap::Line);
        }
        self.lines.mark(Marker::Cells(before));
        self.row.cells += 1;
    }

    fn close_heading(&mut self) {
        if self.heading.take().is_some() {
            self.turn();
        }
    }

    /// What follows is of another kind than what was written last.
    fn turn(&mut self) {
        let (heading, region) = (self.heading, self.region());
        self.lines.turn(SegmentKind { heading, region });
    }

    fn region(&self) -> Region {
        if self.navigation_depth > 0 {
            Region::Chrome
        } else if self.content_depth > 0 {
            Region::Content
        } else if self.chrome_depth > 0 {
            Region::Chrome
        } else {
            Region::Open
        }
    }
}
