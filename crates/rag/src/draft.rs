//! A prompt in the making, counted in the model's tokens.

mod passages;

use engine::{Engine, Message, Role};

use serde_json::Value;

use crate::error::RagError;
use crate::ledger::{Dropped, Ledger, LedgerPassage};
use crate::prompt::{Splice, render};
use crate::prompts::Wording;
use crate::question::Question;
use crate::settings::Settings;
use crate::sources::{Source, Sources};

/// Tokens that a chat template or ours may put around a passage or a turn. An estimate: the
/// whole prompt is counted before it is sent.
const OVERHEAD: usize = 8;

/// Beside passages, earlier turns get at most this part of the room.
const HISTORY_PART: usize = 3;

const NO_ROOM: &str = "it does not fit the model's context";

/// A prompt in the making. System messages and the question are in it from the beginning.
pub(crate) struct Draft<'a> {
    engine: &'a dyn Engine,
    system: Vec<Message>,
    history: Vec<Turn>,
    /// The last message of the user, and the calls of tools that followed it.
    question: Vec<Message>,
    tools: Vec<Value>,
    wording: Wording<'a>,
    sources: Sources,
    ledger: Ledger,
    /// Tokens wished for the answer.
    wanted: usize,
    /// Tokens that nothing takes yet.
    free: usize,
}

/// An earlier message of the conversation.
struct Turn {
    /// Its place in the conversation, from 1.
    place: usize,
    message: Message,
    tokens: usize,
}

impl<'a> Draft<'a> {
    /// A prompt of the question alone.
    ///
    /// # Errors
    ///
    /// [`RagError::PromptTooLong`] when that is too much already.
    pub(crate) fn new(
        engine: &'a dyn Engine,
        question: &Question,
        settings: &Settings,
        wording: Wording<'a>,
    ) -> Result<Self, RagError> {
        let context = engine.model().context;
        let wanted = question
            .max_tokens
            .unwrap_or(settings.max_answer_tokens)
            .max(1);
        let messages = question.messages.iter();
        let system = messages.filter(|message| message.role == Role::System);
        let system: Vec<Message> = system.cloned().collect();
        let asked = question.messages[question.asked_at()..].iter();
        let asked: Vec<Message> = asked.filter(|m| m.role != Role::System).cloned().collect();
        let count = |message: &Message| engine.count_tokens(&message.content);
        let tools = question.tools.iter();
        let tools = tools.map(|tool| engine.count_tokens(&tool.to_string()));
        let examples = question.examples.iter();
        let examples = examples.map(|example| {
            engine.count_tokens(&example.input) + engine.count_tokens(&example.output)
        });
        let mut draft = Self {
            engine,
            ledger: Ledger {
                context,
                system: system.iter().map(count).chain(tools).chain(examples).sum(),
                question: asked.iter().map(count).sum(),
                // The answer may wish for more than the model has; the question needs room too.
                reserved_for_answer: wanted.min(context / 2),
                ..Ledger::default()
            },
            system,
            history: Vec::new(),
            question: asked,
            tools: question.tools.clone(),
            wording,
            sources: Sources::default(),
            wanted,
            free: 0,
        };
        let tokens = draft.count()?;
        draft.free = draft
            .room()
            .checked_sub(tokens)
            .ok_or_else(|| draft.too_long(tokens))?;
        Ok(draft)
    }

    /// Keeps the latest turns that fit, without a gap; `shared` leaves room for passages.
    pub(crate) fn add_history(&mut self, question: &Question, shared: bool) {
        let part = if shared { HISTORY_PART } else { 1 };
        let mut left = Some(self.free / part);
        let earlier = question.asked_at();
        let earlier = question.messages[..earlier].iter().zip(1..earlier + 1);
        for (message, place) in earlier.rev().filter(|(m, _)| m.role != Role::System) {
            let tokens = self.engine.count_tokens(&message.content);
            let turn = Turn {
                place,
                message: message.clone(),
                tokens,
            };
            left = left.and_then(|left| left.checked_sub(tokens + OVERHEAD));
            if left.is_some() {
                self.free -= tokens + OVERHEAD;
                self.history.insert(0, turn);
            } else {
                self.drop_turn(&turn);
            }
        }
    }

    /// Counts the whole prompt, leaves out more should it not fit after all, and hands it over.
    pub(crate) fn finish(mut self) -> Result<Splice, RagError> {
        let searched = !self.sources.is_empty();
        self.drop_results_without_calls();
        let mut tokens = self.count()?;
        while tokens > self.room() {
            if let Some(source) = self.sources.pop() {
                self.drop_passage(&source, NO_ROOM);
            } else if !self.history.is_empty() {
                self.drop_oldest_turn();
            } else {
                return Err(self.too_long(tokens));
            }
            tokens = self.count()?;
        }
        if searched && self.sources.is_empty() {
            return Err(self.too_long(tokens));
        }
        if self.engine.model().card.max_source_tokens.is_none() {
            tokens = self.join_neighbours(tokens)?;
        }
        self.ledger.history = self.history.iter().map(|turn| turn.tokens).sum();
        self.ledger.passages = self
            .sources
            .numbered()
            .map(|(n, source)| LedgerPassage {
                n,
                tokens: self.tokens_of(source),
            })
            .collect();
        Ok(Splice {
            prompt: self.prompt()?,
            max_tokens: self.wanted.min(self.ledger.context - tokens),
            sources: self.sources,
            ledger: self.ledger,
        })
    }

    /// Sources that follow one another become one: that says their title once. Returns what the
    /// prompt has then, `tokens` before.
    fn join_neighbours(&mut self, tokens: usize) -> Result<usize, RagError> {
        let joined = self.sources.clone().joined();
        if joined.len() == self.sources.len() {
            return Ok(tokens);
        }
        let apart = std::mem::replace(&mut self.sources, joined);
        let fewer = self.count()?;
        if fewer <= self.room() {
            return Ok(fewer);
        }
        // Where two meet, the tokenizer may cut otherwise.
        self.sources = apart;
        Ok(tokens)
    }

    fn prompt(&self) -> Result<engine::Prompt, RagError> {
        let history = self.history.iter().map(|turn| &turn.message);
        let earlier = self.system.iter().chain(history).cloned();
        let reads_documents = self.engine.model().reads_documents;
        let prompt = render(
            earlier,
            &self.question,
            &self.sources,
            reads_documents,
            self.wording,
        )?;
        Ok(engine::Prompt {
            tools: self.tools.clone(),
            ..prompt
        })
    }

    fn count(&self) -> Result<usize, RagError> {
        Ok(self.engine.count_prompt_tokens(&self.prompt()?)?)
    }

    /// Tokens that the prompt may have.
    fn room(&self) -> usize {
        self.ledger.context - self.ledger.reserved_for_answer
    }

    fn tokens_of(&self, source: &Source) -> usize {
        let document = source.document();
        self.engine.count_tokens(&document.title) + self.engine.count_tokens(&document.text)
    }

    fn drop_passage(&mut self, source: &Source, why: &str) {
        self.ledger.dropped.push(Dropped {
            what: source.describe(),
            tokens: self.tokens_of(source),
            why: why.into(),
        });
    }

    fn drop_oldest_turn(&mut self) {
        let oldest = self.history.remove(0);
        self.drop_turn(&oldest);
        self.drop_results_without_calls();
    }

    /// Templates refuse the result of a tool that nobody called.
    fn drop_results_without_calls(&mut self) {
        let is_result = |turn: &Turn| turn.message.role == Role::Tool;
        while self.history.first().is_some_and(is_result) {
            let oldest = self.history.remove(0);
            self.drop_turn(&oldest);
        }
    }

    fn drop_turn(&mut self, turn: &Turn) {
        self.ledger.dropped.push(Dropped {
            what: format!("message {} ({})", turn.place, turn.message.role.as_str()),
            tokens: turn.tokens,
            why: "the earlier conversation does not fit the model's context".into(),
        });
    }

    fn too_long(&self, tokens: usize) -> RagError {
        RagError::PromptTooLong {
            param: "messages",
            tokens,
            room: self.room(),
            reserved: self.ledger.reserved_for_answer,
        }
    }
}
