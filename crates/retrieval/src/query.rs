//! What is asked of an index and what comes back.

use crate::error::RetrievalError;
use crate::passage::Passage;

/// Longest accepted query, in bytes of its text: some 350 English words or 680 Korean syllables.
pub const MAX_QUERY_BYTES: usize = 2048;

/// Most hits that one query may ask for.
pub const MAX_TOP_K: usize = 200;

/// A question to an index, in anyone's words: no operators, nothing to escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The words to look for; at most [`MAX_QUERY_BYTES`].
    pub text: String,
    /// How many hits are wanted, from 1 to [`MAX_TOP_K`].
    pub top_k: usize,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// How much of the query the passage covers, from 0 to 1.
    ///
    /// Each of the query's words counts by how rare it is in the collection; a word that the
    /// collection does not know counts as the rarest. The score is `bm25` divided by what those
    /// words earn in a passage of average length that holds each of them over and over, so it grows
    /// with `bm25` within one query and can be compared between queries: a passage that names every
    /// word once reaches about 0.5, one that shares only everyday words stays near 0.
    pub score: f32,
    /// The weighted BM25 sum the hits are ordered by; only comparable within one query.
    pub bm25: f32,
}

impl Query {
    pub(crate) fn check(&self) -> Result<(), RetrievalError> {
        let invalid = |parameter, reason| Err(RetrievalError::Invalid { parameter, reason });
        if self.text.len() > MAX_QUERY_BYTES {
            let reason = format!("{} bytes, at most {MAX_QUERY_BYTES}", self.text.len());
            return invalid("text", reason);
        }
        if !(1..=MAX_TOP_K).contains(&self.top_k) {
            return invalid(
                "top_k",
                format!("{}, not within 1..={MAX_TOP_K}", self.top_k),
            );
        }
        Ok(())
    }
}
