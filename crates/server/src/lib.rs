//! The program around the library: configuration, command line, HTTP.

mod answering;
pub mod app;
mod chat_stream;
pub mod cli;
pub mod config;
mod energy;
mod error;
pub mod examples;
mod fetch;
pub mod http;
mod hub;
pub mod logging;
mod response_stream;
pub mod routes;
mod signing;
pub mod sources;
mod sse;
pub mod startup;
mod wire;

/// What inference is, for those who bring an engine of their own.
pub use engine;

/// What reads files, for those who open a library of their own.
pub use library::Extractor;

/// Models that help to find passages, for those who bring their own.
pub use rag::{Encoders, RerankSettings};
