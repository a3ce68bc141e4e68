//! Which sentences of the sources a sentence of the answer stands on.
//!
//! A sentence is supported by the share of its words, weighted by how rare they are, that a
//! source sentence holds: the lexical vote of Citention (arXiv 2510.20303), which finds BM25
//! a strong citer. A number that the source does not have speaks against it.

use std::cmp::Ordering;
use std::ops::Range;

use crate::lexicon::{Lexicon, Vocabulary, Words};
use crate::search::Found;
use crate::sentences::{Kind, sentences};
use crate::sources::{Citation, Sources};

/// A word in the title or heading counts this much: sentences lean on them for their subject.
const ABOVE: f32 = 0.5;
/// A second sentence is cited when it supports at least this much more.
const WORTH_A_SECOND: f32 = 0.2;
/// A number of the sentence that its sources do not have leaves this much of the support.
const WRONG_NUMBER: f32 = 0.5;
/// Of sentences that support alike, the one that speaks of the question is cited: it is worth
/// up to this much.
const ON_TOPIC: f32 = 0.1;

/// Finds the sources of sentences. Made once for an answer: the source sentences are analysed
/// once.
pub(crate) struct Citer {
    lexicon: Lexicon,
    sources: Sources,
    above: Vec<Vocabulary>,
    candidates: Vec<Candidate>,
    floor: f32,
}

/// A sentence of a source.
struct Candidate {
    /// The number of the source.
    n: usize,
    /// Bytes in the text of the source.
    span: Range<usize>,
    vocabulary: Vocabulary,
    bare: String,
    numbers: Vec<String>,
    /// How much it speaks of the question, 0 to 1.
    on_topic: f32,
}

/// A sentence of the answer.
struct Claim {
    words: Words,
    bare: String,
    numbers: Vec<String>,
}

impl Citer {
    /// A citer for answers from `sources`, which cites what supports at least `floor`.
    pub(crate) fn new(found: Found, sources: Sources, floor: f32) -> Self {
        let above = sources
            .numbered()
            .map(|(_, source)| found.lexicon.vocabulary(&source.above()))
            .collect();
        let candidates = sources
            .numbered()
            .flat_map(|(n, source)| {
                let found = &found;
                let text = source.passage.text.as_str();
                sentences(text)
                    .into_iter()
                    .filter(|sentence| !matches!(sentence.kind, Kind::Code | Kind::Heading))
                    .map(move |sentence| Candidate::new(n, text, sentence.span, found))
            })
            .collect();
        Self {
            lexicon: found.lexicon,
            sources,
            above,
            candidates,
            floor,
        }
    }

    /// The citations of `sentence`, which stands at the code points `place` of the answer:
    /// one or two, best first, or none when nothing supports it enough.
    pub(crate) fn cite(&self, sentence: &str, place: Range<usize>) -> Vec<Citation> {
        let (cited, score) = self.supports(&Claim::new(sentence, &self.lexicon));
        if score < self.floor {
            return Vec::new();
        }
        cited
            .into_iter()
            .map(|candidate| {
                let source = self.sources.numbered_as(candidate.n);
                source.citation(candidate.n, &candidate.span, score, place.clone())
            })
            .collect()
    }

    /// The one or two source sentences that support `claim` best, and how much they do.
    fn supports(&self, claim: &Claim) -> (Vec<&Candidate>, f32) {
        if claim.words.is_empty() {
            return (Vec::new(), 0.0);
        }
        let Some((first, alone)) = self.best(|candidate| self.support(claim, &[candidate])) else {
            return (Vec::new(), 0.0);
        };
        let second = self.best(|candidate| self.support(claim, &[first, candidate]));
        match second {
            Some((second, together)) if together - alone >= WORTH_A_SECOND => {
                (vec![first, second], together)
            }
            _ => (vec![first], alone),
        }
    }

    /// The candidate of the highest support; among equals, the one on topic, then the first.
    fn best(&self, support: impl Fn(&Candidate) -> f32) -> Option<(&Candidate, f32)> {
        let mut best: Option<(&Candidate, f32, f32)> = None;
        for candidate in &self.candidates {
            let support = support(candidate);
            let rank = support + ON_TOPIC * candidate.on_topic;
            if best.is_none_or(|(_, _, highest)| rank > highest) {
                best = Some((candidate, support, rank));
            }
        }
        best.map(|(candidate, support, _)| (candidate, support))
    }

    /// How much of `claim` the `cited` sentences support together, 0 to 1.
    fn support(&self, claim: &Claim, cited: &[&Candidate]) -> f32 {
        if cited.iter().any(|c| c.bare.contains(&claim.bare)) {
            return 1.0;
        }
        let share = claim.words.share(|term| {
            let held = cited.iter().map(|candidate| {
                if candidate.vocabulary.contains(term) {
                    1.0
                } else if self.above[candidate.n - 1].contains(term) {
                    ABOVE
                } else {
                    0.0
                }
            });
            held.max_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))
                .unwrap_or(0.0)
        });
        let is_known = |number: &&String| cited.iter().any(|c| c.numbers.contains(number));
        let all_known = claim.numbers.iter().all(|number| is_known(&number));
        if all_known {
            share
        } else {
            share * WRONG_NUMBER
        }
    }
}

impl Candidate {
    fn new(n: usize, text: &str, span: Range<usize>, found: &Found) -> Self {
        let sentence = &text[span.clone()];
        let vocabulary = found.lexicon.vocabulary(sentence);
        Self {
            n,
            on_topic: found.words.share_in(&vocabulary),
            vocabulary,
            bare: bare(sentence),
            numbers: numbers(sentence),
            span,
        }
    }
}

impl Claim {
    fn new(sentence: &str, lexicon: &Lexicon) -> Self {
        Self {
            words: lexicon.words(sentence),
            bare: bare(sentence),
            numbers: numbers(sentence),
        }
    }
}

/// Letters and digits only, in small letters: what must agree for a quotation to be verbatim.
fn bare(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The numbers in `text`, without separators of thousands: "2,295억" has "2295".
fn numbers(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != ',' && c != '.')
        .map(|number| number.trim_matches(['.', ',']).replace(',', ""))
        .filter(|number| !number.is_empty())
        .collect()
}
