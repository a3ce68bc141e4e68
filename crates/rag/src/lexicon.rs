//! How much of one text another text holds, rare words counting more than common ones.
//!
//! Terms are what the index compares (stems, Korean stems and pairs of syllables, Chinese
//! pairs), and their weight is BM25's idf: the same measure that found the passages. Terms of
//! one word overlap, so weights are not summed over terms but over characters: every character
//! weighs as much as its share of the weightiest term that covers it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use retrieval::{Asked, Index, Term};

use crate::language::is_function_word;

/// The weight of a word that idf says nothing about. In a collection of a few passages a word
/// that is there has an idf near 0 and one that is not has five times as much, which is an
/// accident of the size; among thousands, idf is well above this and decides.
const ANY_WORD: f32 = 2.0;

/// A word that a text says otherwise, in another script or in written language, counts this much:
/// it may mean something else.
const OTHERWISE: f32 = 0.8;

/// The terms and term weights of the collections searched.
pub(crate) struct Lexicon {
    indexes: Vec<Arc<Index>>,
}

/// The words of a text that say what it is about, weighted.
#[derive(Debug, Default)]
pub(crate) struct Words {
    forms: Vec<Form>,
    /// The weight of each character that a form covers.
    weights: Vec<f32>,
}

/// A term and the characters it covers, counted in [`Words::weights`].
#[derive(Debug)]
struct Form {
    term: String,
    covers: Range<usize>,
    /// How far a text that holds it holds the word, 0 to 1.
    worth: f32,
}

/// All terms of a text.
pub(crate) type Vocabulary = HashSet<String>;

impl Lexicon {
    /// The terms of `indexes`, of which there is at least one.
    pub(crate) fn new(indexes: &[Arc<Index>]) -> Self {
        Self {
            indexes: indexes.to_vec(),
        }
    }

    /// Every term of `text`.
    pub(crate) fn vocabulary(&self, text: &str) -> Vocabulary {
        let terms = self.indexes.first().map(|index| index.terms(text));
        let terms = terms.unwrap_or_default().into_iter();
        terms.map(|term| term.text).collect()
    }

    /// The words of `text`, but for those that any text has.
    pub(crate) fn words(&self, text: &str) -> Words {
        let asked = self.indexes.first().map(|index| index.asked(text));
        let telling: Vec<Asked> = asked
            .unwrap_or_default()
            .into_iter()
            .filter(|asked| !is_function_word(word_around(text, asked.term.start..asked.term.end)))
            .collect();
        let places = places(text, &telling);
        let mut words = Words {
            forms: Vec::new(),
            weights: vec![0.0; places.len()],
        };
        for Asked { term, otherwise } in telling {
            let covers = places[&term.start]..places[&term.start] + length(text, &term);
            // How rare a word is, is told by its own forms.
            if !otherwise {
                let share = self.weight(&term.text) / covers.len() as f32;
                for weight in &mut words.weights[covers.clone()] {
                    *weight = weight.max(share);
                }
            }
            words.forms.push(Form {
                term: term.text,
                covers,
                worth: if otherwise { OTHERWISE } else { 1.0 },
            });
        }
        words
    }

    /// How much a term says: its mean idf over the collections, since a term that is rare in
    /// one may be common in another, on top of what any telling word says.
    fn weight(&self, term: &str) -> f32 {
        let idfs = self.indexes.iter().map(|index| index.idf(term));
        ANY_WORD + idfs.sum::<f32>() / self.indexes.len() as f32
    }
}

impl Words {
    /// There are no telling words.
    pub(crate) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The share of these words, by weight, that another text holds, 0 to 1. `held` says for a
    /// term how far it counts as held, 0 to 1.
    pub(crate) fn share(&self, held: impl Fn(&str) -> f32) -> f32 {
        let mut covered = vec![0.0_f32; self.weights.len()];
        for form in &self.forms {
            let held = held(&form.term) * form.worth;
            for place in &mut covered[form.covers.clone()] {
                *place = place.max(held);
            }
        }
        let total: f32 = self.weights.iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let pairs = covered.iter().zip(&self.weights);
        pairs.map(|(covered, weight)| covered * weight).sum::<f32>() / total
    }

    /// The share of these words that `vocabulary` holds, 0 to 1.
    pub(crate) fn share_in(&self, vocabulary: &Vocabulary) -> f32 {
        self.share(|term| if vocabulary.contains(term) { 1.0 } else { 0.0 })
    }
}

/// Numbers the characters of `text` that `terms` cover, by the byte they begin at.
fn places(text: &str, terms: &[Asked]) -> HashMap<usize, usize> {
    let mut starts: Vec<usize> = terms
        .iter()
        .flat_map(|Asked { term, .. }| {
            text[term.start..term.end]
                .char_indices()
                .map(|(at, _)| term.start + at)
        })
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts.into_iter().zip(0..).collect()
}

/// Characters of `text` that `term` covers.
fn length(text: &str, term: &Term) -> usize {
    text[term.start..term.end].chars().count()
}

/// The word, between white space, in which `span` stands.
fn word_around(text: &str, span: Range<usize>) -> &str {
    let start = text[..span.start]
        .rfind(char::is_whitespace)
        .map_or(0, |at| {
            at + text[at..].chars().next().map_or(0, char::len_utf8)
        });
    let end = text[span.end..]
        .find(char::is_whitespace)
        .map_or(text.len(), |at| span.end + at);
    text[start..end].trim_matches(|c: char| !c.is_alphanumeric())
}
