//! What is asked, and how it is to be answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Message, OutputFormat, Role, SamplingParams, ToolChoice};
use serde_json::Value;

use crate::encoders::Method;
use crate::error::RagError;
use crate::follow_up::leans_on_context;
use crate::language::Language;
use crate::profile::Profile;
use crate::settings::Settings;
use crate::support::SupportPolicy;
use crate::task::{Example, Task};

/// The longest question that is searched for, in bytes.
pub const MAX_QUESTION_BYTES: usize = 2 * 1024;

/// A follow-up of a follow-up is completed from so many questions.
const MAX_QUESTIONS_BEFORE: usize = 3;

/// A question in its conversation, with the wishes about its answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The conversation, oldest first. The last message is the question and the user's, or the
    /// result of a tool that the model called for it.
    pub messages: Vec<Message>,
    /// What the model puts in quotation marks must be the words of a source.
    pub verbatim_quotations: bool,
    /// What the model writes from sources is to be judged, see [`Judge`](crate::Judge).
    pub groundedness: bool,
    /// What is to be done with the last message.
    pub task: Task,
    /// The task done well, for the model to follow.
    pub examples: Vec<Example>,
    /// How answers from what is searched are to be made.
    pub profile: Option<Arc<Profile>>,
    /// Who answers.
    pub mode: Mode,
    /// How sources are cited.
    pub citations: CitationStyle,
    /// What happens to sentences that no source supports; `None` leaves it to the settings.
    pub support: Option<SupportPolicy>,
    /// How many passages to search for; `None` leaves it to the settings.
    pub top_k: Option<usize>,
    /// Search only these files; `None` searches all.
    pub files: Option<Arc<BTreeSet<String>>>,
    /// How many texts to offer, at least 1. With a seed, each has the next seed.
    pub choices: usize,
    /// By what passages are found.
    pub method: Method,
    /// How the model chooses tokens.
    pub sampling: SamplingParams,
    /// The most tokens to generate; `None` leaves it to the settings.
    pub max_tokens: Option<usize>,
    /// Generation ends before any of these strings.
    pub stop: Vec<String>,
    /// What the engine keeps of a prompt is used again only for questions with the same, see
    /// [`engine::Request`].
    pub salt: Option<String>,
    /// Added to the logits of these tokens of the model, see [`engine::Request`].
    pub logit_bias: Vec<(u32, f32)>,
    /// How many of the model's most likely tokens to report beside each of the answer's, if any;
    /// see [`engine::Request`].
    pub logprobs: Option<usize>,
    /// What the answer's text must be. JSON is written by the model alone, and cannot hold
    /// markers.
    pub format: OutputFormat,
    /// Tools the model may call, see [`engine::Prompt`]. With any, the model speaks even if the
    /// documents do not answer: a tool may.
    pub tools: Vec<Value>,
    /// Whether it must call one.
    pub tool_choice: ToolChoice,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            verbatim_quotations: false,
            groundedness: false,
            task: Task::default(),
            examples: Vec::new(),
            profile: None,
            mode: Mode::default(),
            citations: CitationStyle::default(),
            support: None,
            top_k: None,
            files: None,
            method: Method::default(),
            choices: 1,
            sampling: SamplingParams::default(),
            max_tokens: None,
            stop: Vec::new(),
            salt: None,
            logit_bias: Vec::new(),
            logprobs: None,
            format: OutputFormat::default(),
            tools: Vec::new(),
            tool_choice: ToolChoice::default(),
        }
    }
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
    /// Refuses a conversation that ends in no question, and wishes that exclude each other.
    pub(crate) fn check(&self) -> Result<(), RagError> {
        self.check_messages()?;
        self.task.check(&self.examples)?;
        let refuse = |param, message: &str| {
            Err(RagError::Invalid {
                param,
                message: message.into(),
            })
        };
        if self.choices == 0 {
            return refuse("n", "there must be at least one choice");
        }
        if !self.tools.is_empty() && self.is_json() {
            return refuse(
                "response_format",
                "JSON leaves no room for calls of tools; ask for one or the other",
            );
        }
        if !self.tools.is_empty() && self.mode == Mode::Quotes {
            let message = "quotes call no tools; set answer to \"model\", or leave it out";
            return refuse("answer", message);
        }
        if self.support == Some(SupportPolicy::Strict) && !self.tools.is_empty() {
            let message = "strict would hold back what the model says beside calls of tools; set \
                support to \"mark\", or leave it out";
            return refuse("support", message);
        }
        if self.verbatim_quotations && (self.is_json() || !self.tools.is_empty()) {
            let message = "quotation marks mean something else in JSON and in calls of tools; \
                leave quotations out";
            return refuse("quotations", message);
        }
        if !self.task.is_answer() && self.mode == Mode::Quotes {
            let message = "quotes answer questions and do nothing else; set answer to \
                \"model\", or leave it out";
            return refuse("answer", message);
        }
        if !self.is_json() {
            return Ok(());
        }
        if self.support == Some(SupportPolicy::Strict) {
            let message = "a refusal in words would break the JSON that response_format asks for; \
                set support to \"mark\", or leave it out";
            return refuse("support", message);
        }
        if self.citations == CitationStyle::Inline {
            let message = "markers in the text would break the JSON that response_format asks \
                for; set citations to \"fields\" or \"off\", or leave it out";
            return refuse("citations", message);
        }
        if self.mode == Mode::Quotes {
            let message = "quotes are not JSON, which response_format asks for; set answer to \
                \"model\", or leave it out";
            return refuse("answer", message);
        }
        Ok(())
    }

    /// The question and the settings as its profile has them.
    ///
    /// # Errors
    ///
    /// When the profile does not allow who is to answer.
    pub(crate) fn under_profile(
        mut self,
        settings: &Settings,
    ) -> Result<(Self, Settings), RagError> {
        let mut settings = settings.clone();
        if let Some(profile) = self.profile.clone() {
            settings = profile.applied_to(&settings);
            self.mode = profile.mode(&self).ok_or_else(|| RagError::Invalid {
                param: "answer",
                message: format!(
                    "the profile {:?} does not allow who is to answer; leave the field out",
                    profile.name
                ),
            })?;
            let instruction = profile.instruction.in_language(self.language());
            if let Some(instruction) = instruction {
                self.messages
                    .insert(0, Message::new(Role::System, instruction));
            }
        }
        // A profile's strictness is not the question's to undo.
        let is_bound = self.profile.is_some() && settings.support == SupportPolicy::Strict;
        settings.support = match self.support {
            Some(wished) if !is_bound => wished,
            _ => settings.support,
        };
        // Neither JSON nor calls of tools can be held back for a refusal in words.
        let free = self.is_json() || !self.tools.is_empty();
        if free && settings.support == SupportPolicy::Strict {
            settings.support = SupportPolicy::Mark;
        }
        Ok((self, settings))
    }

    /// What the answer ends with: a sentence behind the text, where text may follow.
    pub(crate) fn disclaimer(&self) -> Option<String> {
        let profile = self.profile.as_ref()?;
        let disclaimer = profile.disclaimer.in_language(self.language());
        let may_follow = self.citations == CitationStyle::Inline && !self.is_json();
        disclaimer.filter(|_| may_follow).map(str::to_owned)
    }

    /// Where the question stands among the messages: the last one of the user, behind which only
    /// calls of tools and their results may follow.
    pub(crate) fn asked_at(&self) -> usize {
        let last = self.messages.iter().rposition(|m| m.role == Role::User);
        last.unwrap_or(0)
    }

    /// The language in which it is asked.
    pub(crate) fn language(&self) -> Language {
        let asked = self.messages.get(self.asked_at());
        Language::of(asked.map_or("", |message| &message.content))
    }

    /// The answer must be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format != OutputFormat::Text
    }

    fn check_messages(&self) -> Result<(), RagError> {
        let problem = match self.messages.last() {
            None => "there are no messages",
            Some(last) if !matches!(last.role, Role::User | Role::Tool) => {
                "the last message must be the user's, or the result of a tool"
            }
            Some(_) if self.messages[self.asked_at()].role != Role::User => {
                "there is no message of the user's"
            }
            Some(last) if last.role == Role::User && last.content.trim().is_empty() => {
                "the last message is empty"
            }
            Some(_) => return Ok(()),
        };
        Err(RagError::Invalid {
            param: "messages",
            message: problem.into(),
        })
    }

    /// What to search for: the last message, and the user's messages before it as long as they
    /// only make sense behind those.
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
        let mut text = question.to_owned();
        let mut earliest = question;
        for before in said.take(MAX_QUESTIONS_BEFORE) {
            let before = before.content.trim();
            if !leans_on_context(earliest) || before.len() + text.len() >= MAX_QUESTION_BYTES {
                break;
            }
            text = format!("{before} {text}");
            earliest = before;
        }
        Ok(Query {
            question: question.to_owned(),
            text,
        })
    }
}
