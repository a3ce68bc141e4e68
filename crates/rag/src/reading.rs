//! What the reader says of sentences: whether each answers the question.

use std::sync::Arc;

use engine::Reranker;
use retrieval::LEAST_COVERAGE;

/// The reader at work on one question.
pub(crate) struct Reading {
    reader: Arc<dyn Reranker>,
    question: String,
    /// Tokens that a sentence may have beside it.
    room: usize,
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
        })
    }

    /// The logit of each sentence: above 0 it rather answers than not. `None` for one that is too
    /// long or in a language that the reader does not know; for all when it can judge less than
    /// half of them, or is too busy: an answer does not wait for a vote.
    pub(crate) fn of(&self, sentences: &[String]) -> Option<Vec<Option<f32>>> {
        let judged = sentences.iter().map(|sentence| self.can_judge(sentence));
        let judged = judged.collect::<Vec<_>>();
        let read = sentences.iter().zip(&judged).filter(|(_, judged)| **judged);
        let read = read.map(|(sentence, _)| sentence.as_str());
        let read = read.collect::<Vec<_>>();
        if read.is_empty() || read.len() * 2 < sentences.len() {
            return None;
        }
        let mut logits = self.reader.rerank(&self.question, &read).ok()?.into_iter();
        let logit = |judged: bool| judged.then(|| logits.next()).flatten();
        Some(judged.into_iter().map(logit).collect())
    }

    fn can_judge(&self, sentence: &str) -> bool {
        self.reader.coverage(sentence) > LEAST_COVERAGE
            && self.reader.count_tokens(sentence) <= self.room
    }
}
