//! A document to passages: sections first, then `text-splitter` inside a section that is too large.
//!
//! Cutting at headings ourselves keeps two promises that a general splitter does not give: the end
//! of one section is not glued to the beginning of the next, and the splitter, whose time grows
//! with the square of its input, never sees more than [`MAX_BLOCK_BYTES`].

mod meter;
mod outline;
mod tables;

use std::ops::Range;

use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use crate::passage::{Passage, PassageSettings, SourceDocument};
use meter::{Exact, TokenMeter};
use outline::{Outline, SEPARATOR, shorten};
use tables::Tables;

const MAX_BLOCK_BYTES: usize = 32 * 1024;

/// Cuts `document` into passages in the order of the text.
///
/// Every passage is an exact span of the text, trimmed, at most `max_tokens` long by the given
/// counter, and carries the headings that hold for the whole of it; one that begins among the rows
/// of a table also carries the names of its columns. A passage that would hold
/// nothing but headings is joined to the next one, or left out when it does not fit there: its
/// words are in the next passage's heading path.
pub fn split(document: &SourceDocument<'_>, settings: &PassageSettings<'_>) -> Vec<Passage> {
    let outline = Outline::new(document.text, document.headings);
    let cutter = Cutter {
        text: document.text,
        markdown: document.markdown,
        outline: &outline,
        meter: TokenMeter::new(document.text, settings.count_tokens),
        exact: Exact(settings.count_tokens),
        max_tokens: settings.max_tokens.max(1),
        overlap_tokens: settings.overlap_tokens.min(settings.max_tokens / 2),
    };
    let spans = cutter.spans();
    describe(document, &outline, &spans)
}

struct Cutter<'a> {
    text: &'a str,
    markdown: bool,
    outline: &'a Outline<'a>,
    meter: TokenMeter<'a>,
    exact: Exact<'a>,
    max_tokens: usize,
    overlap_tokens: usize,
}

impl Cutter<'_> {
    fn spans(&self) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        for block in self.blocks() {
            for piece in self.bounded(block) {
                spans.extend(self.cut(piece));
            }
        }
        self.join_bare_headings(spans)
    }

    /// Sections, small ones joined to the section after them.
    fn blocks(&self) -> Vec<Range<usize>> {
        let mut blocks: Vec<Range<usize>> = Vec::new();
        let mut bare = false;
        for section in self.outline.sections() {
            let section_is_bare = self.outline.body_start(&section).is_none();
            match blocks.last_mut() {
                Some(block) if bare || self.absorbs(block, &section) => block.end = section.end,
                _ => blocks.push(section),
            }
            bare = section_is_bare;
        }
        blocks
    }

    /// A quarter of the budget is where a section stops being worth a passage of its own. It never
    /// reaches over a heading above its own level: that would be another chapter.
    fn absorbs(&self, block: &Range<usize>, section: &Range<usize>) -> bool {
        let joined = block.start..section.end;
        self.outline.level_at(section.start) >= self.outline.level_at(block.start)
            && self.meter.size(&self.text[block.clone()]) < self.max_tokens / 4
            && self.meter.size(&self.text[joined]) <= self.max_tokens
    }

    /// Cuts a block at line ends, or anywhere at need, so that no piece is over the size limit.
    fn bounded(&self, block: Range<usize>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = block.start;
        while block.end - start > MAX_BLOCK_BYTES {
            let limit = self.text.floor_char_boundary(start + MAX_BLOCK_BYTES);
            let window = &self.text[start..limit];
            let cut = window
                .rfind("\n\n")
                .or_else(|| window.rfind('\n'))
                .or_else(|| window.rfind(' '));
            let end = cut.map_or(limit, |at| start + at + 1);
            pieces.push(start..end);
            start = end;
        }
        pieces.push(start..block.end);
        pieces
    }

    fn cut(&self, piece: Range<usize>) -> Vec<Range<usize>> {
        let whole = self.trimmed(piece.clone());
        if whole.is_empty() {
            return Vec::new();
        }
        if self.fits(&whole) {
            return vec![whole];
        }
        let spans = self.cut_by(&self.meter, &piece);
        if spans.iter().all(|span| self.fits(span)) {
            return spans;
        }
        // The counter is not the sum of its words: measure every candidate as it stands.
        self.cut_by(&self.exact, &piece)
    }

    fn cut_by<S: ChunkSizer>(&self, sizer: &S, piece: &Range<usize>) -> Vec<Range<usize>> {
        let config = ChunkConfig::new(self.max_tokens)
            .with_sizer(sizer)
            .with_overlap(self.overlap_tokens)
            .expect("the overlap is below the budget, as `split` saw to");
        let text = &self.text[piece.clone()];
        let spans: Vec<(usize, usize)> = if self.markdown {
            let splitter = MarkdownSplitter::new(config);
            let chunks = splitter.chunk_indices(text);
            chunks.map(|(at, chunk)| (at, at + chunk.len())).collect()
        } else {
            let splitter = TextSplitter::new(config);
            let chunks = splitter.chunk_indices(text);
            chunks.map(|(at, chunk)| (at, at + chunk.len())).collect()
        };
        spans
            .into_iter()
            .map(|(start, end)| self.trimmed(piece.start + start..piece.start + end))
            .filter(|span| !span.is_empty())
            .collect()
    }

    fn join_bare_headings(&self, spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let mut joined: Vec<Range<usize>> = Vec::new();
        let mut bare: Option<Range<usize>> = None;
        for span in spans {
            if self.outline.body_start(&span).is_none() {
                bare = Some(bare.map_or(span.clone(), |first| first.start..span.end));
                continue;
            }
            let with_headings = bare.take().map(|first| first.start..span.end);
            joined.push(
                with_headings
                    .filter(|whole| self.fits(whole))
                    .unwrap_or(span),
            );
        }
        if joined.is_empty() {
            joined.extend(bare);
        }
        joined
    }

    fn fits(&self, span: &Range<usize>) -> bool {
        self.exact.size(&self.text[span.clone()]) <= self.max_tokens
    }

    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let text = &self.text[span.clone()];
        let start = span.start + (text.len() - text.trim_start().len());
        start..start + text.trim().len()
    }
}

fn describe(
    document: &SourceDocument<'_>,
    outline: &Outline<'_>,
    spans: &[Range<usize>],
) -> Vec<Passage> {
    let tables = Tables::new(if document.markdown { document.text } else { "" });
    let mut counted = 0..0;
    let mut start_char = 0;
    let mut passages = Vec::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        // Spans may overlap but never begin before the one before them.
        counted = counted.end..span.start;
        start_char += document.text[counted.clone()].chars().count();
        passages.push(Passage {
            file_id: document.file_id.to_owned(),
            filename: document.filename.to_owned(),
            title: shorten(document.title).to_owned(),
            page: page_of(document.pages, span.start),
            page_breaks: page_breaks(document.pages, span),
            heading: under(outline.path(span), tables.columns_at(span.start)),
            start: span.start,
            end: span.end,
            start_char,
            gap: gap(document.text, span, spans.get(at + 1)).to_owned(),
            text: document.text[span.clone()].to_owned(),
        });
    }
    passages
}

/// The white space between two spans, if there is nothing else.
fn gap<'a>(text: &'a str, span: &Range<usize>, next: Option<&Range<usize>>) -> &'a str {
    let between = next.and_then(|next| text.get(span.end..next.start));
    let blank = between.filter(|between| between.trim().is_empty());
    blank.unwrap_or_default()
}

/// The headings, and below them the columns of the table that a passage goes on with.
fn under(headings: Option<String>, columns: Option<String>) -> Option<String> {
    match (headings, columns) {
        (Some(headings), Some(columns)) => Some(format!("{headings}{SEPARATOR}{columns}")),
        (headings, columns) => headings.or(columns),
    }
}

fn page_of(pages: &[Range<usize>], offset: usize) -> Option<u32> {
    let following = pages.partition_point(|page| page.start <= offset);
    u32::try_from(following).ok().filter(|page| *page > 0)
}

/// Where pages begin behind the start of `span`.
fn page_breaks(pages: &[Range<usize>], span: &Range<usize>) -> Vec<usize> {
    let first = pages.partition_point(|page| page.start <= span.start);
    let begun = pages[first..].iter().map(|page| page.start);
    begun.take_while(|start| *start < span.end).collect()
}
