//! What is asked, and how it is to be answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Message, Role, SamplingParams};

use crate::error::RagError;
use crate::language;

/// The longest question that is searched for, in bytes.
pub const MAX_QUESTION_BYTES: usize = 2 * 1024;

/// A question in its conversation, with the wishes about its answer.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The conversation, oldest first; the last message is the question and the user's.
    pub messages: Vec<Message>,
    /// Who answers.
    pub mode: Mode,
    /// How sources are cited.
    pub citations: CitationStyle,
    /// How many passages to search for; `None` leaves it to the settings.
    pub top_k: Option<usize>,
    /// Search only these files; `None` searches all.
    pub files: Option<Arc<BTreeSet<String>>>,
    /// How the model chooses tokens.
    pub sampling: SamplingParams,
    /// The most tokens to generate; `None` leaves it to the settings.
    pub max_tokens: Option<usize>,
    /// Generation ends before any of these strings.
    pub stop: Vec<String>,
    /// Added to the logits of these tokens of the model, see [`engine::Request`].
    pub logit_bias: Vec<(u32, f32)>,
}

/// Who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The model, unless its card says that quoting answers better than it does.
    #[default]
    Auto,
    /// The model.
    Model,
    /// The sources themselves: the best sentences verbatim, without the model.
    Quotes,
}

/// How sources are cited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CitationStyle {
    /// Citations come with the text, and ` [n]` stands in the text behind each cited sentence.
    #[default]
    Inline,
    /// Citations come with the text, which stays free of markers.
    Fields,
    /// No citations.
    Off,
}

/// What to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// The question as asked.
    pub(crate) question: String,
    /// The question, with the one before it when it cannot be understood alone.
    pub(crate) text: String,
}

impl Question {
    /// Refuses a conversation that ends in no question.
    pub(crate) fn check(&self) -> Result<(), RagError> {
        let problem = match self.messages.last() {
            None => "there are no messages",
            Some(last) if last.role != Role::User => "the last message must be the user's",
            Some(last) if last.content.trim().is_empty() => "the last message is empty",
            Some(_) => return Ok(()),
        };
        Err(RagError::Invalid {
            param: "messages",
            message: problem.into(),
        })
    }

    /// What to search for: the last message, and the user's message before it when the last
    /// one only makes sense behind it.
    pub(crate) fn query(&self) -> Result<Query, RagError> {
        let mut said = self.messages.iter().rev().filter(|m| m.role == Role::User);
        let question = said.next().map_or("", |message| message.content.trim());
        if question.len() > MAX_QUESTION_BYTES {
            return Err(RagError::Invalid {
                param: "messages",
                message: format!(
                    "the question has {} bytes and may have {MAX_QUESTION_BYTES}",
                    question.len()
                ),
            });
        }
        let before = said.next().map(|message| message.content.trim());
        let text = match before {
            Some(before)
                if language::leans_on_context(question)
                    && before.len() + question.len() < MAX_QUESTION_BYTES =>
            {
                format!("{before} {question}")
            }
            _ => question.to_owned(),
        };
        Ok(Query {
            question: question.to_owned(),
            text,
        })
    }
}
