//! What is asked of an index and what comes back.

mod operators;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::budget::Budget;
use crate::error::RetrievalError;
use crate::passage::Passage;
use operators::Operators;

/// Longest accepted query, in bytes of its text: some 350 English words or 680 Korean syllables.
pub const MAX_QUERY_BYTES: usize = 2048;

/// Most hits that one query may ask for.
pub const MAX_TOP_K: usize = 200;

/// A question to an index, in anyone's words: nothing in `text` has to be escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The words to look for; at most [`MAX_QUERY_BYTES`].
    pub text: String,
    /// How many hits are wanted, from 1 to [`MAX_TOP_K`].
    pub top_k: usize,
    /// Only passages of these files are found; `None` searches all.
    pub files: Option<Arc<BTreeSet<String>>>,
    /// Only passages that hold each of these texts are found, case and white space aside.
    pub phrases: Vec<String>,
    /// Passages that hold one of these words, in any form of it, are not found.
    pub excluded: Vec<String>,
    /// How long it may take; `None` is as long as it does. Too short a budget leaves out passages,
    /// and says so.
    pub budget: Option<Budget>,
}

impl Query {
    /// Looks for words in all files.
    pub fn new(text: impl Into<String>, top_k: usize) -> Query {
        Query {
            text: text.into(),
            top_k,
            ..Query::default()
        }
    }

    /// Looks for words as people write them into a search box: `"words in quotes"` must stand in
    /// a passage as they are, and a `-word` must not.
    pub fn with_operators(text: &str, top_k: usize) -> Query {
        let operators = Operators::read(text);
        Query {
            text: operators.text,
            top_k,
            files: None,
            phrases: operators.phrases,
            excluded: operators.excluded,
            budget: None,
        }
    }
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// How much of the query the passage covers, from 0 to 1.
    ///
    /// Each of the query's words counts by how rare it is in the collection; a word that the
    /// collection does not know counts as the rarest. The score is `bm25` divided by the most that
    /// those words can earn, so it grows with `bm25` within one query and can be compared between
    /// queries: a passage of average length that names every word once, close together, reaches
    /// about 0.6, one that shares only everyday words stays near 0.
    pub score: f32,
    /// The weighted BM25 sum the hits are ordered by, with what the words' nearness to one another
    /// adds; only comparable within one query.
    pub bm25: f32,
    /// The cosine between the vectors of passage and query, -1 to 1; `None` when they were not
    /// compared.
    pub cosine: Option<f32>,
}

impl Query {
    pub(crate) fn check(&self) -> Result<(), RetrievalError> {
        let invalid = |parameter, reason| Err(RetrievalError::Invalid { parameter, reason });
        let wanted = self.phrases.iter().chain(&self.excluded).map(String::len);
        let bytes = self.text.len().max(wanted.sum());
        if bytes > MAX_QUERY_BYTES {
            let reason = format!("{bytes} bytes, at most {MAX_QUERY_BYTES}");
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
