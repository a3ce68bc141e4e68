//! What an engine is asked.

use serde_json::Value;

/// One request to an engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// What the model reads.
    pub prompt: Prompt,
    /// How the next token is chosen.
    pub sampling: SamplingParams,
    /// The most tokens to generate; `None` means as many as the context leaves room for.
    pub max_tokens: Option<usize>,
    /// Generation ends before the first of these strings would appear in the text.
    pub stop: Vec<String>,
    /// Added to the logits of these tokens, -100 to 100: -100 all but forbids a token, 100 all
    /// but forces it.
    pub logit_bias: Vec<(u32, f32)>,
    /// With whom it shares what the engine keeps of prompts.
    pub sharing: Sharing,
    /// How many of the most likely tokens to report beside each chosen one, 0 to 20; `None`
    /// reports no probabilities.
    pub logprobs: Option<usize>,
    /// What the text must be.
    pub format: OutputFormat,
    /// Whether the model must call one of [`Prompt::tools`].
    pub tool_choice: ToolChoice,
    /// Parts of the prompt, such as the sentences of its sources, in the order in which they
    /// stand in it: each [`Token`](crate::Token) then tells how much attention they got. A text
    /// is looked for behind the one before it, word for word; one that is not found gets none.
    pub watch: Vec<String>,
    /// Between quotation marks (`“ ”`, `" "`, `「 」`, `『 』`, `« »`) the answer says only what
    /// stands in one of these texts, to the byte; anything if there are none. A quotation has at
    /// least one character, and may end behind any. Cannot be combined with a
    /// [`format`](Request::format) or with tools, in which marks mean something else.
    pub quotable: Vec<String>,
    /// How likely the documents of the prompt hold the answer, 0 to 1, as far as whoever looked for
    /// them can tell; a model that can decline to answer weighs it with what it reads in them.
    /// `None` when nothing is known.
    pub evidence: Option<f32>,
    /// What each document of the prompt is worth by its meaning, in their order: 0 where it has
    /// nothing to do with the question, about 1 where it surely answers; a model that chooses among
    /// documents weighs it with what it reads in them. Empty when nothing is known.
    pub nearness: Vec<f32>,
}

impl Request {
    /// The most alternatives that [`Request::logprobs`] may ask for, as OpenAI has it.
    pub const MOST_LOGPROBS: usize = 20;

    /// The most bytes that [`Request::quotable`] may hold.
    pub const MOST_QUOTABLE_BYTES: usize = 1 << 16;

    /// The most texts that [`Request::watch`] may hold.
    pub const MOST_WATCHED: usize = 4096;
}

/// With which other requests a request shares what the engine keeps of prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Whose request it is. What is kept of a prompt is used again only for requests with the
    /// same salt, so that nobody can learn from the time an answer takes what others have asked.
    pub salt: Option<String>,
    /// The engine's [era](crate::Engine::era) when the texts in the prompt were read; `None`
    /// stands for the present one. If it has ended since, some of them may have been deleted, and
    /// nothing of the request is kept.
    pub era: Option<u64>,
}

/// Whether the model must call a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// It is made to begin a call, of a tool of its choice. Nothing makes it end the call well.
    Required,
    /// It is made to begin a call of this tool.
    Named(String),
}

/// What the generated text must be. Tokens that would break it are never chosen; an answer that
/// is cut at its token limit may be the beginning of such a text only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// Anything.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that this JSON Schema, itself JSON, allows.
    JsonSchema(String),
}

/// What the model reads: a conversation, and documents and tools beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Passages for a template that places them itself
    /// (see [`ModelInfo::reads_documents`](crate::ModelInfo)); ignored by any other.
    pub documents: Vec<PromptDocument>,
    /// Tools the model may call, each as OpenAI writes it (`{"type": "function", "function":
    /// {"name": …, "description": …, "parameters": …}}`), for a template that reads them
    /// (see [`ModelInfo::reads_tools`](crate::ModelInfo)); ignored by any other.
    pub tools: Vec<Value>,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; may be empty beside tool calls.
    pub content: String,
    /// Tools that the model called in this turn.
    pub tool_calls: Vec<ToolCall>,
    /// In a tool's turn: which call this is the result of.
    pub tool_call_id: Option<String>,
    /// Who speaks, by name; in a tool's turn the tool's.
    pub name: Option<String>,
}

impl Message {
    /// A turn that is nothing but text.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        }
    }
}

/// One call of a tool, in a turn of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// What the result will refer to.
    pub id: Option<String>,
    /// The tool.
    pub name: String,
    /// What it is called with. Templates are written for an object; a text is passed on as it is.
    pub arguments: Value,
}

/// Who speaks in a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions to the model.
    System,
    /// The person asking.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called, with its result.
    Tool,
}

impl Role {
    /// The role's name in chat templates and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

/// One passage, in the form of the `documents` variable of Hugging Face chat templates.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptDocument {
    /// What the passage belongs to.
    pub title: String,
    /// The passage.
    pub text: String,
}

/// How the next token is chosen from the model's logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingParams {
    /// Divides the logits, 0 to 2; 0 always takes the most likely token.
    pub temperature: f32,
    /// Keeps the most likely tokens up to this total probability, above 0 to 1.
    pub top_p: f32,
    /// Keeps this many of the most likely tokens; `None` keeps all.
    pub top_k: Option<usize>,
    /// Drops tokens less likely than this share of the most likely one, 0 to 1.
    pub min_p: f32,
    /// Taken from a token's logit for each time it was generated already, -2 to 2.
    pub frequency_penalty: f32,
    /// Taken from a token's logit if it was generated already, -2 to 2.
    pub presence_penalty: f32,
    /// Divides a positive logit, and multiplies a negative one, of every token that stands in
    /// the prompt or the answer already (Keskar et al. 2019, CTRL); above 0 to 2, 1 for none.
    pub repetition_penalty: f32,
    /// Starts the random numbers; `None` picks a seed.
    pub seed: Option<u64>,
}

impl SamplingParams {
    /// Always the most likely token.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_p: 1.0,
        top_k: None,
        min_p: 0.0,
        frequency_penalty: 0.0,
        presence_penalty: 0.0,
        repetition_penalty: 1.0,
        seed: None,
    };
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self::GREEDY
    }
}
