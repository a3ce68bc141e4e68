//! What the reader says of sentences: whether each answers the question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Reranker;
use retrieval::LEAST_COVERAGE;

/// The reader at work on one question.
pub(crate) struct Reading {
    reader: Arc<dyn Reranker>,
    question: String,
    /// Tokens that a sentence may have beside it.
    room: usize,
    /// The logits of sentences that were read already: a question is weighed before it is answered.
    read: Mutex<HashMap<String, f32>>,
}

impl Reading {
    /// `None` when the reader does not know the question's language, or the question leaves it no
    /// room for a sentence.
    pub(crate) fn new(reader: Arc<dyn Reranker>, question: &str) -> Option<Self> {
        // Each text counts the tokens around it; a pair has hardly more around it than both.
        let most_tokens = reader.max_tokens();
        let room = most_tokens.saturating_sub(reader.count_tokens(question));
        let knows = reader.coverage(question) > LEAST_COVERAGE;
        (room * 2 >= most_tokens && knows).then(|| Self {
            reader,
            question: question.to_owned(),
            room,
            read: Mutex::default(),
        })
    }

    /// The logit of each sentence: above 0 it rather answers than not. `None` for one that is too
    /// long or in a language that the reader does not know; for all when it can judge less than
    /// half of them, or is too busy: an answer does not wait for a vote.
    pub(crate) fn of(&self, sentences: &[String]) -> Option<Vec<Option<f32>>> {
        let judged = sentences.iter().filter(|sentence| self.can_judge(sentence));
        let judged = judged.map(String::as_str).collect::<Vec<_>>();
        if judged.is_empty() || judged.len() * 2 < sentences.len() {
            return None;
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |sentence: &&str| !read.contains_key(*sentence);
        let new = judged.into_iter().filter(is_new).collect::<Vec<_>>();
        if !new.is_empty() {
            let logits = self.reader.rerank(&self.question, &new).ok()?;
            read.extend(new.into_iter().map(str::to_owned).zip(logits));
        }
        let logit = |sentence: &String| read.get(sentence).copied();
        Some(sentences.iter().map(logit).collect())
    }

    fn can_judge(&self, sentence: &str) -> bool {
        self.reader.coverage(sentence) > LEAST_COVERAGE
            && self.reader.count_tokens(sentence) <= self.room
    }
}
