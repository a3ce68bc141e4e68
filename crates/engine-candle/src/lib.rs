//! The engine contract kept by candle: a pool of workers, model families, tokenizers, chat
//! templates.
//!
//! [`CandleEngine`] is what a server holds. It is made of a model, read from [`ModelSource`], and
//! of workers that run it. Read the modules in this order: `engine` (what is asked), `serving`
//! (queue, worker, sequence), `decoder` (the forward pass), `text` (templates, tokens and back),
//! `model` and `files` (how a model gets here).

mod engine;
mod serving;

mod decoder;
mod text;

mod config;
mod error;
mod files;
pub mod inspect;
mod model;

mod encoder_decoder;
#[cfg(feature = "encoders")]
pub mod encoders;

pub use decoder::{Chunk, Decoder, KvCache};
pub use encoder_decoder::{Reading, T5};
pub use engine::{CandleEngine, Settings};
pub use error::LoadError;
pub use files::{EmbeddedModel, ModelSource};
