//! Choosing the next token.
//!
//! The order of the filters is that of Hugging Face: temperature, top-k, top-p, min-p. Tokens
//! with equal logits are taken in the order of the vocabulary, so that the choice is the same on
//! every run.

use std::cmp::Ordering;

use engine::{EngineError, SamplingParams};

use super::random::Random;

/// Chooses the tokens of one answer.
pub(crate) struct Sampler {
    params: SamplingParams,
    random: Random,
}

/// Checks every number of the parameters against its range.
pub(crate) fn check(params: &SamplingParams) -> Result<(), EngineError> {
    let refuse = |param, range: &str| {
        Err(EngineError::InvalidRequest {
            param,
            message: format!("{param} must be {range}"),
        })
    };
    // Written so that NaN is refused too.
    if !(0.0..=2.0).contains(&params.temperature) {
        return refuse("temperature", "between 0 and 2");
    }
    if !(params.top_p > 0.0 && params.top_p <= 1.0) {
        return refuse("top_p", "above 0 and at most 1");
    }
    if !(0.0..=1.0).contains(&params.min_p) {
        return refuse("min_p", "between 0 and 1");
    }
    if !(-2.0..=2.0).contains(&params.frequency_penalty) {
        return refuse("frequency_penalty", "between -2 and 2");
    }
    if !(-2.0..=2.0).contains(&params.presence_penalty) {
        return refuse("presence_penalty", "between -2 and 2");
    }
    if !(params.repetition_penalty > 0.0 && params.repetition_penalty <= 2.0) {
        return refuse("repetition_penalty", "above 0 and at most 2");
    }
    if params.top_k == Some(0) {
        return refuse("top_k", "at least 1");
    }
    Ok(())
}

impl Sampler {
    /// For parameters that were [checked](check).
    pub(crate) fn new(params: SamplingParams) -> Self {
        Self {
            params,
            random: Random::new(params.seed),
        }
    }

    /// The next token, given the logits of all.
    pub(crate) fn sample(&mut self, logits: &[f32]) -> Result<u32, EngineError> {
        let best = most_likely(logits)
            .ok_or_else(|| EngineError::Failed("the model's logits are not numbers".into()))?;
        if self.params.temperature == 0.0 {
            return Ok(best.id);
        }
        let mut candidates = self.weigh(logits, best.weight);
        self.keep_top_k(&mut candidates);
        self.keep_top_p(&mut candidates);
        self.keep_min_p(&mut candidates);
        let total = candidates
            .iter()
            .map(|one| f64::from(one.weight))
            .sum::<f64>();
        let mut left = self.random.next() * total;
        for candidate in &candidates {
            left -= f64::from(candidate.weight);
            if left < 0.0 {
                return Ok(candidate.id);
            }
        }
        Ok(best.id)
    }

    /// Every token with exp((logit - largest) / temperature); probabilities but for a factor.
    fn weigh(&self, logits: &[f32], largest: f32) -> Vec<Candidate> {
        let weight = |logit: f32| ((logit - largest) / self.params.temperature).exp();
        let candidates = (0..).zip(logits).map(|(id, &logit)| Candidate {
            id,
            weight: weight(logit),
        });
        candidates.filter(|one| one.weight > 0.0).collect()
    }

    fn keep_top_k(&self, candidates: &mut Vec<Candidate>) {
        match self.params.top_k {
            Some(top_k) if top_k < candidates.len() => keep_best(candidates, top_k),
            _ => {}
        }
    }

    /// Keeps the fewest best tokens that together have `top_p` of the weight. Sorting a whole
    /// vocabulary would cost more than the model's step, so ever more of the best are tried.
    fn keep_top_p(&self, candidates: &mut Vec<Candidate>) {
        if self.params.top_p >= 1.0 {
            return;
        }
        let total = candidates
            .iter()
            .map(|one| f64::from(one.weight))
            .sum::<f64>();
        let wanted = f64::from(self.params.top_p) * total;
        let mut tried = 64;
        loop {
            let mut best = candidates.clone();
            keep_best(&mut best, tried);
            best.sort_unstable_by(Candidate::best_first);
            let mut weight = 0.0;
            let enough = best.iter().position(|one| {
                weight += f64::from(one.weight);
                weight >= wanted
            });
            if enough.is_some() || best.len() == candidates.len() {
                best.truncate(enough.map_or(best.len(), |last| last + 1));
                *candidates = best;
                return;
            }
            tried *= 8;
        }
    }

    fn keep_min_p(&self, candidates: &mut Vec<Candidate>) {
        // The best candidate weighs 1.
        candidates.retain(|one| one.weight >= self.params.min_p);
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    id: u32,
    weight: f32,
}

impl Candidate {
    fn best_first(&self, other: &Self) -> Ordering {
        let by_weight = other.weight.total_cmp(&self.weight);
        by_weight.then(self.id.cmp(&other.id))
    }
}

fn most_likely(logits: &[f32]) -> Option<Candidate> {
    let candidates = (0..)
        .zip(logits)
        .map(|(id, &weight)| Candidate { id, weight });
    candidates
        .filter(|one| one.weight.is_finite())
        .min_by(Candidate::best_first)
}

fn keep_best(candidates: &mut Vec<Candidate>, count: usize) {
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count, Candidate::best_first);
        candidates.truncate(count);
        candidates.sort_unstable_by_key(|one| one.id);
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::LN_2;

    use super::*;

    /// Probabilities 0.5, 0.25, 0.125, 0.125 of tokens 3, 1, 0, 2.
    const LOGITS: [f32; 4] = [-3.0 * LN_2, -2.0 * LN_2, -3.0 * LN_2, -LN_2];

    const HOT: SamplingParams = SamplingParams {
        temperature: 1.0,
        seed: Some(7),
        ..SamplingParams::GREEDY
    };

    fn shares(params: SamplingParams) -> [u32; 4] {
        let mut sampler = Sampler::new(params);
        let mut counts = [0; 4];
        for _ in 0..8000 {
            counts[sampler.sample(&LOGITS).expect("there are logits") as usize] += 1;
        }
        counts.map(|count| (count + 40) / 80)
    }

    #[test]
    fn filters_keep_the_tokens_they_should() {
        let check = |params: SamplingParams, expected: [u32; 4]| {
            let shares = shares(params);
            let close = shares.iter().zip(expected).all(|(share, expected)| {
                share.abs_diff(expected) <= 2 && (expected > 0 || *share == 0)
            });
            assert!(close, "{params:?}: got {shares:?}, expected {expected:?}");
        };
        check(
            SamplingParams {
                temperature: 0.0,
                ..HOT
            },
            [0, 0, 0, 100],
        );
        check(HOT, [12, 25, 12, 50]);
        check(
            SamplingParams {
                temperature: 0.5,
                ..HOT
            },
            [5, 18, 5, 73],
        );
        check(
            SamplingParams {
                top_k: Some(2),
                ..HOT
            },
            [0, 33, 0, 67],
        );
        check(
            SamplingParams {
                top_k: Some(3),
                ..HOT
            },
            [14, 29, 0, 57],
        );
        check(SamplingParams { top_p: 0.5, ..HOT }, [0, 0, 0, 100]);
        check(SamplingParams { top_p: 0.7, ..HOT }, [0, 33, 0, 67]);
        check(SamplingParams { min_p: 0.4, ..HOT }, [0, 33, 0, 67]);
        check(SamplingParams { min_p: 1.0, ..HOT }, [0, 0, 0, 100]);
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        let draw = |seed| {
            let mut sampler = Sampler::new(SamplingParams { seed, ..HOT });
            [(); 32].map(|()| sampler.sample(&LOGITS).expect("there are logits"))
        };
        assert_eq!(draw(Some(1)), draw(Some(1)));
        assert_ne!(draw(Some(1)), draw(Some(2)));
        assert_ne!(draw(None), draw(None));
    }

    #[test]
    fn a_large_vocabulary_gives_the_same_top_p_as_sorting_it() {
        let logits = (0..1000)
            .map(|id| (id % 7) as f32 * 0.01)
            .collect::<Vec<_>>();
        let sampler = Sampler::new(SamplingParams { top_p: 0.9, ..HOT });
        let mut candidates = sampler.weigh(&logits, 0.06);
        let total = candidates.iter().map(|one| one.weight).sum::<f32>();
        sampler.keep_top_p(&mut candidates);
        let kept = candidates.iter().map(|one| one.weight).sum::<f32>();
        assert!(
            kept / total >= 0.9 && kept / total < 0.902,
            "{}",
            kept / total
        );
    }

    #[test]
    fn ranges_are_closed() {
        let refused = |params| match check(&params) {
            Err(EngineError::InvalidRequest { param, .. }) => param,
            other => panic!("{params:?} gave {other:?}"),
        };
        assert_eq!(check(&HOT), Ok(()));
        assert_eq!(
            refused(SamplingParams {
                temperature: 2.1,
                ..HOT
            }),
            "temperature"
        );
        assert_eq!(
            refused(SamplingParams {
                temperature: f32::NAN,
                ..HOT
            }),
            "temperature"
        );
        assert_eq!(refused(SamplingParams { top_p: 0.0, ..HOT }), "top_p");
        assert_eq!(
            refused(SamplingParams {
                top_k: Some(0),
                ..HOT
            }),
            "top_k"
        );
        assert_eq!(refused(SamplingParams { min_p: -0.1, ..HOT }), "min_p");
        assert_eq!(
            refused(SamplingParams {
                frequency_penalty: 2.1,
                ..HOT
            }),
            "frequency_penalty"
        );
        assert_eq!(
            refused(SamplingParams {
                repetition_penalty: 0.0,
                ..HOT
            }),
            "repetition_penalty"
        );
    }

    #[test]
    fn logits_that_are_not_numbers_are_an_error() {
        let mut sampler = Sampler::new(HOT);
        assert!(sampler.sample(&[f32::NAN, f32::NAN]).is_err());
        assert_eq!(sampler.sample(&[f32::NAN, 1.0]), Ok(1));
    }
}
