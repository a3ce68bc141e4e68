//! Passages in, ranked hits out.
//!
//! [`split`] cuts a document into passages that fit a token budget; an [`Index`] keeps the passages
//! of one collection and answers a [`Query`] with the best of them. Text is analysed by our own
//! rules (`analysis`), because a collection mixes scripts: English stems, Korean particles and
//! Chinese bigrams live in one field and are found by one query. tantivy stores and scores the
//! terms; its name appears nowhere outside this crate, and its query parser nowhere at all.
//! [`Vectors`] hold what an embedder made of the passages; with them an index is also searched by
//! [`Meaning`], and the two ways are put together (`fusion`).

mod analysis;
mod budget;
mod error;
mod fusion;
mod index;
mod meaning;
mod passage;
mod query;
mod split;
mod vectors;

pub use analysis::{Asked, Term, latin_language};
pub use budget::Budget;
pub use error::RetrievalError;
pub use fusion::Fusion;
pub use index::{Change, Index};
pub use meaning::{LEAST_COVERAGE, Meaning, Mode};
pub use passage::{Heading, Passage, PassageSettings, SourceDocument};
pub use query::{Hit, MAX_QUERY_BYTES, MAX_TOP_K, Query};
pub use split::split;
pub use vectors::{Nearest, Neighbour, Origin, VectorChange, VectorRow, Vectors};
