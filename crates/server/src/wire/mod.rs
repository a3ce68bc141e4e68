//! The JSON on the wire: OpenAI's shapes and our fields beside them, and nothing else.
//!
//! Reading ([`place`], [`chat_request`], [`search`], …) turns bytes into checked values;
//! writing ([`completion`], [`files`], …) turns values into objects with a fixed order of
//! fields. No handler builds JSON itself.

pub(crate) mod attention;
pub(crate) mod base64;
pub(crate) mod batches;
pub(crate) mod chat_request;
pub(crate) mod chunk;
pub(crate) mod completion;
pub(crate) mod context;
pub(crate) mod disclosure;
pub(crate) mod embeddings;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod filters;
pub(crate) mod groundedness;
pub(crate) mod grounding;
pub(crate) mod id;
pub(crate) mod list;
mod logprobs;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod place;
pub(crate) mod receipt;
pub(crate) mod replay;
pub(crate) mod rerank;
mod response_format;
pub(crate) mod responses;
pub(crate) mod retrieval;
mod sampling;
pub(crate) mod search;
pub(crate) mod task;
pub(crate) mod tools;
pub(crate) mod unsupported;
pub(crate) mod vector_stores;

#[cfg(test)]
mod tests;
