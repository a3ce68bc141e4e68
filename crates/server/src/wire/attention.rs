//! `POST /v1/attention`: the request, and the weights with the names of what they are made of.

use engine::{
    Anatomy, Attention, AttentionInput, AttentionRequest, HeadAttention, Heads, LayerAttention,
    Prompt,
};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::messages::read_messages;
use super::place::{Object, Place};
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// More layers than any model has.
const MAX_LAYERS: i64 = 1 << 10;

/// A request whose every field is in range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AttentionBody {
    /// The model's name.
    pub(crate) model: String,
    /// What is to be seen.
    pub(crate) request: AttentionRequest,
    /// The norms of values are to be told.
    pub(crate) value_norms: bool,
}

impl AttentionBody {
    /// Reads the body.
    pub(crate) fn read(body: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        let heads = [("mean", Heads::Mean), ("all", Heads::All)];
        Ok(Self {
            model: body.require("model")?.string()?.to_owned(),
            request: AttentionRequest {
                input: read_input(body, limits)?,
                layers: body.optional("layers", read_layers)?,
                heads: body
                    .optional("heads", |place| place.choice(&heads))?
                    .unwrap_or_default(),
            },
            value_norms: body
                .optional("value_norms", Place::boolean)?
                .unwrap_or(false),
        })
    }
}

fn read_input(body: &Object<'_>, limits: &Limits) -> Result<AttentionInput, ApiError> {
    let Some(messages) = body.get("messages") else {
        let text = body.require("input")?.string()?;
        return Ok(AttentionInput::Text(text.to_owned()));
    };
    if body.get("input").is_some() {
        let why = "stands in place of 'input'; send one of them";
        return Err(messages.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(AttentionInput::Prompt(Prompt {
        messages: read_messages(body, limits)?,
        ..Prompt::default()
    }))
}

fn read_layers(place: &Place<'_>) -> Result<Vec<usize>, ApiError> {
    let items = place.items()?;
    let layer = |item: &Place<'_>| Ok(item.integer(0..=MAX_LAYERS - 1)? as usize);
    items.iter().map(layer).collect()
}

/// The reply.
#[derive(Serialize)]
pub(crate) struct AttentionObject {
    object: &'static str,
    model: String,
    /// What the model read.
    text: String,
    tokens: Vec<TokenObject>,
    roles: Roles,
    layers: Vec<LayerObject>,
}

/// A token, and the code points of the text that it stands for.
#[derive(Serialize)]
struct TokenObject {
    index: usize,
    id: u32,
    text: String,
    start: usize,
    end: usize,
}

/// What the letters in softmax(QKᵀ)V stand for, in this model.
#[derive(Serialize)]
struct Roles {
    formula: &'static str,
    query: Role,
    key: Role,
    value: Role,
    scale: f32,
    mask: &'static str,
}

#[derive(Serialize)]
struct Role {
    symbol: &'static str,
    heads: usize,
    head_dim: usize,
    meaning: &'static str,
}

#[derive(Serialize)]
struct LayerObject {
    layer: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_cap: Option<f32>,
    heads: Vec<HeadObject>,
}

#[derive(Serialize)]
struct HeadObject {
    /// Null for the mean of all.
    head: Option<usize>,
    weights: Vec<Numbers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_norms: Option<Numbers>,
}

/// Numbers to six decimals, and zeros up to a length.
struct Numbers {
    numbers: Vec<f32>,
    len: usize,
}

impl AttentionObject {
    /// What a model called `model` was seen to do.
    pub(crate) fn new(
        model: String,
        anatomy: Anatomy,
        attention: Attention,
        value_norms: bool,
    ) -> Self {
        let text = &attention.text;
        let code_points = |bytes: usize| text[..bytes].chars().count();
        let tokens = attention.tokens.iter().enumerate();
        let tokens = tokens.map(|(index, token)| TokenObject {
            index,
            id: token.id,
            text: text[token.range.clone()].to_owned(),
            start: code_points(token.range.start),
            end: code_points(token.range.end),
        });
        let layers = attention.layers.into_iter();
        Self {
            object: "attention",
            model,
            tokens: tokens.collect(),
            roles: Roles::new(anatomy),
            layers: layers
                .map(|layer| LayerObject::new(layer, value_norms))
                .collect(),
            text: attention.text,
        }
    }
}

impl Roles {
    fn new(anatomy: Anatomy) -> Self {
        let role = |symbol, heads, meaning| Role {
            symbol,
            heads,
            head_dim: anatomy.head_dim,
            meaning,
        };
        Self {
            formula: "softmax(Q·Kᵀ × scale + mask)·V",
            query: role(
                "Q",
                anatomy.heads,
                "what the token of a row looks for; its products with the keys become the row",
            ),
            key: role(
                "K",
                anatomy.kv_heads,
                "what the token of a column is found by",
            ),
            value: role(
                "V",
                anatomy.kv_heads,
                "what the token of a row takes over from that of a column, times the weight",
            ),
            scale: anatomy.scale,
            mask: "causal: a token sees itself and what stands before it, so what comes later \
                   weighs 0",
        }
    }
}

impl LayerObject {
    fn new(layer: LayerAttention, value_norms: bool) -> Self {
        let heads = layer.heads.into_iter();
        Self {
            layer: layer.layer,
            window: layer.window,
            score_cap: layer.cap,
            heads: heads
                .map(|head| HeadObject::new(head, value_norms))
                .collect(),
        }
    }
}

impl HeadObject {
    fn new(head: HeadAttention, value_norms: bool) -> Self {
        let len = head.weights.len();
        let row = |numbers| Numbers { numbers, len };
        Self {
            head: head.head,
            weights: head.weights.into_iter().map(row).collect(),
            value_norms: value_norms.then_some(row(head.value_norms)),
        }
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(self.len))?;
        for number in &self.numbers {
            row.serialize_element(&((f64::from(*number) * 1e6).round() / 1e6))?;
        }
        for _ in self.numbers.len()..self.len {
            row.serialize_element(&0)?;
        }
        row.end()
    }
}
