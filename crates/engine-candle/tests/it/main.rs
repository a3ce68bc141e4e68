//! The engine from the outside: models are written to files, loaded, and asked.

/// Requests and whole answers.
mod asking;
/// The bundled model as GGUF.
mod bundled_gguf;
/// Models made for tests, and the bundled one.
mod models;
/// A model whose answer the test chooses.
mod recital;
/// The forward pass in plain loops, to compare with.
mod reference;

/// Whole answers of the bundled model, from safetensors and from GGUF.
mod answers;
/// One batch, another batch, no batch: the same logits.
mod batching;
/// Sources that are read independently of each other.
mod blocks;
/// Text that looks like control tokens stays text.
mod content;
/// The suite every engine must pass.
mod contract;
/// Logits against the plain reference, for each file format.
mod forward;
/// Damaged and absurd GGUF files are refused.
mod hostile_gguf;
/// So are such safetensors files.
mod hostile_safetensors;
/// Which token attends to which.
mod inside;
/// Answers that must be JSON.
mod json;
/// How likely the tokens of an answer were.
mod logprobs;
/// Prompts that begin alike are read once.
mod prefixes;
/// Quotations that are true.
mod quotations;
/// What a request or a setting may not ask for.
mod refusals;
/// How likely a text is that the model did not write.
mod scores;
/// Requests beside each other, and what they leave behind.
mod serving;
/// Many requests, dropped at random.
mod storm;
/// Stop strings and whole characters in the text of answers.
mod streaming;
/// Calls of tools in what a model writes.
mod tools;
/// How much attention the sentences of sources get.
mod watching;
