//! Whether the hits are likely to hold the answer.

use crate::lexicon::Words;
use crate::search::Found;
use crate::settings::Settings;
use crate::sources::Source;

/// How likely the answer is in what was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The share of the question's words, weighted by rarity, that stand together in one
    /// passage or above it, 0 to 1.
    pub score: f32,
    /// The score reached the floor, so the question was answered.
    pub answered: bool,
}

/// A word in a title or heading counts this much: it says what the passage is about, and not
/// what it says.
const ABOVE: f32 = 0.8;

impl Evidence {
    /// Weighs the hits for the question.
    pub(crate) fn in_hits(found: &Found, settings: &Settings) -> Self {
        // A follow-up is weighed by its own words, as far as it has any: the earlier question
        // was answered already.
        let own = found.lexicon.words(&found.query.question);
        let words = if own.is_empty() { &found.words } else { &own };
        let shares = found.hits.iter().map(|hit| share(words, found, hit));
        let score = shares.fold(0.0, f32::max);
        Self {
            score,
            answered: !found.hits.is_empty() && score >= settings.evidence_floor,
        }
    }
}

fn share(words: &Words, found: &Found, hit: &retrieval::Hit) -> f32 {
    let text = found.lexicon.vocabulary(&hit.passage.text);
    let above = found.lexicon.vocabulary(&Source::from(hit).above());
    words.share(|term| {
        if text.contains(term) {
            1.0
        } else if above.contains(term) {
            ABOVE
        } else {
            0.0
        }
    })
}
