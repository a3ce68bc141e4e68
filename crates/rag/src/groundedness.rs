//! How much the sources matter to what the model wrote, by the model's own numbers.
//!
//! A text is read again twice: behind the prompt with its sources, and behind the same prompt
//! without them. What the model finds as likely without the sources as with them it would have said
//! anyway; the idea is that of ContextCite (arXiv 2409.00729), with all sources taken out at once.

use std::ops::Range;
use std::sync::Arc;

use engine::{Engine, Prompt, Sharing, TokenScore};

use crate::encoders::probability;
use crate::error::RagError;

/// Reads the texts of one answer again.
#[derive(Clone)]
pub struct Judge {
    pub(crate) engine: Arc<dyn Engine>,
    /// With the sources.
    pub(crate) with: Arc<Prompt>,
    /// Without them.
    pub(crate) without: Arc<Prompt>,
    /// As in the request that wrote the answer.
    pub(crate) sharing: Sharing,
}

/// A text as the model wrote it, without our markers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Its sentences that say something.
    pub sentences: Vec<WrittenSentence>,
}

/// A sentence that the model wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenSentence {
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
    /// Code points of the answer as sent.
    pub(crate) sentence: Range<usize>,
    /// How much the sources support it, 0 to 1.
    pub(crate) support: f32,
}

/// How much the sources matter to a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groundedness {
    /// Of the whole text.
    pub whole: Likelihoods,
    /// Of each sentence.
    pub sentences: Vec<GroundedSentence>,
}

/// How much the sources matter to a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundedSentence {
    /// Code points of the sentence in the answer as sent.
    pub sentence: Range<usize>,
    /// How much the words of the sources support it, 0 to 1.
    pub support: f32,
    /// How likely the model finds it.
    pub likelihoods: Likelihoods,
}

/// Mean natural logarithms of the probabilities of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Likelihoods {
    /// Behind the sources.
    pub with_sources: f32,
    /// Without them.
    pub without_sources: f32,
}

impl GroundedSentence {
    /// How likely the sentence rests on its sources, 0 to 1, where two of five do.
    ///
    /// A logistic regression over half of 1,059 sentences in English and Korean, judged by the
    /// built-in model; on the other half the parts that it gives 0.2 to 0.9 rest on their sources as
    /// often, to 0.1. The likelihoods are not part of it: with that model they tell grounded from
    /// ungrounded (AUC 0.67), but add nothing to the alignment of words (0.77), whose score this is.
    pub fn probability(&self) -> f32 {
        probability(3.72 * self.support - 1.48)
    }
}

impl Groundedness {
    /// The mean over the sentences; `None` when none says anything.
    pub fn probability(&self) -> Option<f32> {
        let sum: f32 = self
            .sentences
            .iter()
            .map(GroundedSentence::probability)
            .sum();
        (!self.sentences.is_empty()).then(|| sum / self.sentences.len() as f32)
    }
}

impl Likelihoods {
    /// How much more likely a token is with the sources than without them, in nats. Near 0 the
    /// model would have said it anyway; below, the sources speak against it.
    pub fn difference(&self) -> f32 {
        self.with_sources - self.without_sources
    }
}

impl Judge {
    /// Judges what was written. Blocks until the model has read it twice; the first time it finds
    /// most of its work done.
    ///
    /// # Errors
    ///
    /// When the engine is too busy, or fails.
    pub fn judge(&self, written: &Written) -> Result<Groundedness, RagError> {
        let score = |prompt| self.engine.score(prompt, &written.text, &self.sharing);
        let (with, without) = (score(&self.with)?, score(&self.without)?);
        let likelihoods = |span: &Range<usize>| Likelihoods {
            with_sources: mean(&with, span),
            without_sources: mean(&without, span),
        };
        let sentences = written.sentences.iter().map(|written| GroundedSentence {
            sentence: written.sentence.clone(),
            support: written.support,
            likelihoods: likelihoods(&written.span),
        });
        Ok(Groundedness {
            whole: likelihoods(&(0..written.text.len())),
            sentences: sentences.collect(),
        })
    }
}

/// Of the tokens that begin within the span; 0 when none does.
fn mean(scores: &[TokenScore], span: &Range<usize>) -> f32 {
    let within = scores
        .iter()
        .filter(|score| span.contains(&score.range.start));
    let (sum, count) = within.fold((0.0, 0), |(sum, count), score| {
        (sum + f64::from(score.logprob), count + 1)
    });
    match count {
        0 => 0.0,
        count => (sum / f64::from(count)) as f32,
    }
}
