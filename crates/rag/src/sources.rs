//! The passages an answer stands on, numbered, and how they appear to the outside.

use std::ops::Range;

use engine::PromptDocument;
use retrieval::{Hit, Passage};

use crate::neighbours::joined;
use crate::offsets::{code_point_span, code_points};

/// A footnote: this sentence of the answer stands on that span of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// The number of the passage, from 1, as in [`SearchResult`].
    pub n: usize,
    /// The file cited.
    pub file_id: String,
    /// Its name.
    pub filename: String,
    /// The document's title.
    pub title: String,
    /// The page on which the quote begins, from 1, when the document has pages.
    pub page: Option<u32>,
    /// The headings above, outermost first.
    pub heading: Option<String>,
    /// First code point of the quote in the document's text.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The document's text from `start` to `end`.
    pub quote: String,
    /// How much of the sentence its citations support together, 0 to 1.
    pub score: f32,
    /// What speaks for it.
    pub votes: Vec<Vote>,
    /// Code points of the sentence in the answer as sent, markers counted, its own left out.
    pub sentence: Range<usize>,
}

/// What speaks for a citation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// The source says it word for word.
    Verbatim,
    /// It has the words, rare ones counting more.
    Words,
    /// It has every number of the sentence.
    Numbers,
    /// It, or what stands above it, has every name of the sentence.
    Names,
    /// It means the same, by the embedder.
    Meaning,
    /// The model looked at it more than at any other sentence while it wrote.
    Attention,
}

/// A passage that the answer may stand on.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// Its number, from 1.
    pub n: usize,
    /// The file it is from.
    pub file_id: String,
    /// The file's name.
    pub filename: String,
    /// The document's title.
    pub title: String,
    /// The page on which the passage begins, from 1, when the document has pages.
    pub page: Option<u32>,
    /// The headings above, outermost first.
    pub heading: Option<String>,
    /// First code point in the document's text.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The document's text from `start` to `end`.
    pub text: String,
    /// How well it matches the question, 0 to 1.
    pub score: f32,
}

/// The passages of one answer; the first has number 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

/// A passage, or the part of it that was used.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) passage: Passage,
    pub(crate) score: f32,
    /// What it is worth by its meaning, of a sentence whose meaning was looked at.
    pub(crate) meaning: Option<f32>,
}

impl Sources {
    /// Takes one more; its number is returned.
    pub(crate) fn push(&mut self, source: Source) -> usize {
        self.0.push(source);
        self.0.len()
    }

    /// Gives the last one back.
    pub(crate) fn pop(&mut self) -> Option<Source> {
        self.0.pop()
    }

    /// With those joined that follow one another in a document.
    pub(crate) fn joined(self) -> Self {
        Self(joined(self.0))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each is worth by its meaning; none when that was not looked at.
    pub(crate) fn nearness(&self) -> Vec<f32> {
        let known = self.0.iter().filter_map(|source| source.meaning);
        let least = known.reduce(f32::min);
        let near = |least| self.0.iter().map(|s| s.meaning.unwrap_or(least)).collect();
        least.map(near).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The sources with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Source)> {
        (1..).zip(&self.0)
    }

    /// Their texts, the first ones first, as many as have `most` bytes together.
    pub(crate) fn texts_within(&self, most: usize) -> Vec<String> {
        let mut left = most;
        let texts = self.0.iter().map(|source| &source.passage.text);
        let fitting = texts.take_while(|text| match left.checked_sub(text.len()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        fitting.cloned().collect()
    }

    /// All of them, for the outside.
    pub(crate) fn results(&self) -> Vec<SearchResult> {
        self.numbered()
            .map(|(n, source)| source.result(n))
            .collect()
    }

    /// The source with number `n`.
    ///
    /// # Panics
    ///
    /// When there is none: numbers come from [`push`](Self::push).
    pub(crate) fn numbered_as(&self, n: usize) -> &Source {
        &self.0[n - 1]
    }
}

impl FromIterator<Source> for Sources {
    fn from_iter<T: IntoIterator<Item = Source>>(sources: T) -> Self {
        Self(sources.into_iter().collect())
    }
}

impl From<&Hit> for Source {
    fn from(hit: &Hit) -> Self {
        Self {
            passage: hit.passage.clone(),
            score: hit.score,
            meaning: None,
        }
    }
}

impl Source {
    /// Cites the bytes `span` of this source for the code points `sentence` of the answer.
    pub(crate) fn citation(
        &self,
        n: usize,
        span: &Range<usize>,
        score: f32,
        sentence: Range<usize>,
    ) -> Citation {
        let passage = &self.passage;
        let code_points = code_point_span(&passage.text, span, passage.start_char);
        Citation {
            n,
            file_id: passage.file_id.clone(),
            filename: passage.filename.clone(),
            title: passage.title.clone(),
            page: passage.page_at(passage.start + span.start),
            heading: passage.heading.clone(),
            start: code_points.start,
            end: code_points.end,
            quote: passage.text[span.clone()].to_owned(),
            score,
            votes: Vec::new(),
            sentence,
        }
    }

    /// What stands above the text: title and headings, without saying the title twice.
    pub(crate) fn title(&self) -> String {
        let passage = &self.passage;
        let title = if passage.title.is_empty() {
            &passage.filename
        } else {
            &passage.title
        };
        match &passage.heading {
            Some(heading) if heading.starts_with(title.as_str()) => heading.clone(),
            Some(heading) if !heading.is_empty() => format!("{title} > {heading}"),
            _ => title.clone(),
        }
    }

    /// Everything that says what the text is about.
    pub(crate) fn above(&self) -> String {
        format!("{}\n{}", self.title(), self.passage.filename)
    }

    /// This source as chat templates take it.
    pub(crate) fn document(&self) -> PromptDocument {
        PromptDocument {
            title: self.title(),
            text: self.passage.text.clone(),
        }
    }

    /// This source in a few words, for the ledger.
    pub(crate) fn describe(&self) -> String {
        let Passage {
            filename,
            start_char,
            text,
            ..
        } = &self.passage;
        let end = start_char + code_points(text);
        format!("passage {start_char}..{end} of {filename}")
    }

    /// Only the bytes `span` of this source.
    pub(crate) fn narrowed_to(&self, span: &Range<usize>) -> Source {
        let passage = &self.passage;
        let code_points = code_point_span(&passage.text, span, passage.start_char);
        let start = passage.start + span.start;
        let behind = passage.page_breaks.partition_point(|at| *at <= start);
        let to_its_end = span.end == passage.text.len();
        let gap = if to_its_end { passage.gap.as_str() } else { "" };
        Source {
            passage: Passage {
                page: passage.page_at(start),
                page_breaks: passage.page_breaks[behind..].to_vec(),
                start,
                end: passage.start + span.end,
                start_char: code_points.start,
                gap: gap.to_owned(),
                text: passage.text[span.clone()].to_owned(),
                ..passage.clone()
            },
            score: self.score,
            meaning: self.meaning,
        }
    }

    fn result(&self, n: usize) -> SearchResult {
        let passage = &self.passage;
        let code_points =
            code_point_span(&passage.text, &(0..passage.text.len()), passage.start_char);
        SearchResult {
            n,
            file_id: passage.file_id.clone(),
            filename: passage.filename.clone(),
            title: passage.title.clone(),
            page: passage.page,
            heading: passage.heading.clone(),
            start: code_points.start,
            end: code_points.end,
            text: passage.text.clone(),
            score: self.score,
        }
    }
}
