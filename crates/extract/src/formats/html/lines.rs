//! The text of a page as lines: what stands between two pieces of text, and before one.

use crate::ExtractError;
use crate::canonical::canonical;
use crate::draft::Draft;

/// Levels of nested lists that are shown by indentation.
const MAX_INDENT: usize = 6;

/// The lines written so far. Gaps and markers are owed until text follows them, so that empty
/// elements leave nothing behind.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    segments: Vec<Segment>,
    gap: Gap,
    marker: Marker,
    /// The kind of what follows, when it is not the kind of what was written last.
    turned_to: Option<SegmentKind>,
}

/// A run of lines that is kept or left out as one; a heading is a segment of its own.
struct Segment {
    start: usize,
    kind: SegmentKind,
}

/// What a segment is.
#[derive(Clone, Copy, Default)]
pub(super) struct SegmentKind {
    /// The level, if it is a heading.
    pub(super) heading: Option<u8>,
    /// Where on the page it stands.
    pub(super) region: Region,
}

/// A part of a page.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Region {
    /// Not marked as anything.
    #[default]
    Open,
    /// In `main` or `article`.
    Content,
    /// In `nav`, or in a `footer` or `aside` outside of the content.
    Chrome,
}

/// White space before the next text, from none to most.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// None.
    #[default]
    None,
    /// A space.
    Space,
    /// A line break.
    Line,
    /// A blank line.
    Paragraph,
}

/// What stands between the gap and the next text.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Marker {
    /// Nothing.
    #[default]
    None,
    /// The dash of a list item.
    Item {
        /// How many lists its list is in.
        indent: usize,
    },
    /// The start of a cell, after so many others of its row that have no bar yet.
    Cells(usize),
}

impl Lines {
    /// Appends text after all that is owed.
    pub(super) fn put(&mut self, text: &str) {
        let is_settled = self.gap == Gap::None && self.marker == Marker::None;
        if !is_settled || self.text.is_empty() {
            self.settle();
        }
        self.text.push_str(text);
    }

    /// Owes a space; between a marker and its text there is one already.
    pub(super) fn space(&mut self) {
        self.owe(Gap::Space);
    }

    /// Owes at least this gap, unless a marker already stands at the start of its line or cell.
    pub(super) fn owe(&mut self, gap: Gap) {
        if self.marker == Marker::None {
            self.gap = self.gap.max(gap);
        }
    }

    /// Takes back the gap that is owed, unless a new segment needs it.
    pub(super) fn forgive(&mut self) {
        if self.turned_to.is_none() {
            self.gap = Gap::None;
        }
    }

    /// Owes a marker in place of the one owed before.
    pub(super) fn mark(&mut self, marker: Marker) {
        self.marker = marker;
    }

    /// The marker that is owed.
    pub(super) fn marker(&self) -> Marker {
        self.marker
    }

    /// Gives up the marker, whose element stayed empty, and owes a gap.
    pub(super) fn abandon(&mut self, gap: Gap) {
        self.marker = Marker::None;
        self.owe(gap);
    }

    /// What follows is a new segment.
    pub(super) fn turn(&mut self, kind: SegmentKind) {
        self.abandon(Gap::Paragraph);
        self.turned_to = Some(kind);
    }

    /// Whether the next text begins a line.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.gap >= Gap::Line || self.text.is_empty()
    }

    /// Writes the lines into a draft. Where the page marks its content, the chrome around it is
    /// left out.
    pub(super) fn write(&self, draft: &mut Draft) -> Result<(), ExtractError> {
        let mut regions = self.segments.iter().map(|segment| segment.kind.region);
        let has_content = regions.any(|region| region == Region::Content);
        let starts = self.segments.iter().map(|segment| segment.start);
        let ends = starts.skip(1).chain([self.text.len()]);
        for (segment, end) in self.segments.iter().zip(ends) {
            if has_content && segment.kind.region == Region::Chrome {
                continue;
            }
            let text = canonical(self.text[segment.start..end].trim_end());
            draft.open_block()?;
            let start = draft.len();
            draft.push(&text)?;
            if let Some(level) = segment.kind.heading {
                draft.note_heading(level, start, &text);
            }
        }
        Ok(())
    }

    fn settle(&mut self) {
        self.write_gap();
        let turned_to = self.turned_to.take();
        if turned_to.is_some() || self.segments.is_empty() {
            let start = self.text.len();
            let kind = turned_to.unwrap_or_default();
            self.segments.push(Segment { start, kind });
        }
        self.write_marker();
    }

    fn write_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if gap >= Gap::Line {
            let segment_start = self.segments.last().map_or(0, |segment| segment.start);
            let trimmed = self.text[segment_start..].trim_end().len();
            self.text.truncate(segment_start + trimmed);
        }
        self.text.push_str(match gap {
            _ if self.text.is_empty() => "",
            Gap::None => "",
            Gap::Space => " ",
            Gap::Line => "\n",
            Gap::Paragraph => "\n\n",
        });
    }

    fn write_marker(&mut self) {
        match std::mem::take(&mut self.marker) {
            Marker::None | Marker::Cells(0) => {}
            Marker::Item { indent } => {
                self.text.push_str(&"  ".repeat(indent.min(MAX_INDENT)));
                self.text.push_str("- ");
            }
            Marker::Cells(before) => {
                let is_line_start = self.text.is_empty() || self.text.ends_with('\n');
                self.text.push_str(if is_line_start { "|" } else { " |" });
                self.text.push_str(&" |".repeat(before - 1));
                self.text.push(' ');
            }
        }
    }
}
