//! What a request asks to be added to, or taken from, the logits before a token is chosen.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use engine::SamplingParams;

/// The penalties and biases of one request, with the tokens they depend on.
pub(crate) struct Penalties {
    frequency: f32,
    presence: f32,
    repetition: f32,
    bias: Vec<(u32, f32)>,
    /// Tokens of the prompt and the answer; kept only if repetition is penalised.
    seen: BTreeSet<u32>,
    /// How often each token was generated; kept only if that is penalised.
    generated: BTreeMap<u32, u32>,
}

impl Penalties {
    /// For parameters that were checked, and the prompt they apply to.
    pub(crate) fn new(params: &SamplingParams, bias: Vec<(u32, f32)>, prompt: &[u32]) -> Self {
        let mut seen = BTreeSet::new();
        if params.repetition_penalty != 1.0 {
            seen.extend(prompt);
        }
        Self {
            frequency: params.frequency_penalty,
            presence: params.presence_penalty,
            repetition: params.repetition_penalty,
            bias,
            seen,
            generated: BTreeMap::new(),
        }
    }

    /// The logits as the request wants them; untouched when it asks for nothing.
    pub(crate) fn apply<'a>(&self, logits: &'a [f32]) -> Cow<'a, [f32]> {
        if self.seen.is_empty() && self.generated.is_empty() && self.bias.is_empty() {
            return Cow::Borrowed(logits);
        }
        let mut logits = logits.to_vec();
        for &id in &self.seen {
            let logit = &mut logits[id as usize];
            *logit = match *logit > 0.0 {
                true => *logit / self.repetition,
                false => *logit * self.repetition,
            };
        }
        for (&id, &times) in &self.generated {
            logits[id as usize] -= self.presence + self.frequency * times as f32;
        }
        for &(id, bias) in &self.bias {
            logits[id as usize] += bias;
        }
        Cow::Owned(logits)
    }

    /// Takes note of a token that was chosen.
    pub(crate) fn note(&mut self, id: u32) {
        if self.repetition != 1.0 {
            self.seen.insert(id);
        }
        if self.frequency != 0.0 || self.presence != 0.0 {
            *self.generated.entry(id).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [2.0, -2.0, 1.0, 0.0];

    fn check(params: SamplingParams, bias: &[(u32, f32)], chosen: &[u32], expected: [f32; 4]) {
        let mut penalties = Penalties::new(&params, bias.to_vec(), &[1]);
        for &id in chosen {
            penalties.note(id);
        }
        assert_eq!(
            *penalties.apply(&LOGITS),
            expected,
            "{params:?} {bias:?} {chosen:?}"
        );
    }

    #[test]
    fn logits_are_changed_as_asked() {
        let none = SamplingParams::GREEDY;
        let frequency = SamplingParams {
            frequency_penalty: 0.5,
            ..none
        };
        let presence = SamplingParams {
            presence_penalty: 0.5,
            ..none
        };
        let repetition = SamplingParams {
            repetition_penalty: 2.0,
            ..none
        };
        check(none, &[], &[0, 0], LOGITS);
        check(none, &[(3, 5.0), (0, -100.0)], &[], [-98.0, -2.0, 1.0, 5.0]);
        check(frequency, &[], &[0, 0, 2], [1.0, -2.0, 0.5, 0.0]);
        check(presence, &[], &[0, 0, 2], [1.5, -2.0, 0.5, 0.0]);
        check(repetition, &[], &[0], [1.0, -4.0, 1.0, 0.0]);
    }
}
