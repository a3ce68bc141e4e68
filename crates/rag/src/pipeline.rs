//! The way of a question to its answer.

use std::sync::Arc;

use engine::{Engine, Request};
use retrieval::Index;

use crate::answer::{Answer, AnsweredBy};
use crate::cite::Citer;
use crate::error::RagError;
use crate::evidence::Evidence;
use crate::prompt::{Splice, splice};
use crate::question::{Mode, Question};
use crate::quotes::quote;
use crate::refusal::refuse;
use crate::search::{Found, search};
use crate::settings::Settings;
use crate::writer::Writer;

/// Answers questions from documents, with one engine.
pub struct Pipeline {
    engine: Arc<dyn Engine>,
    settings: Settings,
}

impl Pipeline {
    /// A pipeline whose answers `engine` writes.
    pub fn new(engine: Arc<dyn Engine>, settings: Settings) -> Self {
        Self { engine, settings }
    }

    /// Answers `question` from the passages of `indexes`.
    ///
    /// Searches, weighs, splices and starts generation before it returns, all on this thread;
    /// the text comes later, from the [`Answer`]. Dropping that cancels the generation.
    /// Without any index the model answers from what it knows, and nothing is cited.
    ///
    /// # Errors
    ///
    /// [`RagError::Invalid`] and [`RagError::PromptTooLong`] when the question is at fault,
    /// else what search or engine report.
    pub fn answer(&self, indexes: &[Arc<Index>], question: Question) -> Result<Answer, RagError> {
        question.check()?;
        if indexes.is_empty() {
            return self.converse(question);
        }
        let found = search(indexes, &question, &self.settings)?;
        let evidence = Evidence::in_hits(&found, &self.settings);
        if !evidence.answered {
            return Ok(refuse(&found, evidence, self.engine.model()));
        }
        if self.speaker(question.mode) == AnsweredBy::Quotes {
            let quotes = quote(&found, question.citations, &self.settings);
            return Ok(quotes.answer(evidence, self.engine.model()));
        }
        let splice = splice(&*self.engine, &question, Some(&found), &self.settings)?;
        self.generate(question, splice, Some((found, evidence)))
    }

    /// Who answers when there are documents to answer from.
    fn speaker(&self, mode: Mode) -> AnsweredBy {
        match mode {
            Mode::Model => AnsweredBy::Model,
            Mode::Quotes => AnsweredBy::Quotes,
            Mode::Auto if self.engine.model().card.quotes_better => AnsweredBy::Quotes,
            Mode::Auto => AnsweredBy::Model,
        }
    }

    fn converse(&self, question: Question) -> Result<Answer, RagError> {
        if question.mode == Mode::Quotes {
            return Err(RagError::Invalid {
                param: "answer",
                message: "quotes need documents to quote from".into(),
            });
        }
        let splice = splice(&*self.engine, &question, None, &self.settings)?;
        self.generate(question, splice, None)
    }

    fn generate(
        &self,
        question: Question,
        splice: Splice,
        grounds: Option<(Found, Evidence)>,
    ) -> Result<Answer, RagError> {
        let tokens = self.engine.generate(Request {
            prompt: splice.prompt,
            sampling: question.sampling,
            max_tokens: Some(splice.max_tokens),
            stop: question.stop,
            logit_bias: question.logit_bias,
            ..Request::default()
        })?;
        let evidence = grounds.as_ref().map(|(_, evidence)| *evidence);
        let search_results = splice.sources.results();
        let citer = grounds
            .map(|(found, _)| Citer::new(found, splice.sources, self.settings.citation_floor));
        let writer = Writer::new(citer, question.citations);
        Ok(Answer::from_model(tokens, writer, splice.ledger).with_search(evidence, search_results))
    }
}
