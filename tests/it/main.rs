//! The server over HTTP, and the rules of the codebase.

/// A real server on a free port, in three lines.
mod harness;

/// What is answered, whole and in pieces.
mod chat;

/// Several answers to one question, and how likely their tokens were.
mod choices;

/// Answers that must be JSON.
mod json;

/// Answers in the form of responses.
mod responses;

/// Sentences without a source, and receipts of answers.
mod answers;

/// Receipts with a signature.
mod signing;

/// Tools that the model calls.
mod tools;

/// Random values in every field of a request.
mod fuzz;

/// Files and collections: uploaded, attached, listed, searched, deleted.
mod files;

/// Many files at once, and what happens to them as it happens.
mod batches;

/// An index that is built again while it is searched.
mod rebuilding;

/// Searches narrowed by what is noted about files.
mod filters;

/// Embeddings, reranking, and searches by meaning.
mod encoders;

/// Which token of a text attends to which.
mod attention;

/// Each a clear error in OpenAI's shape, with the field at fault.
mod bad_input;

/// Who may import whom.
mod layering;

/// The built-in model, from document to cited answer.
mod model;
