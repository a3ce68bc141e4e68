//! What a model is to do.

use crate::error::RagError;

/// What a model is to do with the last message, and with what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Answer the question.
    #[default]
    Answer,
    /// Say in short what the message, or what was found for it, says.
    Summarise,
    /// Put the message into another language.
    Translate {
        /// The language, by name or code.
        to: String,
    },
    /// Find these in the message, or in what was found for it, as a JSON object.
    Extract {
        /// The keys of the object.
        fields: Vec<String>,
    },
}

/// A task that was done well, for the model to follow (few-shot).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What was put to it.
    pub input: String,
    /// What it gave.
    pub output: String,
}

/// The most examples of one request.
pub const MAX_EXAMPLES: usize = 16;

impl Task {
    /// Its name on the wire, and in the names of templates.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Summarise => "summarise",
            Self::Translate { .. } => "translate",
            Self::Extract { .. } => "extract",
        }
    }

    /// Only a question can be answered in quotes, or refused for want of evidence.
    pub(crate) fn is_answer(&self) -> bool {
        *self == Self::Answer
    }

    pub(crate) fn check(&self, examples: &[Example]) -> Result<(), RagError> {
        let problem = match self {
            Self::Translate { to } if to.trim().is_empty() => "translating needs a language, `to`",
            Self::Extract { fields } if fields.is_empty() => {
                "extracting needs the `fields` to look for"
            }
            _ if examples.len() > MAX_EXAMPLES => "there may be at most 16 examples",
            _ => return Ok(()),
        };
        Err(RagError::Invalid {
            param: "task",
            message: problem.into(),
        })
    }
}
