//! Whether footnotes point at the very sentence that was copied, sentence by sentence.

use std::ops::Range;

use rag::{Citation, Kind, SearchResult, Support, Unsupported, sentences};

/// A sentence with fewer letters may stand anywhere.
const FEWEST_LETTERS: usize = 12;

/// The sentences of one answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    /// For each citation of a sentence that was copied from a passage: its quote holds it.
    pub(super) right: Vec<bool>,
    /// For each sentence that was copied: a citation holds it.
    pub(super) found: Vec<bool>,
    /// For each sentence: it has a citation, or is marked, or says that there is no answer.
    pub(super) accounted: Vec<bool>,
}

/// What was said of an answer.
#[derive(Default)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) passages: Vec<SearchResult>,
    pub(super) citations: Vec<Citation>,
    pub(super) unsupported: Vec<Unsupported>,
    pub(super) support: Option<Support>,
}

impl Spans {
    pub(super) fn of(said: &Said) -> Self {
        let mut spans = Self::default();
        let passages = said.passages.iter().map(|passage| bare(&passage.text));
        let passages = passages.collect::<Vec<_>>();
        let mut declining = said.support.map_or(0, |support| support.declining);
        for sentence in sentences(&said.text) {
            if !matches!(sentence.kind, Kind::Prose | Kind::Item) {
                continue;
            }
            let text = &said.text[sentence.span.clone()];
            let place = code_points(&said.text, &sentence.span);
            let cited = said.citations.iter();
            let cited = cited.filter(|citation| holds(&citation.sentence, &place));
            let cited = cited.collect::<Vec<_>>();
            let mut marked = said.unsupported.iter();
            let marked = marked.any(|unsupported| holds(&unsupported.sentence, &place));
            let declines = !marked && cited.is_empty() && declining > 0;
            declining -= usize::from(declines);
            let mut touched = said.citations.iter();
            let touched = touched.any(|citation| overlaps(&citation.sentence, &place));
            spans.accounted.push(touched || marked || declines);

            let letters = bare(text);
            let is_copied = passages.iter().any(|passage| passage.contains(&letters));
            if letters.chars().count() < FEWEST_LETTERS || !is_copied {
                continue;
            }
            let right = cited
                .iter()
                .map(|citation| bare(&citation.quote).contains(&letters));
            let right = right.collect::<Vec<_>>();
            spans.found.push(right.contains(&true));
            spans.right.extend(right);
        }
        spans
    }
}

/// One sentence of a source may look like several by itself.
fn holds(told: &Range<usize>, sentence: &Range<usize>) -> bool {
    told.start <= sentence.start && sentence.end <= told.end
}

/// Or several may look like one.
fn overlaps(told: &Range<usize>, sentence: &Range<usize>) -> bool {
    told.start < sentence.end && sentence.start < told.end
}

fn code_points(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].chars().count();
    start..start + text[span.clone()].chars().count()
}

/// Letters and digits only, in small letters.
fn bare(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
