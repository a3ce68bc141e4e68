//! What inference is: messages in, a stream of tokens out.
//!
//! [`Engine`] is the contract. [`ScriptedEngine`] keeps it without a model, for tests of
//! everything above it; the crate `engine-candle` keeps it with one. The `contract` module
//! (feature of the same name) is the suite that both must pass. [`Inside`] is for engines whose
//! attention can be seen. [`Embedder`] and [`Reranker`]
//! are the contracts of models that read without writing, [`ScriptedEmbedder`] and
//! [`ScriptedReranker`] keep them without one.

mod embedder;
mod engine;
mod error;
mod inside;
mod model;
mod request;
mod score;
mod scripted;
mod scripted_embedder;
mod stream;

#[cfg(feature = "contract")]
pub mod contract;

pub use embedder::{Embedder, EmbedderInfo, Reranker, Side, fitting_pieces};
pub use engine::{Engine, KvLoad, Load};
pub use error::EngineError;
pub use inside::{
    Anatomy, Attention, AttentionInput, AttentionRequest, HeadAttention, Heads, Inside,
    LayerAttention, TextToken,
};
pub use model::{Card, Fingerprint, ModelInfo, SourceUnit};
pub use request::{
    Message, OutputFormat, Prompt, PromptDocument, Request, Role, SamplingParams, Sharing,
    ToolCall, ToolChoice,
};
pub use score::TokenScore;
pub use scripted::ScriptedEngine;
pub use scripted_embedder::{ScriptedEmbedder, ScriptedReranker};
pub use stream::{
    Event, FinishReason, Logprob, Token, TokenLogprobs, TokenSender, TokenStream, Usage,
};
