//! What a search shows of whether the answer is in its hits.

use retrieval::Hit;

use crate::lexicon::{Vocabulary, Words};
use crate::names::{bare_name, names};
use crate::rank::ranked;
use crate::search::Found;
use crate::sentences::sentences;
use crate::sources::{Source, Sources};

/// A word in a title or heading counts this much: it says what the passage is about, and not
/// what it says.
const ABOVE: f32 = 0.8;

/// Hits whose sentences are looked at one by one.
const READ_CLOSELY: usize = 3;

/// Signals of evidence, growing with it, each from 0 to 1 unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signals {
    /// The share of the question's words, weighted by rarity, that stand together in two
    /// neighbouring sentences, or above them.
    pub sentences: f32,
    /// How much higher the best hit scores than the second.
    pub lead: f32,
    /// The share of the question's numbers and names that one passage holds; 1 when there are none.
    pub names: f32,
    /// How near in meaning the nearest sentence is to the question: a cosine, on a scale where
    /// unrelated texts have 0. `None` without an embedder that knows the language.
    pub meaning: Option<f32>,
    /// What the reader says of the sentence that it holds most likely to answer: a logit, above 0
    /// where it rather answers than not. `None` without a reader that can tell.
    pub reading: Option<f32>,
}

impl Signals {
    /// Reads the hits for `words` of the question.
    pub(super) fn of(found: &Found, words: &Words) -> Self {
        let names: Vec<&str> = names(&found.query.question).collect();
        let mut signals = Signals {
            lead: lead(&found.hits),
            ..Signals::default()
        };
        signals.note_meaning(found);
        for hit in &found.hits {
            signals.names = signals.names.max(held(&names, hit));
        }
        for hit in found.hits.iter().take(READ_CLOSELY) {
            let best = best_sentences(found, words, hit);
            signals.sentences = signals.sentences.max(best);
        }
        signals
    }

    /// What the best sentences mean to the embedder, and what the reader says where it can tell;
    /// nothing is ranked for it without an embedder.
    fn note_meaning(&mut self, found: &Found) {
        if found.likeness.is_none() {
            return;
        }
        let sources: Sources = found.hits.iter().map(Source::from).collect();
        let ranked = ranked(found, &sources);
        let likeness = ranked.iter().filter_map(|sentence| sentence.likeness);
        self.meaning = likeness.max_by(f32::total_cmp);
        let reading = ranked.iter().filter_map(|sentence| sentence.reading);
        self.reading = reading.max_by(f32::total_cmp);
    }
}

fn share(words: &Words, texts: &[&Vocabulary], above: &Vocabulary) -> f32 {
    words.share(|term| {
        if texts.iter().any(|text| text.contains(term)) {
            1.0
        } else if above.contains(term) {
            ABOVE
        } else {
            0.0
        }
    })
}

fn best_sentences(found: &Found, words: &Words, hit: &Hit) -> f32 {
    let above = found.lexicon.vocabulary(&Source::from(hit).above());
    let text = hit.passage.text.as_str();
    let vocabularies: Vec<Vocabulary> = sentences(text)
        .into_iter()
        .map(|sentence| found.lexicon.vocabulary(&text[sentence.span]))
        .collect();
    let single = vocabularies.iter().map(|one| share(words, &[one], &above));
    let pairs = vocabularies.windows(2);
    let pairs = pairs.map(|pair| share(words, &[&pair[0], &pair[1]], &above));
    single.chain(pairs).fold(0.0, f32::max)
}

fn lead(hits: &[Hit]) -> f32 {
    let score = |rank: usize| hits.get(rank).map_or(0.0, |hit: &Hit| hit.score);
    score(0) - score(1)
}

/// The share of the names that the passage holds, or what stands above it.
fn held(names: &[&str], hit: &Hit) -> f32 {
    if names.is_empty() {
        return 1.0;
    }
    let text = format!("{}\n{}", Source::from(hit).above(), hit.passage.text).to_lowercase();
    // Particles grow onto Korean names, and endings onto others.
    let holds = |name: &&&str| text.contains(&bare_name(name).to_lowercase());
    names.iter().filter(holds).count() as f32 / names.len() as f32
}
