//! How fast the workers are, as measured, and how long work will take at that speed.

use std::time::Duration;

/// What was measured of all workers lately.
#[derive(Default)]
pub(crate) struct Pace {
    prefill: Rate,
    decode: Rate,
    answers: Rate,
}

/// One step of a worker.
pub(crate) struct Step {
    /// Tokens of prompts that were read.
    pub(crate) prefilled: usize,
    /// Tokens that were generated for sequences whose prompt had been read.
    pub(crate) decoded: usize,
    pub(crate) took: Duration,
}

/// Tokens that are to go through the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) prefill: usize,
    pub(crate) decode: usize,
}

impl Pace {
    /// Takes note of a step.
    pub(crate) fn note_step(&mut self, step: &Step) {
        let took = step.took.as_secs_f64();
        if step.prefilled == 0 {
            self.decode.note(took, step.decoded);
            return;
        }
        // What generating alone would have taken is not the prompts'; reading has the larger
        // part of any step all the same.
        let decoding = self.decode.mean().unwrap_or(0.0) * step.decoded as f64;
        self.prefill
            .note((took - decoding).max(took / 2.0), step.prefilled);
    }

    /// Takes note of the length of an answer that ended by itself.
    pub(crate) fn note_answer(&mut self, tokens: usize) {
        self.answers.note(tokens as f64, 1);
    }

    /// How long an answer will be that may have so many tokens.
    pub(crate) fn expected_answer(&self, max_tokens: usize) -> usize {
        let mean = self.answers.mean().map(|mean| mean.ceil() as usize);
        mean.map_or(max_tokens, |mean| mean.min(max_tokens))
    }

    /// How long a worker takes for this; `None` while nothing was measured.
    pub(crate) fn time(&self, work: Work) -> Option<Duration> {
        let prefill = self.prefill.mean()? * work.prefill as f64;
        let decode = self.decode.mean().unwrap_or(0.0) * work.decode as f64;
        Some(Duration::from_secs_f64(prefill + decode))
    }

    /// Tokens of prompts that are read in so long a time; `None` while nothing was measured.
    pub(crate) fn prefill_tokens(&self, time: Duration) -> Option<usize> {
        let mean = self.prefill.mean().filter(|mean| *mean > 0.0)?;
        Some((time.as_secs_f64() / mean) as usize)
    }
}

/// A mean of so much for each thing, in which what came lately counts most.
#[derive(Default)]
struct Rate {
    amount: f64,
    count: f64,
}

impl Rate {
    /// What an older measurement still counts for when a new one comes.
    const KEPT: f64 = 0.95;

    fn note(&mut self, amount: f64, count: usize) {
        self.amount = self.amount * Self::KEPT + amount;
        self.count = self.count * Self::KEPT + count as f64;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.amount / self.count)
    }
}

impl std::ops::Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            prefill: self.prefill + other.prefill,
            decode: self.decode + other.decode,
        }
    }
}

impl std::iter::Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::default(), std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_estimated_from_what_was_measured() {
        let mut pace = Pace::default();
        let work = Work {
            prefill: 100,
            decode: 10,
        };
        assert_eq!(pace.time(work), None);
        let step = |prefilled, decoded, took_ms| Step {
            prefilled,
            decoded,
            took: Duration::from_millis(took_ms),
        };
        for _ in 0..50 {
            pace.note_step(&step(0, 2, 100));
            pace.note_step(&step(64, 2, 740));
        }
        // 10 ms for each token of a prompt, 50 ms for each that is generated.
        let time = pace.time(work).expect("it was measured");
        assert!((time.as_secs_f64() - 1.5).abs() < 1e-6, "{time:?}");
        let tokens = pace.prefill_tokens(Duration::from_secs(1));
        assert!(tokens.is_some_and(|tokens| tokens.abs_diff(100) <= 1));
    }

    #[test]
    fn answers_are_expected_to_be_as_long_as_others() {
        let mut pace = Pace::default();
        assert_eq!(pace.expected_answer(500), 500);
        pace.note_answer(20);
        pace.note_answer(20);
        assert_eq!(
            (pace.expected_answer(500), pace.expected_answer(3)),
            (20, 3)
        );
    }
}
