//! Passages that say the same thing once.

use retrieval::Hit;

use crate::lexicon::{Lexicon, Vocabulary};

/// Passages share this part of their terms when they are copies but for a date or a number.
const COPY: f32 = 0.9;

/// The first `most` hits that are no copies of better ones. Copies take the model's room and the
/// reader's time, and say nothing new.
pub(crate) fn distinct(hits: Vec<Hit>, lexicon: &Lexicon, most: usize) -> Vec<Hit> {
    let mut kept: Vec<(Hit, Vocabulary)> = Vec::new();
    for hit in hits {
        if kept.len() >= most {
            break;
        }
        let vocabulary = lexicon.vocabulary(&hit.passage.text);
        if !kept.iter().any(|(_, other)| is_copy(&vocabulary, other)) {
            kept.push((hit, vocabulary));
        }
    }
    kept.into_iter().map(|(hit, _)| hit).collect()
}

/// By the share of all terms that both have (Jaccard).
fn is_copy(one: &Vocabulary, other: &Vocabulary) -> bool {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    all > 0 && shared as f32 >= COPY * all as f32
}
