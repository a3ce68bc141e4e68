//! Looking inside a model: which token of a text attends to which.

use std::ops::Range;

use crate::{EngineError, Prompt};

/// A model whose attention can be seen.
///
/// # Contract
///
/// * [`attention`](Inside::attention) waits in the same queue as other requests, is refused as
///   they are, and blocks until all is computed.
/// * The weights are those with which the model works, whatever else is running.
pub trait Inside: Send + Sync {
    /// What there is to see.
    fn anatomy(&self) -> Anatomy;

    /// Reads a short text and tells the attention weights.
    fn attention(&self, request: &AttentionRequest) -> Result<Attention, EngineError>;
}

/// The sizes of a model's attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anatomy {
    /// Layers, each of which attends by itself.
    pub layers: usize,
    /// Heads of queries in each layer.
    pub heads: usize,
    /// Heads of keys and values in each layer; so many queries' heads share one as the two
    /// numbers say.
    pub kv_heads: usize,
    /// Numbers in a query, a key and a value of one head.
    pub head_dim: usize,
    /// What the product of a query and a key is multiplied by; usually 1/√`head_dim`.
    pub scale: f32,
}

/// What to read, and what to tell of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionRequest {
    /// What is read.
    pub input: AttentionInput,
    /// The layers that are told of, counted from 0; `None` for all.
    pub layers: Option<Vec<usize>>,
    /// How heads are told.
    pub heads: Heads,
}

impl AttentionRequest {
    /// The most tokens that the input may have.
    pub const MOST_TOKENS: usize = 256;

    /// The most weights that are told at once: layers times heads times tokens squared.
    pub const MOST_WEIGHTS: usize = 1 << 22;
}

/// What a model reads to have its attention seen.
#[derive(Clone, Debug, PartialEq)]
pub enum AttentionInput {
    /// A text as it is: no token is added, and none in it steers the model.
    Text(String),
    /// A conversation, with all that the chat template makes of it.
    Prompt(Prompt),
}

/// How the heads of a layer are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heads {
    /// One mean of all.
    #[default]
    Mean,
    /// Each by itself.
    All,
}

/// Which token attends to which.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// What the model read, as text.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<TextToken>,
    /// The layers asked for, in the order of the model.
    pub layers: Vec<LayerAttention>,
}

/// One token of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextToken {
    /// Its place in the vocabulary.
    pub id: u32,
    /// The bytes of the text that it stands for, at boundaries of characters. Tokens that are
    /// parts of one character all have the range of that character.
    pub range: Range<usize>,
}

/// The attention of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerAttention {
    /// Which layer, counted from 0.
    pub layer: usize,
    /// How many tokens back a token sees, itself included; `None` if it sees all.
    pub window: Option<usize>,
    /// Scores are squeezed to below this, on either side of 0, before the softmax.
    pub cap: Option<f32>,
    /// Its heads in order, or one mean of them.
    pub heads: Vec<HeadAttention>,
}

/// The attention of one head, or the mean of all.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadAttention {
    /// Which head, counted from 0; `None` for the mean.
    pub head: Option<usize>,
    /// For each token, as the one that asks, the weight of every token up to itself: the softmax
    /// of its query's products with their keys. They sum to 1, and what comes later has none.
    pub weights: Vec<Vec<f32>>,
    /// For each token the Euclidean norm of its value: what a weight is a weight of.
    pub value_norms: Vec<f32>,
}
