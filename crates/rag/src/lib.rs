//! Question to answer: search, evidence, prompt, generation, citations.
//!
//! [`Pipeline::answer`] is the whole way on one screen. It returns an [`Answer`], which streams
//! text and citations as they come. Offsets inside are bytes; those of [`Citation`] and
//! [`SearchResult`] are code points, converted in `offsets`.

mod answer;
mod choice;
mod cite;
mod distinct;
mod draft;
mod encoders;
mod error;
mod evidence;
mod follow_up;
mod groundedness;
mod json_writer;
mod language;
mod ledger;
mod lexicon;
mod likeness;
mod markers;
mod names;
mod narrow;
mod neighbours;
mod offsets;
mod piece;
mod pipeline;
mod profile;
mod prompt;
mod prompts;
mod question;
mod quotes;
mod rank;
mod reading;
mod refusal;
mod search;
mod sentences;
mod settings;
mod sources;
mod support;
mod task;
mod writer;

pub use answer::{Answer, AnswerEvent, AnsweredBy, TextPiece};
pub use distinct::{CHOICE, diverse_hits};
pub use encoders::{
    Encoders, MAX_RERANK_CANDIDATES, Method, RerankSettings, SearchTime, probability,
};
pub use error::RagError;
pub use evidence::{Evidence, Signals};
pub use groundedness::{GroundedSentence, Groundedness, Judge, Likelihoods, Written};
pub use language::Language;
pub use ledger::{Dropped, Ledger, LedgerPassage};
pub use pipeline::Pipeline;
pub use profile::{Localised, Profile};
pub use prompts::Prompts;
pub use question::{CitationStyle, MAX_QUESTION_BYTES, Mode, Question};
pub use sentences::{Kind, Sentence, SentenceSplitter, sentences};
pub use settings::Settings;
pub use sources::{Citation, SearchResult, Vote};
pub use support::{Support, SupportPolicy, Unsupported};
pub use task::{Example, MAX_EXAMPLES, Task};
