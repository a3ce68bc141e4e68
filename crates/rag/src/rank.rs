//! The sentences of the hits, ranked by how well each answers the question by itself.
//!
//! A sentence is worth the share of the question's words, weighted by rarity, that it holds.
//! Words of the sentences beside it and of the headings above it count in part, because that
//! is where a sentence has its subject from. The best of them are worth their nearness to the
//! question in meaning too, by the embedder, and the best of those what the reader says of them.

use std::cmp::Ordering;
use std::ops::Range;

use engine::Side;

use crate::encoders::probability;
use crate::language::{Language, asks_for_number};
use crate::lexicon::Vocabulary;
use crate::search::Found;
use crate::sentences::{Kind, Sentence, sentences};
use crate::sources::{Source, Sources};

/// A word in the sentence before or behind counts this much.
const BESIDE: f32 = 0.4;
/// A word in the title or headings counts this much.
const ABOVE: f32 = 0.5;
/// A word elsewhere in the passage counts this much.
const AROUND: f32 = 0.2;
/// So much of a sentence's worth comes from the rank of its passage.
const PASSAGE: f32 = 0.5;
/// What a number adds when the question asks for one.
const NUMBER: f32 = 0.1;
/// A question, or a lead-in to a list, keeps this much of its worth.
const NO_STATEMENT: f32 = 0.6;
/// A sentence that sends the reader elsewhere keeps this much.
const CROSS_REFERENCE: f32 = 0.8;

/// So many of the sentences that are worth most by their words are compared by meaning.
const COMPARED: usize = 16;
/// So many of those that are worth most then are read.
const READ: usize = 6;
/// What worth by words counts beside nearness in meaning, where there is a judge of that.
const WORDS: f32 = 0.2;
/// What it counts that the reader is certain that a sentence answers.
const READING: f32 = 0.5;
/// The reader's logits are softened by this before they count: it is surer of itself than it should
/// be of texts unlike those that it learnt from.
const SOFTENED: f32 = 3.0;

/// A sentence that may be quoted.
pub(crate) struct Ranked {
    /// The number of its source.
    pub(crate) n: usize,
    /// Its place among the sentences of the source.
    pub(crate) place: usize,
    /// Bytes in the text of the source.
    pub(crate) span: Range<usize>,
    pub(crate) vocabulary: Vocabulary,
    /// How well it answers, 0 to a little over 1.
    pub(crate) worth: f32,
    /// How near in meaning it is to the question, on the scale of
    /// [`Likeness`](crate::likeness::Likeness), if that was looked at.
    pub(crate) likeness: Option<f32>,
    /// The reader's logit that it answers, if it was read.
    pub(crate) reading: Option<f32>,
}

impl Ranked {
    /// What it is worth by its meaning; `None` where that was not looked at.
    pub(crate) fn meaning(&self) -> Option<f32> {
        let near = self.likeness.map(|likeness| likeness.max(0.0));
        match (near, self.reading.map(certainty)) {
            (None, None) => None,
            (near, read) => Some(near.unwrap_or_default() + READING * read.unwrap_or_default()),
        }
    }

    /// The language of the sentence, which is one of these sources'.
    pub(crate) fn language(&self, sources: &Sources) -> Language {
        let source = sources.numbered_as(self.n);
        Language::of(&source.passage.text[self.span.clone()])
    }
}

/// All sentences of `sources` that say something, best first. When all is code or markup,
/// that is what there is to quote.
pub(crate) fn ranked(found: &Found, sources: &Sources) -> Vec<Ranked> {
    let mut ranked = ranked_where(found, sources, says_something);
    if ranked.is_empty() {
        ranked = ranked_where(found, sources, |_, _| true);
    }
    best_first(&mut ranked);
    weigh_likeness(&mut ranked, found, sources);
    weigh_reading(&mut ranked, found, sources);
    ranked
}

fn best_first(ranked: &mut [Ranked]) {
    ranked.sort_by(|a, b| b.worth.partial_cmp(&a.worth).unwrap_or(Ordering::Equal));
}

/// Orders the sentences by their meaning too, if the embedder can tell.
fn weigh_likeness(ranked: &mut [Ranked], found: &Found, sources: &Sources) {
    let Some(likeness) = &found.likeness else {
        return;
    };
    let texts = titled(ranked, COMPARED, sources);
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    let Some(alike) = likeness.to(&found.query.text, Side::Query, &texts) else {
        return;
    };
    for sentence in ranked.iter_mut() {
        sentence.worth *= WORDS;
    }
    for (sentence, alike) in ranked.iter_mut().zip(alike) {
        sentence.worth += alike.max(0.0);
        sentence.likeness = Some(alike);
    }
    best_first(ranked);
}

/// Orders the best sentences by what the reader says of them, if it can tell.
fn weigh_reading(ranked: &mut [Ranked], found: &Found, sources: &Sources) {
    let Some(reading) = &found.reading else {
        return;
    };
    let Some(logits) = reading.of(&titled(ranked, READ, sources)) else {
        return;
    };
    for (sentence, logit) in ranked.iter_mut().zip(logits) {
        sentence.worth += READING * logit.map_or(0.0, certainty);
        sentence.reading = logit;
    }
    best_first(ranked);
}

/// The first sentences under their titles, from where they have their subjects.
fn titled(ranked: &[Ranked], most: usize, sources: &Sources) -> Vec<String> {
    let texts = ranked.iter().take(most).map(|sentence| {
        let source = sources.numbered_as(sentence.n);
        let quote = &source.passage.text[sentence.span.clone()];
        format!("{}. {quote}", source.title())
    });
    texts.collect()
}

/// How certain a logit of the reader is that the sentence answers, 0 to 1.
pub(crate) fn certainty(logit: f32) -> f32 {
    probability(logit / SOFTENED)
}

fn ranked_where(
    found: &Found,
    sources: &Sources,
    wanted: fn(&Sentence, &str) -> bool,
) -> Vec<Ranked> {
    let scores = sources.numbered().map(|(_, source)| source.score);
    let best_score = scores.fold(f32::MIN_POSITIVE, f32::max);
    let mut ranked = Vec::new();
    for (n, source) in sources.numbered() {
        let passage = Analysed::new(found, source);
        let standing = 1.0 - PASSAGE + PASSAGE * source.score / best_score;
        for (place, sentence) in passage.sentences.iter().enumerate() {
            let quote = &source.passage.text[sentence.span.clone()];
            if wanted(sentence, quote) {
                ranked.push(Ranked {
                    n,
                    place,
                    span: sentence.span.clone(),
                    vocabulary: passage.vocabularies[place].clone(),
                    worth: standing * passage.worth(found, place, quote),
                    likeness: None,
                    reading: None,
                });
            }
        }
    }
    ranked
}

/// A passage with the vocabulary of each of its sentences, and of what stands above them.
struct Analysed {
    sentences: Vec<Sentence>,
    vocabularies: Vec<Vocabulary>,
    above: Vocabulary,
    whole: Vocabulary,
}

impl Analysed {
    fn new(found: &Found, source: &Source) -> Self {
        let text = source.passage.text.as_str();
        let sentences = sentences(text);
        let vocabularies = sentences
            .iter()
            .map(|sentence| found.lexicon.vocabulary(&text[sentence.span.clone()]))
            .collect();
        Self {
            sentences,
            vocabularies,
            above: found.lexicon.vocabulary(&source.above()),
            whole: found.lexicon.vocabulary(text),
        }
    }

    /// How well the sentence at `place`, which is `quote`, answers within this passage.
    fn worth(&self, found: &Found, place: usize, quote: &str) -> f32 {
        let has_number = quote.contains(|c: char| c.is_ascii_digit());
        let number = if has_number && asks_for_number(&found.query.question) {
            NUMBER
        } else {
            0.0
        };
        let form = match quote {
            _ if !states_something(quote) => NO_STATEMENT,
            _ if refers_elsewhere(quote) => CROSS_REFERENCE,
            _ => 1.0,
        };
        (self.share(found, place) + number) * form
    }

    /// The share of the question's words that the sentence at `place` holds.
    fn share(&self, found: &Found, place: usize) -> f32 {
        let before = place
            .checked_sub(1)
            .map(|before| &self.vocabularies[before]);
        let behind = self.vocabularies.get(place + 1);
        let is_beside = |term: &str| {
            let mut beside = before.into_iter().chain(behind);
            beside.any(|vocabulary| vocabulary.contains(term))
        };
        found.words.share(|term| {
            if self.vocabularies[place].contains(term) {
                1.0
            } else if is_beside(term) {
                BESIDE
            } else if self.above.contains(term) {
                ABOVE
            } else if self.whole.contains(term) {
                AROUND
            } else {
                0.0
            }
        })
    }
}

/// The sentence is none of heading, code, markup or fragment.
fn says_something(sentence: &Sentence, quote: &str) -> bool {
    let letters = quote.chars().filter(|c| c.is_alphanumeric()).count();
    let symbols = quote.chars().filter(|c| "{}<>=;|\\#".contains(*c)).count();
    let is_fragment = letters < 8 || !quote.contains(char::is_whitespace) && letters < 16;
    let is_link_target = quote.starts_with('[') && quote.contains("]: ");
    let is_tag = quote.starts_with('<') && quote.ends_with('>');
    !matches!(sentence.kind, Kind::Heading | Kind::Code)
        && !is_fragment
        && !is_link_target
        && !is_tag
        && symbols * 12 < letters
}

/// The sentence neither asks nor only leads to what follows it.
fn states_something(quote: &str) -> bool {
    !quote.ends_with(['?', '？', ':', '：'])
}

/// The sentence holds a link by name, `[text][name]`, or what a link checker is to ignore.
fn refers_elsewhere(quote: &str) -> bool {
    quote.contains("][") || quote.contains("<!--")
}
