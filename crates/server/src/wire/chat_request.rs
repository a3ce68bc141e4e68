//! The body of `POST /v1/chat/completions`, read and checked.

use engine::{Message, OutputFormat, SamplingParams};
use rag::{CitationStyle, Mode, SupportPolicy, Task};

use super::context::read_include;
use super::messages::read_messages;
use super::place::{Object, Place};
use super::response_format::read_response_format;
use super::retrieval::{Collections, RetrievalOptions};
use super::sampling::{MAX_TOKENS, read_logit_bias, read_sampling};
use super::task::TaskRequest;
use super::tools::Tools;
use super::unsupported::refuse_unsupported;
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The most strings `stop` may hold, and the most bytes of each.
const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 256;

/// The most bytes of a `cache_salt`.
const MAX_SALT_BYTES: usize = 256;

/// The most texts one request may ask for. Each takes a place in the queue of the model.
const MAX_CHOICES: i64 = 8;

/// A chat request whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChatRequest {
    /// `NAME`, `default` or `NAME@COLLECTION`.
    pub(crate) model: String,
    /// The conversation; the last message is the question, or what a tool said to it.
    pub(crate) messages: Vec<Message>,
    /// What to search for an answer.
    pub(crate) retrieval: RetrievalOptions,
    /// What is to be done, and examples of it.
    pub(crate) task: TaskRequest,
    /// What the model puts in quotation marks must be the words of a source.
    pub(crate) verbatim_quotations: bool,
    /// What the model writes from sources is to be judged by its own numbers.
    pub(crate) groundedness: bool,
    /// The passages are to come once more as `context`.
    pub(crate) include_context: bool,
    /// How citations are shown.
    pub(crate) citations: CitationStyle,
    /// What happens to sentences that nothing supports; `None` leaves it to the configuration.
    pub(crate) support: Option<SupportPolicy>,
    /// Who answers.
    pub(crate) answer: Mode,
    /// How the model chooses tokens. Greedy unless asked otherwise: answers from sources are
    /// better for it, and the same question gives the same answer.
    pub(crate) sampling: SamplingParams,
    /// Added to the logits of these tokens.
    pub(crate) logit_bias: Vec<(u32, f32)>,
    /// How many texts are offered; `n` on the wire.
    pub(crate) choices: usize,
    /// How many of the most likely tokens to report beside each of the answer's, if any.
    pub(crate) logprobs: Option<usize>,
    /// What the answer's text must be.
    pub(crate) format: OutputFormat,
    /// What the model may call.
    pub(crate) tools: Tools,
    /// The most tokens of the answer.
    pub(crate) max_tokens: Option<usize>,
    /// Strings that end the answer.
    pub(crate) stop: Vec<String>,
    /// What is kept of the prompt is used again only for requests with the same.
    pub(crate) cache_salt: Option<String>,
    /// The answer is to come as it is made.
    pub(crate) stream: bool,
    /// A stream is to end with a chunk of `usage`.
    pub(crate) include_usage: bool,
}

impl ChatRequest {
    /// Reads the body. Fields of OpenAI's that change nothing here (`user`, `metadata`,
    /// `store` …) and unknown ones are ignored.
    pub(crate) fn read(body: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        refuse_unsupported(body)?;
        let format = body.optional("response_format", read_response_format)?;
        let task = body.optional("task", TaskRequest::read)?;
        let task = task.unwrap_or_default();
        let format = format.unwrap_or_else(|| task.usual_format());
        let mut retrieval = RetrievalOptions::read(body, limits)?;
        // What is no question is searched for only when the request says so.
        if task.task != Task::Answer && !body.mentions("retrieval") {
            retrieval.collections = Collections::None;
        }
        let include = body.optional("include", read_include)?;
        Ok(Self {
            model: body.require("model")?.string()?.to_owned(),
            messages: read_messages(body, limits)?,
            retrieval,
            task,
            verbatim_quotations: body
                .optional("quotations", read_quotations)?
                .unwrap_or(false),
            groundedness: read_groundedness(body)?,
            include_context: include.unwrap_or(false),
            citations: body
                .optional("citations", read_citations)?
                .unwrap_or_else(|| usual_citations(&format)),
            format,
            support: body.optional("support", read_support)?,
            answer: body.optional("answer", read_answer)?.unwrap_or(Mode::Auto),
            sampling: read_sampling(body)?,
            logit_bias: body
                .optional("logit_bias", read_logit_bias)?
                .unwrap_or_default(),
            tools: Tools::read(body)?,
            choices: read_choices(body)?,
            logprobs: read_logprobs(body)?,
            max_tokens: read_max_tokens(body)?,
            stop: body.optional("stop", read_stop)?.unwrap_or_default(),
            cache_salt: body.optional("cache_salt", read_cache_salt)?,
            stream: body.optional("stream", Place::boolean)?.unwrap_or(false),
            include_usage: read_include_usage(body)?,
        })
    }
}

fn read_choices(body: &Object<'_>) -> Result<usize, ApiError> {
    let choices = body.optional("n", |place| place.integer(1..=MAX_CHOICES))?;
    Ok(choices.map_or(1, |choices| choices as usize))
}

/// `logprobs` switches them on, and `top_logprobs` says how many others are told.
fn read_logprobs(body: &Object<'_>) -> Result<Option<usize>, ApiError> {
    let most = engine::Request::MOST_LOGPROBS as i64;
    let wanted = body.optional("logprobs", Place::boolean)?.unwrap_or(false);
    let top = body.optional("top_logprobs", |place| {
        let top = place.integer(0..=most)?;
        if top > 0 && !wanted {
            let why = "needs \"logprobs\": true beside it";
            return Err(place.refuse(ErrorKind::InvalidValue, why));
        }
        Ok(top as usize)
    })?;
    Ok(wanted.then_some(top.unwrap_or(0)))
}

/// Markers in the text would break JSON.
fn usual_citations(format: &OutputFormat) -> CitationStyle {
    match format {
        OutputFormat::Text => CitationStyle::Inline,
        OutputFormat::JsonObject | OutputFormat::JsonSchema(_) => CitationStyle::Fields,
    }
}

fn read_citations(place: &Place<'_>) -> Result<CitationStyle, ApiError> {
    place.choice(&[
        ("inline", CitationStyle::Inline),
        ("fields", CitationStyle::Fields),
        ("off", CitationStyle::Off),
    ])
}

fn read_quotations(place: &Place<'_>) -> Result<bool, ApiError> {
    place.choice(&[("free", false), ("verbatim", true)])
}

/// Judging takes the text of one answer to be read again.
fn read_groundedness(body: &Object<'_>) -> Result<bool, ApiError> {
    let several = read_choices(body)? > 1;
    let wanted = body.optional("groundedness", |place| {
        let wanted = place.boolean()?;
        if wanted && several {
            let why = "judges one answer; leave out n";
            return Err(place.refuse(ErrorKind::InvalidValue, why));
        }
        Ok(wanted)
    })?;
    Ok(wanted.unwrap_or(false))
}

fn read_support(place: &Place<'_>) -> Result<SupportPolicy, ApiError> {
    place.choice(&[
        ("strict", SupportPolicy::Strict),
        ("mark", SupportPolicy::Mark),
        ("off", SupportPolicy::Off),
    ])
}

fn read_answer(place: &Place<'_>) -> Result<Mode, ApiError> {
    place.choice(&[
        ("auto", Mode::Auto),
        ("model", Mode::Model),
        ("quotes", Mode::Quotes),
    ])
}

/// `max_completion_tokens`, or its older name `max_tokens`.
fn read_max_tokens(body: &Object<'_>) -> Result<Option<usize>, ApiError> {
    let read = |name| body.optional(name, |place| place.integer(1..=MAX_TOKENS));
    let older = read("max_tokens")?;
    let newer = read("max_completion_tokens")?;
    Ok(newer.or(older).map(|tokens| tokens as usize))
}

fn read_cache_salt(place: &Place<'_>) -> Result<String, ApiError> {
    let salt = place.string()?;
    if (1..=MAX_SALT_BYTES).contains(&salt.len()) {
        return Ok(salt.to_owned());
    }
    let why = format!("must have 1 to {MAX_SALT_BYTES} bytes");
    Err(place.refuse(ErrorKind::InvalidValue, why))
}

fn read_stop(place: &Place<'_>) -> Result<Vec<String>, ApiError> {
    let items = place.one_or_more()?;
    if items.len() > MAX_STOPS {
        let why = format!("may hold at most {MAX_STOPS} strings");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let read = |item: &Place<'_>| {
        let text = item.string()?;
        if (1..=MAX_STOP_BYTES).contains(&text.len()) {
            return Ok(text.to_owned());
        }
        let why = format!("must have 1 to {MAX_STOP_BYTES} bytes");
        Err(item.refuse(ErrorKind::InvalidValue, why))
    };
    items.iter().map(read).collect()
}

fn read_include_usage(body: &Object<'_>) -> Result<bool, ApiError> {
    let Some(options) = body.get("stream_options") else {
        return Ok(false);
    };
    let asked = options
        .object()?
        .optional("include_usage", Place::boolean)?;
    Ok(asked.unwrap_or(false))
}
