//! What inference is: messages in, a stream of tokens out.
//!
//! [`Engine`] is the contract. [`ScriptedEngine`] keeps it without a model, for tests of
//! everything above it; the crate `engine-candle` keeps it with one. The `contract` module
//! (feature of the same name) is the suite that both must pass. [`Embedder`] and [`Reranker`]
//! are the contracts of models that read without writing.

mod embedder;
mod engine;
mod error;
mod model;
mod request;
mod scripted;
mod stream;

#[cfg(feature = "contract")]
pub mod contract;

pub use embedder::{Embedder, EmbedderInfo, Reranker, Side};
pub use engine::{Engine, KvLoad, Load};
pub use error::EngineError;
pub use model::{Card, ModelInfo};
pub use request::{
    Message, OutputFormat, Prompt, PromptDocument, Request, Role, SamplingParams, ToolCall,
    ToolChoice,
};
pub use scripted::ScriptedEngine;
pub use stream::{
    Event, FinishReason, Logprob, Token, TokenLogprobs, TokenSender, TokenStream, Usage,
};
