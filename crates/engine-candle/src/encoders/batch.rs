//! Texts of like length, side by side in one tensor.

use candle_core::{Device, Result, Tensor};

use super::tokens::TokenSequence;

/// Texts padded to the length of the longest. All tensors are u32, `[texts, width]`.
pub(super) struct Batch {
    /// Tokens, then padding.
    pub(super) ids: Tensor,
    /// As in [`TokenSequence`]; 0 for padding.
    pub(super) types: Tensor,
    /// 1 for tokens, 0 for padding.
    pub(super) mask: Tensor,
}

/// Which texts go through the model together.
#[derive(Clone, Copy)]
pub(super) struct BatchLimits {
    /// The most tokens of a batch, padding included, unless a single text has more.
    pub(super) tokens: usize,
    /// The model cannot tell padding from tokens: all texts of a batch have one length.
    pub(super) one_length: bool,
}

impl BatchLimits {
    /// The places in `lengths` of the texts of each batch; each text is in one of them.
    pub(super) fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>> {
        let mut by_length = (0..lengths.len()).collect::<Vec<_>>();
        by_length.sort_by_key(|&text| lengths[text]);
        let mut batches = Vec::<Vec<usize>>::new();
        for text in by_length {
            let width = lengths[text];
            match batches.last_mut() {
                Some(batch)
                    if (batch.len() + 1) * width <= self.tokens
                        && (!self.one_length || lengths[batch[0]] == width) =>
                {
                    batch.push(text);
                }
                _ => batches.push(vec![text]),
            }
        }
        batches
    }
}

impl Batch {
    /// Pads the texts with the token `padding`.
    pub(super) fn pad(texts: &[&TokenSequence], padding: u32) -> Result<Self> {
        let width = texts.iter().map(|text| text.ids.len()).max().unwrap_or(0);
        let shape = (texts.len(), width);
        let tensor = |row: &dyn Fn(&TokenSequence) -> Vec<u32>, fill: u32| {
            let mut values = Vec::with_capacity(texts.len() * width);
            for (index, text) in texts.iter().enumerate() {
                values.extend(row(text));
                values.resize((index + 1) * width, fill);
            }
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        Ok(Self {
            ids: tensor(&|text| text.ids.clone(), padding)?,
            types: tensor(&|text| text.types.clone(), 0)?,
            mask: tensor(&|text| vec![1; text.ids.len()], 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BatchLimits;

    #[test]
    fn batches_hold_like_lengths_and_no_more_tokens_than_they_may() {
        let check = |tokens, one_length, lengths: &[usize], expected: &[&[usize]]| {
            let limits = BatchLimits { tokens, one_length };
            assert_eq!(limits.plan(lengths), expected, "{lengths:?}");
        };
        check(8, false, &[], &[]);
        check(8, false, &[4, 1, 2, 3], &[&[1, 2], &[3, 0]]);
        check(8, true, &[4, 2, 4, 2, 2], &[&[1, 3, 4], &[0, 2]]);
        check(8, false, &[20, 3], &[&[1], &[0]]);
    }
}
