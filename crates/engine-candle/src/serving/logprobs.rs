//! How likely the chosen tokens were, told when their text is.

use std::collections::VecDeque;

use engine::{Logprob, TokenLogprobs};

use crate::softmax::{log_sum_exp, logprob};
use crate::text::ModelTokenizer;

/// The probabilities of one answer's tokens.
pub(crate) struct Logprobs {
    /// How many of the most likely tokens are told beside each chosen one.
    top: usize,
    /// Tokens of whose text nothing was sent, each with the place where it begins.
    held: VecDeque<(usize, TokenLogprobs)>,
    /// Bytes of text in all tokens so far.
    bytes: usize,
    /// Bytes of text that were sent.
    sent: usize,
}

impl Logprobs {
    /// Tells this many of the most likely tokens, of an answer that so many bytes come before.
    pub(crate) fn new(top: usize, before: usize) -> Self {
        Self {
            top,
            held: VecDeque::new(),
            bytes: before,
            sent: 0,
        }
    }

    /// Takes note of a token that was chosen, and of the model's own logits. A `mark` is a special
    /// token that counts as text.
    pub(crate) fn note(
        &mut self,
        id: u32,
        logits: &[f32],
        tokenizer: &ModelTokenizer,
        mark: Option<&str>,
    ) {
        let total = log_sum_exp(logits);
        let entry = |id: u32| Logprob {
            id,
            bytes: match tokenizer.bytes(id) {
                bytes if bytes.is_empty() => tokenizer.name(id).into_bytes(),
                bytes => bytes,
            },
            logprob: logprob(logits, id, total),
        };
        let top = most_likely(logits, self.top).into_iter().map(entry);
        let told = TokenLogprobs {
            top: top.collect(),
            chosen: entry(id),
        };
        let bytes = mark.map_or_else(|| tokenizer.bytes(id).len(), str::len);
        self.held.push_back((self.bytes, told));
        self.bytes += bytes;
    }

    /// So many bytes of text are sent now: the tokens that begin before their end.
    pub(crate) fn send(&mut self, bytes: usize) -> Vec<TokenLogprobs> {
        self.sent = self.sent.saturating_add(bytes);
        let begun = self.held.iter().take_while(|(start, _)| *start < self.sent);
        let begun = begun.count();
        self.held.drain(..begun).map(|(_, entry)| entry).collect()
    }
}

/// The tokens of the largest logits, best first, equal ones in the order of the vocabulary.
fn most_likely(logits: &[f32], most: usize) -> Vec<u32> {
    let mut best = Vec::<(f32, u32)>::with_capacity(most + 1);
    for (id, &logit) in (0..).zip(logits) {
        let worst = best.last().filter(|_| best.len() >= most);
        if logit.is_nan() || most == 0 || worst.is_some_and(|(worst, _)| logit <= *worst) {
            continue;
        }
        let place = best.partition_point(|(other, _)| *other >= logit);
        best.insert(place, (logit, id));
        best.truncate(most);
    }
    best.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_come_first() {
        let logits = [1.0, 3.0, f32::NAN, 3.0, 2.0];
        assert_eq!(most_likely(&logits, 3), [1, 3, 4]);
        assert_eq!(most_likely(&logits, 9), [1, 3, 4, 0]);
        assert_eq!(most_likely(&logits, 0), [] as [u32; 0]);
    }
}
