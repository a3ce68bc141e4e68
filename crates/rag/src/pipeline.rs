//! The way of a question to its answer.

use std::sync::Arc;

use engine::{Engine, Fingerprint, Prompt, Request, Sharing};
use retrieval::Index;

use crate::answer::{Answer, AnsweredBy};
use crate::choice::{Choice, Held, Writing};
use crate::cite::{Citer, Floors};
use crate::encoders::Encoders;
use crate::error::RagError;
use crate::evidence::Evidence;
use crate::groundedness::Judge;
use crate::json_writer::JsonWriter;
use crate::likeness::Likeness;
use crate::piece::Telling;
use crate::prompt::{Splice, splice};
use crate::prompts::Prompts;
use crate::question::{Mode, Question};
use crate::quotes::quote;
use crate::refusal::{declined, nothing_to_name, refuse, withheld};
use crate::search::{Found, search};
use crate::settings::Settings;
use crate::support::SupportPolicy;
use crate::writer::Writer;

/// Answers questions from documents, with one engine.
pub struct Pipeline {
    engine: Arc<dyn Engine>,
    settings: Settings,
    encoders: Encoders,
    /// The embedder once more, as a judge of likeness.
    likeness: Option<Arc<Likeness>>,
    prompts: Prompts,
}

impl Pipeline {
    /// A pipeline whose answers `engine` writes.
    pub fn new(engine: Arc<dyn Engine>, settings: Settings) -> Self {
        Self {
            engine,
            settings,
            encoders: Encoders::default(),
            likeness: None,
            prompts: Prompts::default(),
        }
    }

    /// Puts tasks to the model in the words of these templates.
    pub fn with_prompts(mut self, prompts: Prompts) -> Self {
        self.prompts = prompts;
        self
    }

    /// Searches with these models too.
    pub fn with_encoders(mut self, encoders: Encoders) -> Self {
        let embedder = encoders.embedder.clone();
        self.likeness = embedder.map(|embedder| Arc::new(Likeness::new(embedder)));
        self.encoders = encoders;
        self
    }

    /// What tells the model from every other; see [`Engine::fingerprint`].
    pub fn fingerprint(&self) -> Fingerprint {
        self.engine.fingerprint()
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
        self.check_tools(&question)?;
        let (question, settings) = question.under_profile(&self.settings)?;
        if indexes.is_empty() {
            return self.converse(question, &settings);
        }
        // Before anything is read that may be deleted meanwhile.
        let era = self.engine.era();
        let likeness = self.likeness.clone();
        let found = search(&self.encoders, indexes, &question, &settings, likeness)?;
        let mut evidence = Evidence::in_hits(&found, &settings);
        // What is no question is not answered, and so not refused either.
        evidence.answered |= !question.task.is_answer() && !found.hits.is_empty();
        if !evidence.answered && !question.tools.is_empty() {
            let answer = self.converse(question, &settings)?;
            return Ok(answer.with_search(Some(evidence), Vec::new()));
        }
        if !evidence.answered {
            return Ok(refuse(
                &found,
                evidence,
                question.choices,
                self.engine.model(),
            ));
        }
        if self.speaker(&question) == AnsweredBy::Quotes {
            let quotes = quote(&found, question.citations, &settings);
            let quotes = quotes.ending_in(question.disclaimer());
            return Ok(quotes.answer(evidence, question.choices, self.engine.model()));
        }
        let splice = self.splice(&question, Some(&found), &settings)?;
        self.generate(
            question,
            &settings,
            splice,
            Some(Grounds {
                found,
                evidence,
                era,
            }),
        )
    }

    /// Bytes that the engine keeps of earlier prompts and answers.
    pub fn cached_bytes(&self) -> usize {
        self.engine.load().kv.cached_bytes
    }

    /// Lets go of earlier prompts and answers, and of what sentences mean, because documents were
    /// deleted.
    pub fn forget(&self) {
        self.engine.forget();
        if let Some(likeness) = &self.likeness {
            likeness.forget();
        }
    }

    fn check_tools(&self, question: &Question) -> Result<(), RagError> {
        let model = self.engine.model();
        if question.tools.is_empty() || model.reads_tools {
            return Ok(());
        }
        Err(RagError::Invalid {
            param: "tools",
            message: format!(
                "the model {:?} has no way of calling tools that ibid knows; leave them out, or \
                 serve a model whose chat template has one",
                model.name
            ),
        })
    }

    /// Who answers when there are documents to answer from.
    fn speaker(&self, question: &Question) -> AnsweredBy {
        match question.mode {
            Mode::Model => AnsweredBy::Model,
            Mode::Quotes => AnsweredBy::Quotes,
            // Quotes are no JSON, call no tools, and do nothing but answer.
            Mode::Auto if question.is_json() || !question.tools.is_empty() => AnsweredBy::Model,
            Mode::Auto if !question.task.is_answer() => AnsweredBy::Model,
            Mode::Auto if self.engine.model().card.quotes_better => AnsweredBy::Quotes,
            Mode::Auto => AnsweredBy::Model,
        }
    }

    fn splice(
        &self,
        question: &Question,
        found: Option<&Found>,
        settings: &Settings,
    ) -> Result<Splice, RagError> {
        splice(&*self.engine, question, found, settings, &self.prompts)
    }

    fn converse(&self, question: Question, settings: &Settings) -> Result<Answer, RagError> {
        if question.mode == Mode::Quotes {
            return Err(RagError::Invalid {
                param: "answer",
                message: "quotes need documents to quote from".into(),
            });
        }
        let splice = self.splice(&question, None, settings)?;
        self.generate(question, settings, splice, None)
    }

    fn generate(
        &self,
        question: Question,
        settings: &Settings,
        splice: Splice,
        grounds: Option<Grounds>,
    ) -> Result<Answer, RagError> {
        let evidence = grounds.as_ref().map(|grounds| grounds.evidence);
        let era = grounds.as_ref().map(|grounds| grounds.era);
        let search_results = splice.sources.results();
        let nearness = splice.sources.nearness();
        let floors = Floors {
            words: settings.citation_floor,
            meaning: settings.meaning_floor,
        };
        let telling = Telling {
            style: question.citations,
            policy: settings.support,
        };
        let holds_back = telling.policy == SupportPolicy::Strict;
        let refusal = grounds.as_ref().map(|grounds| withheld(&grounds.found));
        let refusal = refusal.filter(|_| holds_back);
        let silence = match &grounds {
            Some(_) => declined(question.language()),
            None => nothing_to_name(question.language()),
        };
        let may_be_silent = self.engine.model().card.points && !question.is_json();
        let silence = may_be_silent.then_some(silence);
        let disclaimer = question.disclaimer();
        let quotable = match question.verbatim_quotations {
            true => splice.sources.texts_within(Request::MOST_QUOTABLE_BYTES),
            false => Vec::new(),
        };
        let citer =
            grounds.map(|grounds| Arc::new(Citer::new(grounds.found, splice.sources, floors)));
        let is_json = question.is_json();
        let writing = || match is_json {
            true => Writing::Json(JsonWriter::new(citer.clone(), telling)),
            false => Writing::Prose(Box::new(Writer::new(citer.clone(), telling))),
        };
        let without = match question.groundedness && citer.is_some() {
            true => Some(self.splice(&question, None, settings)?.prompt),
            false => None,
        };
        let watch = match &citer {
            Some(citer) if settings.attention && !is_json => citer.watched(),
            _ => Vec::new(),
        };
        // What is said of a question's words says nothing of a task that names no subject.
        let known = evidence.filter(|_| question.task.is_answer());
        let choices = question.choices;
        let prompt = Arc::new(splice.prompt);
        let request = Request {
            prompt: Prompt::clone(&prompt),
            sampling: question.sampling,
            max_tokens: Some(splice.max_tokens),
            stop: question.stop,
            sharing: Sharing {
                salt: question.salt,
                era,
            },
            logit_bias: question.logit_bias,
            logprobs: question.logprobs,
            format: question.format,
            tool_choice: question.tool_choice,
            watch,
            quotable,
            evidence: known.map(|evidence| evidence.score),
            nearness: known.map_or_else(Vec::new, |_| nearness),
        };
        let choices = (0..choices).map(|at| {
            let tokens = self.engine.generate(nth(&request, at))?;
            let density = settings.citation_density;
            let held = refusal.clone();
            let held = held.map(|refusal| Held::until_supported(refusal, density));
            let choice = Choice::from_model(tokens, writing(), held);
            let choice = choice.or_when_silent(silence);
            Ok(choice.ending_in(disclaimer.clone()))
        });
        let choices = choices.collect::<Result<_, RagError>>()?;
        let mut answer = Answer::from_model(choices, splice.ledger);
        answer.judge = without.map(|without| Judge {
            engine: self.engine.clone(),
            with: prompt.clone(),
            without: Arc::new(without),
            sharing: request.sharing.clone(),
        });
        let answer = answer.with_prompt(prompt);
        Ok(answer.with_search(evidence, search_results))
    }
}

/// What an answer from documents is made of.
struct Grounds {
    found: Found,
    evidence: Evidence,
    /// The engine's era before the search.
    era: u64,
}

/// The request for the text number `at`, from 0: the same with another seed.
fn nth(request: &Request, at: usize) -> Request {
    let mut request = request.clone();
    let seed = &mut request.sampling.seed;
    *seed = seed.map(|seed| seed.wrapping_add(at as u64));
    request
}
