//! Writing an answer: choosing token after token by the model's logits.

use std::sync::Arc;

use engine::{EngineError, FinishReason, SamplingParams, Token};

use super::grammar::Grammar;
use super::output::{Output, Place, Wishes};
use super::penalties::Penalties;
use super::quotation::Quotation;
use super::sampler::Sampler;
use crate::decoder::{Asks, Watch};
use crate::text::Text;

/// How an answer is to be written.
pub(crate) struct Manner {
    pub(crate) sampling: SamplingParams,
    /// Tokens of the vocabulary with what is added to their logits.
    pub(crate) logit_bias: Vec<(u32, f32)>,
    /// What is made of the tokens.
    pub(crate) wishes: Wishes,
    /// What the text must be, if that matters.
    pub(crate) grammar: Option<Grammar>,
    /// What may stand in quotation marks, if that matters.
    pub(crate) quotation: Option<Quotation>,
    /// Whose attention is told, if anybody's.
    pub(crate) watch: Option<Watch>,
    /// The most tokens to generate; prompt and answer fit the context.
    pub(crate) max_tokens: usize,
    /// Tokens that end the model's turn.
    pub(crate) end_tokens: Arc<[u32]>,
    pub(crate) text: Arc<Text>,
}

/// An answer that is written.
pub(crate) struct Writing {
    /// The token that goes through the model next; it was sent already.
    last_token: u32,
    pub(super) generated: usize,
    pub(super) max_tokens: usize,
    end_tokens: Arc<[u32]>,
    penalties: Penalties,
    grammar: Option<Grammar>,
    quotation: Option<Quotation>,
    sampler: Sampler,
    watch: Option<Watch>,
    output: Output,
}

impl Writing {
    /// Begins an answer to a prompt.
    pub(crate) fn new(prompt: &[u32], manner: Manner) -> Self {
        Self {
            last_token: 0,
            generated: 0,
            max_tokens: manner.max_tokens,
            end_tokens: manner.end_tokens,
            penalties: Penalties::new(&manner.sampling, manner.logit_bias, prompt),
            grammar: manner.grammar,
            quotation: manner.quotation,
            sampler: Sampler::new(manner.sampling),
            watch: manner.watch,
            output: Output::new(manner.text, manner.wishes),
        }
    }

    /// Tokens that are still to be generated, when an answer is expected to be so long.
    pub(super) fn left(&self, expected: impl FnOnce(usize) -> usize) -> usize {
        let more = 1;
        expected(self.max_tokens)
            .saturating_sub(self.generated)
            .max(more)
    }

    /// What is to be known to choose a token.
    pub(super) fn asks(&mut self) -> Asks<'_> {
        self.watch.as_mut().map_or(Asks::Logits, Asks::Watched)
    }

    /// The token that was generated last, and what is to be known to choose the next.
    pub(super) fn last(&mut self) -> (&[u32], Asks<'_>) {
        let asks = self.watch.as_mut().map_or(Asks::Logits, Asks::Watched);
        (std::slice::from_ref(&self.last_token), asks)
    }

    /// The next token, and why it is the last one if it is.
    pub(super) fn next_token(
        &mut self,
        logits: &[f32],
    ) -> Result<(Token, Option<FinishReason>), EngineError> {
        let id = self.choose(logits)?;
        let place = match () {
            () if self.end_tokens.contains(&id) => Place::End,
            () if self.generated == self.max_tokens => Place::Last,
            () => Place::Inside,
        };
        let mut sent = self.output.take(id, place, logits)?;
        if let Some(watch) = &self.watch {
            sent.token.attention = watch.shares().to_vec();
        }
        let end = match place {
            _ if sent.stopped => Some(FinishReason::Stop),
            Place::End if self.output.called() => Some(FinishReason::ToolCalls),
            Place::End => Some(FinishReason::Stop),
            Place::Last => Some(FinishReason::Length),
            Place::Inside => None,
        };
        Ok((sent.token, end))
    }

    fn choose(&mut self, logits: &[f32]) -> Result<u32, EngineError> {
        let mut wished = self.output.restrict(self.penalties.apply(logits));
        if let Some(grammar) = &mut self.grammar {
            grammar.restrict(wished.to_mut())?;
        }
        if let Some(quotation) = &self.quotation {
            quotation.restrict(wished.to_mut());
        }
        let id = self.sampler.sample(&wished)?;
        self.penalties.note(id);
        self.last_token = id;
        self.generated += 1;
        if let Some(quotation) = &mut self.quotation {
            quotation.consume(id);
        }
        match &mut self.grammar {
            Some(grammar) if !self.end_tokens.contains(&id) => grammar.consume(id)?,
            _ => {}
        }
        Ok(id)
    }
}
