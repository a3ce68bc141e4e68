//! One page: keys and values of [`PAGE_TOKENS`] tokens in all layers.
//!
//! They lie as attention multiplies them, in panels of sixteen outputs: keys with the same number
//! of sixteen tokens beside each other, values with sixteen numbers of the same token.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::Head;
use crate::kernels::panels::PANEL;

/// Tokens whose keys and values share a page.
pub(crate) const PAGE_TOKENS: usize = 32;

/// How keys and values are kept. Each is rounded by itself when it is written, so an answer
/// depends on the type and on nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// 4 bytes a number, as they were computed.
    F32,
    /// 2 bytes a number: 11 significant bits. The usual choice.
    #[default]
    F16,
    /// 1 byte a number, and a scale for each token and head: the largest of its numbers becomes
    /// 127. Half the memory of f16; off by at most 0.4 % of that largest number.
    Q8,
}

/// What makes up a page: `[layer][head]`, and of each head the keys,
/// `[sixteen tokens][head_dim][token]`, then the values, `[sixteen numbers][token][number]`, of
/// which the last are filled up with zeros.
#[derive(Clone, Debug)]
pub(crate) struct KvLayout {
    pub(crate) layers: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) kv_type: KvType,
}

/// Keys and values of [`PAGE_TOKENS`] tokens, in sixteens.
pub(crate) enum KvPage {
    F32(Box<[[f32; PANEL]]>),
    F16(Box<[[f16; PANEL]]>),
    Q8 {
        numbers: Box<[[i8; PANEL]]>,
        /// `[layer][head][keys or values][token]`: what the numbers are multiplied by.
        scales: Box<[f32]>,
    },
}

impl KvLayout {
    /// Bytes of a page.
    pub(crate) fn page_bytes(&self) -> usize {
        let numbers = self.heads() * self.head_len() * PANEL;
        match self.kv_type {
            KvType::F32 => numbers * size_of::<f32>(),
            KvType::F16 => numbers * size_of::<f16>(),
            KvType::Q8 => numbers + self.heads() * 2 * PAGE_TOKENS * size_of::<f32>(),
        }
    }

    /// Heads of all layers.
    fn heads(&self) -> usize {
        self.layers * self.kv_heads
    }

    /// Sixteens of the keys of a head.
    fn keys_len(&self) -> usize {
        PAGE_TOKENS / PANEL * self.head_dim
    }

    /// Sixteens of a head.
    fn head_len(&self) -> usize {
        self.keys_len() + self.head_dim.div_ceil(PANEL) * PAGE_TOKENS
    }

    /// Puts one token's keys and values of one layer into a page.
    fn write<T: Copy>(
        &self,
        page: &mut [[T; PANEL]],
        layer: usize,
        token: usize,
        [keys, values]: [&[T]; 2],
    ) {
        let page = &mut page[layer * self.kv_heads * self.head_len()..];
        let heads = page.chunks_exact_mut(self.head_len());
        let keys = keys.chunks_exact(self.head_dim);
        let values = values.chunks_exact(self.head_dim);
        for (head, (keys, values)) in heads.zip(keys.zip(values)) {
            let (head_keys, head_values) = head.split_at_mut(self.keys_len());
            let sixteens = head_keys[token / PANEL * self.head_dim..].iter_mut();
            for (sixteen, key) in sixteens.zip(keys) {
                sixteen[token % PANEL] = *key;
            }
            let sixteens = head_values[token..].iter_mut().step_by(PAGE_TOKENS);
            for (sixteen, values) in sixteens.zip(values.chunks(PANEL)) {
                sixteen[..values.len()].copy_from_slice(values);
            }
        }
    }
}

impl KvPage {
    /// A page of zeros.
    pub(crate) fn new(layout: &KvLayout) -> Self {
        let len = layout.heads() * layout.head_len();
        match layout.kv_type {
            KvType::F32 => Self::F32(vec![[0.0; PANEL]; len].into()),
            KvType::F16 => Self::F16(vec![[f16::ZERO; PANEL]; len].into()),
            KvType::Q8 => Self::Q8 {
                numbers: vec![[0; PANEL]; len].into(),
                scales: vec![0.0; layout.heads() * 2 * PAGE_TOKENS].into(),
            },
        }
    }

    /// Writes one token's keys and values of one layer, `[kv_heads * head_dim]` each.
    pub(crate) fn write(
        &mut self,
        layout: &KvLayout,
        layer: usize,
        token: usize,
        [keys, values]: [&[f32]; 2],
    ) {
        match self {
            Self::F32(page) => layout.write(page, layer, token, [keys, values]),
            Self::F16(page) => {
                let mut narrow = vec![f16::ZERO; 2 * keys.len()];
                let (narrow_keys, narrow_values) = narrow.split_at_mut(keys.len());
                narrow_keys.convert_from_f32_slice(keys);
                narrow_values.convert_from_f32_slice(values);
                layout.write(page, layer, token, [narrow_keys, narrow_values]);
            }
            Self::Q8 { numbers, scales } => {
                let rounded = [keys, values].map(|numbers| round(numbers, layout.head_dim));
                let [(keys, key_scales), (values, value_scales)] = rounded;
                layout.write(numbers, layer, token, [&keys, &values]);
                for (head, both) in key_scales.into_iter().zip(value_scales).enumerate() {
                    let scale = (layer * layout.kv_heads + head) * 2 * PAGE_TOKENS + token;
                    (scales[scale], scales[scale + PAGE_TOKENS]) = both;
                }
            }
        }
    }

    /// One head's keys and values.
    pub(crate) fn head(&self, layout: &KvLayout, layer: usize, head: usize) -> Head<'_> {
        let head = layer * layout.kv_heads + head;
        let range = head * layout.head_len()..(head + 1) * layout.head_len();
        let split = layout.keys_len();
        match self {
            Self::F32(page) => Head::F32(page[range].split_at(split)),
            Self::F16(page) => Head::F16(page[range].split_at(split)),
            Self::Q8 { numbers, scales } => {
                let scales = &scales[head * 2 * PAGE_TOKENS..][..2 * PAGE_TOKENS];
                Head::Q8(numbers[range].split_at(split), scales.split_at(PAGE_TOKENS))
            }
        }
    }
}

/// Rounds each head's numbers to 8 bits. Returns them, and what they are to be multiplied by.
fn round(numbers: &[f32], head_dim: usize) -> (Vec<i8>, Vec<f32>) {
    let mut rounded = Vec::with_capacity(numbers.len());
    let mut scales = Vec::with_capacity(numbers.len() / head_dim);
    for head in numbers.chunks_exact(head_dim) {
        let largest = head.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let scale = largest / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        // A cast to an integer saturates, and makes 0 of what is not a number.
        rounded.extend(head.iter().map(|number| (number * inverse).round() as i8));
        scales.push(scale);
    }
    (rounded, scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_exactly_as_their_type_allows() {
        for (kv_type, tolerance) in [
            (KvType::F32, 0.0),
            (KvType::F16, 0.0005),
            (KvType::Q8, 0.004),
        ] {
            let layout = KvLayout {
                layers: 2,
                kv_heads: 3,
                head_dim: 10,
                kv_type,
            };
            let mut page = KvPage::new(&layout);
            let number = |half: usize, at: usize| ((half * 41 + at * 7) % 23) as f32 / 23.0 - 0.4;
            let row = |half| (0..30).map(|at| number(half, at)).collect::<Vec<_>>();
            page.write(&layout, 1, 31, [&row(0), &row(1)]);
            let head = page.head(&layout, 1, 2);
            for at in 0..10 {
                // The key's number, by a query that asks for it alone.
                let mut query = [0.0; 10];
                query[at] = 1.0;
                let mut scores = [0.0; PAGE_TOKENS];
                head.scores(
                    1,
                    |_| &query,
                    |_, first, sixteen| {
                        scores[first..first + PANEL].copy_from_slice(sixteen);
                    },
                );
                assert_eq!(scores[..31], [0.0; 31]);
                let off = (scores[31] - number(0, 20 + at)).abs();
                assert!(off <= tolerance, "{kv_type:?}: off by {off}");
            }
            let mut values = [0.0; PANEL];
            head.weighted_values(
                30..32,
                1,
                |_| &[5.0, 1.0],
                |_, first, sixteen| {
                    assert_eq!(first, 0);
                    values = *sixteen;
                },
            );
            for (at, value) in values.iter().enumerate() {
                let expected = if at < 10 { number(1, 20 + at) } else { 0.0 };
                let off = (value - expected).abs();
                assert!(off <= tolerance, "{kv_type:?}: off by {off}");
            }
        }
    }

    #[test]
    fn a_page_takes_the_bytes_that_are_reserved_for_it() {
        let layout = |kv_type| KvLayout {
            layers: 2,
            kv_heads: 3,
            head_dim: 16,
            kv_type,
        };
        let numbers = 2 * 2 * 3 * 32 * 16;
        assert_eq!(layout(KvType::F32).page_bytes(), numbers * 4);
        assert_eq!(layout(KvType::F16).page_bytes(), numbers * 2);
        assert_eq!(layout(KvType::Q8).page_bytes(), numbers + numbers / 16 * 4);
    }
}
