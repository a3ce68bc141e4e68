//! Which sentences of the sources a sentence of the answer stands on.
//!
//! A sentence is supported by the share of its words, weighted by how rare they are, that a
//! source sentence holds: the lexical vote of Citention (arXiv 2510.20303), which finds BM25
//! a strong citer. A number that the source does not have speaks against it. With an embedder,
//! what words do not show is looked for by meaning.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use engine::{Request, Side};

use crate::language::declines;
use crate::lexicon::{Lexicon, Vocabulary, Words};
use crate::likeness::Likeness;
use crate::names::{bare_name, names};
use crate::search::Found;
use crate::sentences::{Kind, sentences};
use crate::sources::{Citation, Sources, Vote};

/// The support of a sentence that stands in a source word for word.
const VERBATIM: f32 = 1.0;
/// A word in the title or heading counts this much: sentences lean on them for their subject.
const ABOVE: f32 = 0.5;
/// A second sentence is cited when it supports at least this much more.
const WORTH_A_SECOND: f32 = 0.2;
/// A number of the sentence that its sources do not have leaves this much of the support.
const WRONG_NUMBER: f32 = 0.5;
/// A name of the sentence that neither its sources nor their headings have leaves this much.
const WRONG_NAME: f32 = 0.75;
/// Of sentences that support alike, the one that speaks of the question is cited: it is worth
/// up to this much.
const ON_TOPIC: f32 = 0.1;
/// So much is it worth that the model looked at a sentence, in the same way. Attention alone is
/// contested as an explanation (Jain and Wallace 2019), so it decides between equals only.
const LOOKED_AT: f32 = 0.1;

/// So many of the sentences that share most words with one of the answer are compared by meaning.
const COMPARED: usize = 12;

/// Finds the sources of sentences. Made once for an answer: the source sentences are analysed
/// once.
pub(crate) struct Citer {
    lexicon: Lexicon,
    sources: Sources,
    above: Vec<Above>,
    candidates: Vec<Candidate>,
    floors: Floors,
    likeness: Option<Arc<Likeness>>,
}

/// From where on a sentence is supported, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floors {
    /// By its words.
    pub(crate) words: f32,
    /// By its meaning, on the scale of [`Likeness`].
    pub(crate) meaning: f32,
}

/// A sentence of a source.
struct Candidate {
    /// Its place among the candidates.
    at: usize,
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
    /// Names in it, in small letters, without the first word.
    names: Vec<String>,
    /// Of each candidate, relative to the one that got most; empty when it is not known.
    attention: Vec<f32>,
}

/// What the sources say to a sentence of the answer.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// One or two, best first; none when nothing supports it enough.
    pub(crate) citations: Vec<Citation>,
    /// How much the best sources support, 0 to 1.
    pub(crate) score: f32,
    /// It only says that the sources do not answer.
    pub(crate) declines: bool,
}

impl Citer {
    /// A citer for answers from `sources`, which cites what supports as much as `floors` say.
    pub(crate) fn new(found: Found, sources: Sources, floors: Floors) -> Self {
        let above = sources
            .numbered()
            .map(|(_, source)| Above {
                vocabulary: found.lexicon.vocabulary(&source.above()),
                bare: bare(&source.above()),
            })
            .collect();
        let mut candidates: Vec<Candidate> = sources
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
        for (at, candidate) in candidates.iter_mut().enumerate() {
            candidate.at = at;
        }
        Self {
            lexicon: found.lexicon,
            sources,
            above,
            candidates,
            floors,
            likeness: found.likeness.filter(|_| floors.meaning <= 1.0),
        }
    }

    /// The sentences of the sources, in the order of the sources: those whose attention is told.
    pub(crate) fn watched(&self) -> Vec<String> {
        let text = |candidate: &Candidate| self.text(candidate).to_owned();
        match self.candidates.len() {
            0..=Request::MOST_WATCHED => self.candidates.iter().map(text).collect(),
            _ => Vec::new(),
        }
    }

    /// Looks for the sources of `sentence`, which stands at the code points `place` of the answer.
    /// `attention` is what the [`watched`](Self::watched) sentences got of it, if that is known.
    pub(crate) fn check(&self, sentence: &str, place: Range<usize>, attention: &[f32]) -> Checked {
        let claim = Claim {
            attention: relative(attention),
            ..Claim::new(sentence, &self.lexicon)
        };
        let (mut cited, mut score) = self.supports(&claim);
        // What a source says word for word speaks of something else than these sources.
        if declines(sentence) && score < VERBATIM {
            return Checked {
                declines: true,
                score,
                ..Checked::default()
            };
        }
        let cosines = match score < VERBATIM {
            true => self.cosines(sentence, &claim),
            false => HashMap::new(),
        };
        if score < self.floors.words {
            let Some((alike, cosine)) = self.same_in_other_words(&claim, &cosines) else {
                return Checked {
                    score,
                    ..Checked::default()
                };
            };
            (cited, score) = (vec![alike], cosine.min(1.0));
        }
        let mut votes = self.votes(&claim, &cited);
        let cosine = |candidate: &&Candidate| cosines.get(&candidate.at).copied();
        let alike = cited.iter().filter_map(cosine).fold(0.0, f32::max);
        votes.extend((alike >= self.floors.meaning).then_some(Vote::Meaning));
        let cite = |candidate: &Candidate| {
            let source = self.sources.numbered_as(candidate.n);
            let mut citation = source.citation(candidate.n, &candidate.span, score, place.clone());
            citation.votes.clone_from(&votes);
            citation
        };
        Checked {
            citations: cited.into_iter().map(cite).collect(),
            score,
            declines: false,
        }
    }

    /// How alike in meaning the claim and the candidates are that share most words with it, by the
    /// place of the candidate; nothing without an embedder that can tell.
    fn cosines(&self, sentence: &str, claim: &Claim) -> HashMap<usize, f32> {
        let Some(likeness) = &self.likeness else {
            return HashMap::new();
        };
        let mut nearest: Vec<(f32, &Candidate)> = (self.candidates.iter())
            .map(|candidate| (self.share(claim, &[candidate]), candidate))
            .collect();
        nearest.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        nearest.truncate(COMPARED);
        let texts = nearest.iter().map(|(_, candidate)| self.text(candidate));
        // Both tell; neither asks.
        let cosines = likeness.to(sentence, Side::Passage, &texts.collect::<Vec<_>>());
        let places = nearest.iter().map(|(_, candidate)| candidate.at);
        places.zip(cosines.unwrap_or_default()).collect()
    }

    /// The candidate that says the same in other words, though with the same numbers and names.
    fn same_in_other_words(
        &self,
        claim: &Claim,
        cosines: &HashMap<usize, f32>,
    ) -> Option<(&Candidate, f32)> {
        let nearest = cosines.iter().max_by(|one, other| one.1.total_cmp(other.1));
        let (at, cosine) = nearest.filter(|(_, cosine)| **cosine >= self.floors.meaning)?;
        let candidate = &self.candidates[*at];
        let agrees = knows_numbers(claim, &[candidate]) && self.knows_names(claim, &[candidate]);
        agrees.then_some((candidate, *cosine))
    }

    fn text(&self, candidate: &Candidate) -> &str {
        &self.sources.numbered_as(candidate.n).passage.text[candidate.span.clone()]
    }

    /// What speaks for the `cited` sentences together.
    fn votes(&self, claim: &Claim, cited: &[&Candidate]) -> Vec<Vote> {
        let votes = [
            (Vote::Verbatim, holds_verbatim(claim, cited)),
            (Vote::Words, self.share(claim, cited) >= self.floors.words),
            (
                Vote::Numbers,
                !claim.numbers.is_empty() && knows_numbers(claim, cited),
            ),
            (
                Vote::Names,
                !claim.names.is_empty() && self.knows_names(claim, cited),
            ),
            (
                Vote::Attention,
                cited.iter().any(|c| self.looked_at(claim, c) >= 1.0),
            ),
        ];
        let cast = votes.into_iter().filter(|(_, cast)| *cast);
        cast.map(|(vote, _)| vote).collect()
    }

    /// The one or two source sentences that support `claim` best, and how much they do.
    fn supports(&self, claim: &Claim) -> (Vec<&Candidate>, f32) {
        if claim.words.is_empty() {
            return (Vec::new(), 0.0);
        }
        let alone = |candidate: &Candidate| self.support(claim, &[candidate]);
        let Some((first, alone)) = self.best(claim, alone) else {
            return (Vec::new(), 0.0);
        };
        let second = self.best(claim, |candidate| self.support(claim, &[first, candidate]));
        match second {
            Some((second, together)) if together - alone >= WORTH_A_SECOND => {
                (vec![first, second], together)
            }
            _ => (vec![first], alone),
        }
    }

    /// How much the model looked at the candidate, 1 for the one it looked at most.
    fn looked_at(&self, claim: &Claim, candidate: &Candidate) -> f32 {
        let looked = claim.attention.get(candidate.at).copied();
        looked.unwrap_or(0.0)
    }

    /// The candidate of the highest support; among equals, the one on topic, then the first.
    fn best(
        &self,
        claim: &Claim,
        support: impl Fn(&Candidate) -> f32,
    ) -> Option<(&Candidate, f32)> {
        let mut best: Option<(&Candidate, f32, f32)> = None;
        for candidate in &self.candidates {
            let support = support(candidate);
            let looked_at = LOOKED_AT * self.looked_at(claim, candidate);
            let rank = support + ON_TOPIC * candidate.on_topic + looked_at;
            if best.is_none_or(|(_, _, highest)| rank > highest) {
                best = Some((candidate, support, rank));
            }
        }
        best.map(|(candidate, support, _)| (candidate, support))
    }

    /// How much of `claim` the `cited` sentences support together, 0 to 1.
    fn support(&self, claim: &Claim, cited: &[&Candidate]) -> f32 {
        if holds_verbatim(claim, cited) {
            return VERBATIM;
        }
        let mut support = self.share(claim, cited);
        if !knows_numbers(claim, cited) {
            support *= WRONG_NUMBER;
        }
        if !self.knows_names(claim, cited) {
            support *= WRONG_NAME;
        }
        support
    }

    /// The share of the claim's words, by weight, that the `cited` sentences hold.
    fn share(&self, claim: &Claim, cited: &[&Candidate]) -> f32 {
        claim.words.share(|term| {
            let held = cited.iter().map(|candidate| {
                if candidate.vocabulary.contains(term) {
                    1.0
                } else if self.above[candidate.n - 1].vocabulary.contains(term) {
                    ABOVE
                } else {
                    0.0
                }
            });
            held.max_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))
                .unwrap_or(0.0)
        })
    }

    /// Each name of the claim stands in a cited sentence or above one.
    fn knows_names(&self, claim: &Claim, cited: &[&Candidate]) -> bool {
        let known = |name: &String| {
            let stands_in = |candidate: &&Candidate| {
                candidate.bare.contains(name) || self.above[candidate.n - 1].bare.contains(name)
            };
            cited.iter().any(stands_in)
        };
        claim.names.iter().all(known)
    }
}

/// What stands above a source.
struct Above {
    vocabulary: Vocabulary,
    bare: String,
}

fn holds_verbatim(claim: &Claim, cited: &[&Candidate]) -> bool {
    let held = |candidate: &&Candidate| candidate.bare.contains(&claim.bare);
    !claim.bare.is_empty() && cited.iter().any(held)
}

fn knows_numbers(claim: &Claim, cited: &[&Candidate]) -> bool {
    let is_known = |number| cited.iter().any(|c| c.numbers.contains(number));
    claim.numbers.iter().all(is_known)
}

impl Candidate {
    fn new(n: usize, text: &str, span: Range<usize>, found: &Found) -> Self {
        let sentence = &text[span.clone()];
        let vocabulary = found.lexicon.vocabulary(sentence);
        Self {
            at: 0,
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
            names: claimed_names(sentence),
            attention: Vec::new(),
        }
    }
}

/// Relative to the highest.
fn relative(attention: &[f32]) -> Vec<f32> {
    let most = attention.iter().copied().fold(0.0, f32::max);
    if most <= 0.0 {
        return Vec::new();
    }
    attention.iter().map(|share| share / most).collect()
}

/// The names of a sentence as [`bare`] writes them; numbers are looked at by themselves.
fn claimed_names(sentence: &str) -> Vec<String> {
    let names = names(sentence).map(|name| bare(bare_name(name)));
    let telling = names.filter(|name| !name.is_empty() && !name.contains(|c: char| c.is_numeric()));
    telling.collect()
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
