//! What inference is: messages in, a stream of tokens out.
//!
//! [`Engine`] is the contract. [`ScriptedEngine`] keeps it without a model, for tests of
//! everything above it; the crate `engine-candle` keeps it with one. The `contract` module
//! (feature of the same name) is the suite that both must pass.

mod engine;
mod error;
mod model;
mod request;
mod scripted;
mod stream;

#[cfg(feature = "contract")]
pub mod contract;

pub use engine::{Engine, Load};
pub use error::EngineError;
pub use model::{Card, ModelInfo};
pub use request::{Message, Prompt, PromptDocument, Request, Role, SamplingParams};
pub use scripted::ScriptedEngine;
pub use stream::{Event, FinishReason, Token, TokenSender, TokenStream, Usage};
