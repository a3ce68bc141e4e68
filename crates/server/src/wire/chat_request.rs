//! The body of `POST /v1/chat/completions`, read and checked.

use engine::{Message, SamplingParams};
use rag::{CitationStyle, Mode};

use super::messages::read_messages;
use super::place::{Object, Place};
use super::retrieval::RetrievalOptions;
use super::unsupported::refuse_unsupported;
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The most strings `stop` may hold, and the most bytes of each.
const MAX_STOPS: usize = 4;
const MAX_STOP_BYTES: usize = 256;

/// The most tokens of an answer that can be asked for; the model's context ends it sooner.
const MAX_TOKENS: i64 = u32::MAX as i64;

/// A chat request whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChatRequest {
    /// `NAME`, `default` or `NAME@COLLECTION`.
    pub(crate) model: String,
    /// The conversation; the last message is the question.
    pub(crate) messages: Vec<Message>,
    /// What to search for an answer.
    pub(crate) retrieval: RetrievalOptions,
    /// How citations are shown.
    pub(crate) citations: CitationStyle,
    /// Who answers.
    pub(crate) answer: Mode,
    /// How the model chooses tokens. Greedy unless asked otherwise: answers from sources are
    /// better for it, and the same question gives the same answer.
    pub(crate) sampling: SamplingParams,
    /// The most tokens of the answer.
    pub(crate) max_tokens: Option<usize>,
    /// Strings that end the answer.
    pub(crate) stop: Vec<String>,
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
        Ok(Self {
            model: body.require("model")?.string()?.to_owned(),
            messages: read_messages(body, limits)?,
            retrieval: RetrievalOptions::read(body, limits)?,
            citations: body
                .optional("citations", read_citations)?
                .unwrap_or(CitationStyle::Inline),
            answer: body.optional("answer", read_answer)?.unwrap_or(Mode::Auto),
            sampling: read_sampling(body)?,
            max_tokens: read_max_tokens(body)?,
            stop: body.optional("stop", read_stop)?.unwrap_or_default(),
            stream: body.optional("stream", Place::boolean)?.unwrap_or(false),
            include_usage: read_include_usage(body)?,
        })
    }
}

fn read_citations(place: &Place<'_>) -> Result<CitationStyle, ApiError> {
    place.choice(&[
        ("inline", CitationStyle::Inline),
        ("fields", CitationStyle::Fields),
        ("off", CitationStyle::Off),
    ])
}

fn read_answer(place: &Place<'_>) -> Result<Mode, ApiError> {
    place.choice(&[
        ("auto", Mode::Auto),
        ("model", Mode::Model),
        ("quotes", Mode::Quotes),
    ])
}

fn read_sampling(body: &Object<'_>) -> Result<SamplingParams, ApiError> {
    let greedy = SamplingParams::GREEDY;
    let number = |name, range, default: f32| -> Result<f32, ApiError> {
        let given = body.optional(name, |place| place.number(range))?;
        Ok(given.map_or(default, |number| number as f32))
    };
    let top_k = body.optional("top_k", |place| place.integer(1..=MAX_TOKENS))?;
    // Any 64 bits make a seed, and OpenAI's are signed.
    let seed = body.optional("seed", |place| place.integer(i64::MIN..=i64::MAX))?;
    Ok(SamplingParams {
        temperature: number("temperature", 0.0..=2.0, greedy.temperature)?,
        top_p: body.optional("top_p", read_top_p)?.unwrap_or(greedy.top_p),
        top_k: top_k.map(|k| k as usize),
        min_p: number("min_p", 0.0..=1.0, greedy.min_p)?,
        seed: seed.map(i64::cast_unsigned),
    })
}

fn read_top_p(place: &Place<'_>) -> Result<f32, ApiError> {
    let top_p = place.number(0.0..=1.0)? as f32;
    // No share of the probability at all would leave no token to choose.
    if top_p == 0.0 {
        return Err(place.out_of_range("above 0"));
    }
    Ok(top_p)
}

/// `max_completion_tokens`, or its older name `max_tokens`.
fn read_max_tokens(body: &Object<'_>) -> Result<Option<usize>, ApiError> {
    let read = |name| body.optional(name, |place| place.integer(1..=MAX_TOKENS));
    let older = read("max_tokens")?;
    let newer = read("max_completion_tokens")?;
    Ok(newer.or(older).map(|tokens| tokens as usize))
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
