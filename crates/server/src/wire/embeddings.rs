//! `POST /v1/embeddings`: the request, and the vectors.

use engine::Side;
use serde::Serialize;
use serde_json::Value;

use super::base64;
use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// The most inputs of one request.
const MAX_INPUTS: usize = 2048;

/// A request whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EmbeddingsRequest {
    /// The model's name.
    pub(crate) model: String,
    /// What to embed.
    pub(crate) input: Input,
    /// Which side of a search the texts are on.
    pub(crate) side: Side,
    /// How vectors are written.
    pub(crate) format: Format,
    /// How many numbers the client expects in a vector.
    pub(crate) dimensions: Option<usize>,
}

/// What to embed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// Texts.
    Texts(Vec<String>),
    /// Texts as tokens of the embedder.
    Tokens(Vec<Vec<u32>>),
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// An array of numbers.
    Float,
    /// The numbers as little-endian f32 in base64, which is what OpenAI's SDKs ask for.
    Base64,
}

impl EmbeddingsRequest {
    /// Reads the body. `user` is ignored.
    pub(crate) fn read(body: &Object<'_>) -> Result<Self, ApiError> {
        let sides = [
            ("passage", Side::Passage),
            ("document", Side::Passage),
            ("query", Side::Query),
        ];
        let formats = [("float", Format::Float), ("base64", Format::Base64)];
        Ok(Self {
            model: body.require("model")?.string()?.to_owned(),
            input: read_input(&body.require("input")?)?,
            side: body
                .optional("input_type", |place| place.choice(&sides))?
                .unwrap_or(Side::Passage),
            format: body
                .optional("encoding_format", |place| place.choice(&formats))?
                .unwrap_or(Format::Float),
            dimensions: body
                .optional("dimensions", |place| place.integer(1..=1 << 20))?
                .map(|dimensions| dimensions as usize),
        })
    }
}

impl Input {
    /// How many vectors it makes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(texts) => texts.len(),
        }
    }
}

fn read_input(place: &Place<'_>) -> Result<Input, ApiError> {
    let Value::Array(values) = place.value() else {
        return Ok(Input::Texts(vec![read_text(place)?]));
    };
    if !(1..=MAX_INPUTS).contains(&values.len()) && !values.iter().all(Value::is_number) {
        let why = format!("must hold 1 to {MAX_INPUTS} inputs");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let items = place.items()?;
    match values.first() {
        Some(Value::Number(_)) => Ok(Input::Tokens(vec![read_tokens(place)?])),
        Some(Value::Array(_)) => {
            let texts = items.iter().map(read_tokens);
            Ok(Input::Tokens(texts.collect::<Result<_, _>>()?))
        }
        Some(_) => {
            let texts = items.iter().map(read_text);
            Ok(Input::Texts(texts.collect::<Result<_, _>>()?))
        }
        None => Err(place.refuse(ErrorKind::InvalidValue, "must not be empty")),
    }
}

fn read_text(place: &Place<'_>) -> Result<String, ApiError> {
    let expected = "a string, or an array of strings or of tokens";
    let text = place.value().as_str();
    let text = text.ok_or_else(|| place.wrong_type(expected))?;
    if text.trim().is_empty() {
        return Err(place.refuse(ErrorKind::InvalidValue, "must not be empty"));
    }
    Ok(text.to_owned())
}

fn read_tokens(place: &Place<'_>) -> Result<Vec<u32>, ApiError> {
    let items = place.items()?;
    if items.is_empty() {
        return Err(place.refuse(ErrorKind::InvalidValue, "must not be empty"));
    }
    let token = |item: &Place<'_>| item.integer(0..=i64::from(u32::MAX));
    let tokens = items.iter().map(|item| Ok(token(item)? as u32));
    tokens.collect()
}

/// The vectors, in the order of the inputs.
#[derive(Serialize)]
pub(crate) struct EmbeddingList {
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: EmbeddingUsage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Written,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Float(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct EmbeddingUsage {
    prompt_tokens: usize,
    total_tokens: usize,
}

impl EmbeddingList {
    /// The reply of the model called `model`, which read `tokens` for it.
    pub(crate) fn new(model: &str, vectors: Vec<Vec<f32>>, format: Format, tokens: usize) -> Self {
        let write = |vector: Vec<f32>| match format {
            Format::Float => Written::Float(vector),
            Format::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                Written::Base64(base64::encode(&bytes))
            }
        };
        let data = vectors
            .into_iter()
            .enumerate()
            .map(|(index, vector)| Embedding {
                object: "embedding",
                index,
                embedding: write(vector),
            });
        Self {
            object: "list",
            data: data.collect(),
            model: model.to_owned(),
            usage: EmbeddingUsage {
                prompt_tokens: tokens,
                total_tokens: tokens,
            },
        }
    }
}
