//! Answering without a model, in the words of the sources. The baseline that every model is
//! measured against.

use std::collections::BTreeSet;

use engine::ModelInfo;

use crate::answer::{Answer, AnsweredBy};
use crate::evidence::Evidence;
use crate::lexicon::Vocabulary;
use crate::markers::marker;
use crate::offsets::code_points;
use crate::piece::Piece;
use crate::question::CitationStyle;
use crate::rank::{Ranked, ranked};
use crate::search::Found;
use crate::settings::Settings;
use crate::sources::{Source, Sources, Vote};
use crate::support::Support;

/// A further sentence is quoted when it is worth this part of the best one.
const WORTH_QUOTING: f32 = 0.75;
/// What a source says word for word it supports entirely.
const VERBATIM: f32 = 1.0;
/// Two sentences say the same when this part of the shorter one's words is in the other.
const SAME: f32 = 0.8;

/// The sentences that answer a question, with their citations.
pub(crate) struct Quotes {
    sources: Sources,
    /// Each sentence, in the order of the answer.
    pieces: Vec<Piece>,
    /// What stands behind them.
    disclaimer: Option<String>,
}

/// Quotes the sentences of the hits that answer the question best: the best passage first,
/// and within a passage in its own order.
pub(crate) fn quote(found: &Found, style: CitationStyle, settings: &Settings) -> Quotes {
    let sources: Sources = found.hits.iter().map(Source::from).collect();
    let sources = sources.joined();
    let chosen = choose(ranked(found, &sources), &sources, settings.quote_sentences);
    let chosen = in_reading_order(chosen);
    let pieces = write(&chosen, &sources, style);
    Quotes {
        sources,
        pieces,
        disclaimer: None,
    }
}

impl Quotes {
    /// The same, with a last sentence behind it.
    pub(crate) fn ending_in(mut self, disclaimer: Option<String>) -> Self {
        self.disclaimer = disclaimer;
        self
    }

    /// The answer, offered as often as there are choices; `model` was not asked, so its usage is
    /// zero.
    pub(crate) fn answer(
        mut self,
        evidence: Evidence,
        choices: usize,
        model: &ModelInfo,
    ) -> Answer {
        let search_results = self.sources.results();
        let support = Support {
            sentences: self.pieces.len(),
            supported: self.pieces.len(),
            ..Support::default()
        };
        self.pieces.extend(self.disclaimer.map(Piece::disclaimer));
        Answer::ready(
            AnsweredBy::Quotes,
            &self.pieces,
            Some(support),
            choices,
            model,
        )
        .with_search(Some(evidence), search_results)
    }
}

/// The best, and those nearly as good that say something else in the same language.
fn choose(ranked: Vec<Ranked>, sources: &Sources, most: usize) -> Vec<Ranked> {
    let mut chosen: Vec<Ranked> = Vec::new();
    for sentence in ranked {
        let Some(best) = chosen.first() else {
            chosen.push(sentence);
            continue;
        };
        if chosen.len() >= most || sentence.worth < best.worth * WORTH_QUOTING {
            break;
        }
        let same_language = best.language(sources) == sentence.language(sources);
        let is_new = |other: &Ranked| !say_the_same(&other.vocabulary, &sentence.vocabulary);
        if same_language && chosen.iter().all(is_new) {
            chosen.push(sentence);
        }
    }
    chosen
}

fn say_the_same(a: &Vocabulary, b: &Vocabulary) -> bool {
    let shorter = a.len().min(b.len()).max(1);
    a.intersection(b).count() as f32 >= SAME * shorter as f32
}

/// Passages in the order of their best sentence, sentences in the order of their passage.
fn in_reading_order(chosen: Vec<Ranked>) -> Vec<Ranked> {
    let mut passages: Vec<Vec<Ranked>> = Vec::new();
    for sentence in chosen {
        match passages
            .iter_mut()
            .find(|passage| passage[0].n == sentence.n)
        {
            Some(passage) => passage.push(sentence),
            None => passages.push(vec![sentence]),
        }
    }
    for passage in &mut passages {
        passage.sort_by_key(|sentence| sentence.place);
    }
    passages.into_iter().flatten().collect()
}

fn write(chosen: &[Ranked], sources: &Sources, style: CitationStyle) -> Vec<Piece> {
    let mut written = 0;
    let mut pieces = Vec::new();
    let mut before: Option<&Ranked> = None;
    for sentence in chosen {
        let source = sources.numbered_as(sentence.n);
        let quote = flowing(&source.passage.text[sentence.span.clone()]);
        let mut text = before
            .map_or("", |before| separator(before, sentence))
            .to_owned();
        let start = written + code_points(&text);
        let place = start..start + code_points(&quote);
        text.push_str(&quote);
        if style == CitationStyle::Inline {
            text.push_str(&marker(&BTreeSet::from([sentence.n])));
        }
        written += code_points(&text);
        let mut citation = source.citation(sentence.n, &sentence.span, VERBATIM, place);
        citation.votes = vec![Vote::Verbatim];
        let citations = Vec::from_iter((style != CitationStyle::Off).then_some(citation));
        pieces.push(Piece {
            text,
            citations,
            ..Piece::default()
        });
        before = Some(sentence);
    }
    pieces
}

/// Neighbours read on; everything else stands by itself.
fn separator(before: &Ranked, sentence: &Ranked) -> &'static str {
    if before.n == sentence.n && before.place + 1 == sentence.place {
        " "
    } else {
        "\n\n"
    }
}

/// The quote on one line, without what marks the further lines of a quoted block. The
/// citation has it exactly.
fn flowing(quote: &str) -> String {
    let lines = quote.lines().enumerate().map(|(at, line)| {
        let line = line.trim();
        if at == 0 {
            line
        } else {
            line.trim_start_matches('>').trim_start()
        }
    });
    lines.collect::<Vec<_>>().join(" ")
}
