//! How much the sources mattered to what the model wrote, on the wire.

use rag::{GroundedSentence, Groundedness, Likelihoods};
use serde::Serialize;

use super::grounding::Span;

/// Of one text.
#[derive(Clone, Serialize)]
pub(crate) struct GroundednessObject {
    /// How likely the text rests on its sources, 0 to 1; null when it says nothing.
    probability: Option<f32>,
    #[serde(flatten)]
    whole: LikelihoodsObject,
    sentences: Vec<SentenceObject>,
}

#[derive(Clone, Serialize)]
struct SentenceObject {
    sentence: Span,
    support: f32,
    probability: f32,
    #[serde(flatten)]
    likelihoods: LikelihoodsObject,
}

/// Mean log-probabilities of tokens, in nats.
#[derive(Clone, Serialize)]
struct LikelihoodsObject {
    with_sources: f32,
    without_sources: f32,
    difference: f32,
}

impl From<&Groundedness> for GroundednessObject {
    fn from(groundedness: &Groundedness) -> Self {
        Self {
            probability: groundedness.probability(),
            whole: LikelihoodsObject::from(&groundedness.whole),
            sentences: groundedness.sentences.iter().map(Into::into).collect(),
        }
    }
}

impl From<&GroundedSentence> for SentenceObject {
    fn from(grounded: &GroundedSentence) -> Self {
        Self {
            sentence: Span::from(&grounded.sentence),
            support: grounded.support,
            probability: grounded.probability(),
            likelihoods: LikelihoodsObject::from(&grounded.likelihoods),
        }
    }
}

impl From<&Likelihoods> for LikelihoodsObject {
    fn from(likelihoods: &Likelihoods) -> Self {
        Self {
            with_sources: likelihoods.with_sources,
            without_sources: likelihoods.without_sources,
            difference: likelihoods.difference(),
        }
    }
}
