//! Probabilities of tokens: the softmax of a model's logits.

/// The logarithm of what a softmax divides by.
pub(crate) fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = logits
        .iter()
        .filter(|logit| !logit.is_nan())
        .map(|&logit| f64::from(logit - largest).exp())
        .sum::<f64>();
    f64::from(largest) + sum.ln()
}

/// The logarithm of the probability of a token, of logits with this [`log_sum_exp`].
pub(crate) fn logprob(logits: &[f32], id: u32, log_sum_exp: f64) -> f32 {
    (f64::from(logits[id as usize]) - log_sum_exp) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let logits = [100.0, 101.0, -3.0, 99.5];
        let total = log_sum_exp(&logits);
        let probabilities = (0..4).map(|id| logprob(&logits, id, total).exp());
        let sum = probabilities.sum::<f32>();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
}
