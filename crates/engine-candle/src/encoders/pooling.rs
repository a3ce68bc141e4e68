//! One vector from the states of a text's tokens.

/// Which vector stands for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The state of the first token.
    First,
    /// The mean of all states.
    Mean,
    /// The state of the last token.
    Last,
}

impl Pooling {
    /// Pools the states of one text's tokens, `width` numbers each; there is at least one.
    pub(super) fn pool(self, states: &[f32], width: usize) -> Vec<f32> {
        match self {
            Self::First => states[..width].to_vec(),
            Self::Last => states[states.len() - width..].to_vec(),
            Self::Mean => mean(states, width),
        }
    }
}

/// Gives a vector the length 1; leaves one of length 0.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

fn mean(states: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for state in states.chunks_exact(width) {
        for (sum, x) in sum.iter_mut().zip(state) {
            *sum += x;
        }
    }
    let count = (states.len() / width) as f32;
    sum.iter_mut().for_each(|x| *x /= count);
    sum
}

#[cfg(test)]
mod tests {
    use super::{Pooling, normalise};

    #[test]
    fn each_pooling_takes_what_it_says() {
        let states = [3.0, 4.0, 1.0, 0.0, 2.0, 2.0];
        let check = |pooling: Pooling, expected: [f32; 2]| {
            assert_eq!(pooling.pool(&states, 2), expected, "{pooling:?}");
        };
        check(Pooling::First, [3.0, 4.0]);
        check(Pooling::Mean, [2.0, 2.0]);
        check(Pooling::Last, [2.0, 2.0]);
        let mut vector = [3.0, 4.0];
        normalise(&mut vector);
        assert_eq!(vector, [0.6, 0.8]);
        normalise(&mut [0.0; 2]);
    }
}
