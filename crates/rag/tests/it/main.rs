//! From a question to an answer with its footnotes, with engines that say what they are told to.

mod citations;
mod fitting;
mod pointing;
mod reading;
mod refusals;
mod sentences;
mod sources;
mod speakers;
mod support;
mod tasks;
