//! The engine contract kept by candle: a pool of workers, model families, tokenizers, chat
//! templates.
//!
//! [`CandleEngine`] is what a server holds. It is made of a model, read from [`ModelSource`], and
//! of workers that run it. Read the modules in this order: `engine` (what is asked), `serving`
//! (queue, worker, sequence), `decoder` (the forward pass), `kernels` (matrices and the products with them), `text` (templates, tokens and back),
//! `model` and `files` (how a model gets here).
//!
//! One decoder runs Llama 2 and 3, Mistral, SmolLM2 and 3, Qwen2, 2.5 and 3, Gemma 2 and 3 (text),
//! Phi-3 and 3.5, and Granite 3; `config::Family` says what each changes in it. `tests/families.rs`
//! proves for tiny models of each, from a Hugging Face folder and, where llama.cpp has a form of
//! its own, from GGUF, that logits agree with `transformers` to 1e-3 in f32, however the tokens
//! arrive, and that other sequences in the batch change no bit of them. Not proven: models of real size, and quantised weights beyond Q8_0 of
//! Llama against the reference.

mod engine;
mod serving;

mod decoder;
mod kernels;
mod text;

mod config;
mod error;
mod files;
mod fingerprint;
pub mod inspect;
mod model;
pub mod quantize;
mod softmax;

mod encoder_decoder;
#[cfg(feature = "encoders")]
pub mod encoders;

pub use decoder::{Asks, AttentionWeights, Chunk, Decoder, KvCache, KvType, Watch};
pub use encoder_decoder::{Reading, T5};
pub use engine::{CandleEngine, Settings};
pub use error::LoadError;
pub use files::{EmbeddedModel, ModelSource};
pub use fingerprint::fingerprint;
