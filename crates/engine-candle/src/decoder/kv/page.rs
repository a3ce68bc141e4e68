//! One page: keys and values of [`PAGE_TOKENS`] tokens in all layers.

use std::ops::Range;

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::kernels::vector;

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

/// What makes up a page: `[layer][keys or values][head][token][head_dim]`, so that attention
/// reads one head's keys of a page in one run.
#[derive(Clone, Debug)]
pub(crate) struct KvLayout {
    pub(crate) layers: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) kv_type: KvType,
}

/// Keys and values of [`PAGE_TOKENS`] tokens.
pub(crate) enum KvPage {
    F32(Box<[f32]>),
    F16(Box<[f16]>),
    Q8 {
        values: Box<[i8]>,
        /// One for each token and head: what its numbers are multiplied by.
        scales: Box<[f32]>,
    },
}

/// Keys or values of consecutive tokens, `[tokens, head_dim]`.
#[derive(Clone, Copy)]
pub(crate) enum Run<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
    Q8 {
        values: &'a [i8],
        /// One for each token.
        scales: &'a [f32],
    },
}

impl KvLayout {
    /// Bytes of a page.
    pub(crate) fn page_bytes(&self) -> usize {
        let (numbers, scales) = (self.page_len(), self.page_len() / self.head_dim);
        match self.kv_type {
            KvType::F32 => numbers * size_of::<f32>(),
            KvType::F16 => numbers * size_of::<f16>(),
            KvType::Q8 => numbers + scales * size_of::<f32>(),
        }
    }

    fn page_len(&self) -> usize {
        self.layers * 2 * self.kv_heads * PAGE_TOKENS * self.head_dim
    }

    /// Where a token's keys (`half` 0) or values (`half` 1) in a head begin, in units of
    /// `head_dim`.
    fn place(&self, layer: usize, half: usize, head: usize, token: usize) -> usize {
        ((layer * 2 + half) * self.kv_heads + head) * PAGE_TOKENS + token
    }
}

impl KvPage {
    /// A page of zeros.
    pub(crate) fn new(layout: &KvLayout) -> Self {
        let len = layout.page_len();
        match layout.kv_type {
            KvType::F32 => Self::F32(vec![0.0; len].into()),
            KvType::F16 => Self::F16(vec![f16::ZERO; len].into()),
            KvType::Q8 => Self::Q8 {
                values: vec![0; len].into(),
                scales: vec![0.0; len / layout.head_dim].into(),
            },
        }
    }

    /// Writes one token's keys and values of one layer, `[kv_heads * head_dim]` each.
    pub(crate) fn write(
        &mut self,
        layout: &KvLayout,
        layer: usize,
        token: usize,
        keys_and_values: [&[f32]; 2],
    ) {
        let dim = layout.head_dim;
        for (half, row) in keys_and_values.into_iter().enumerate() {
            for (head, numbers) in row.chunks_exact(dim).enumerate() {
                let place = layout.place(layer, half, head, token);
                let range = place * dim..(place + 1) * dim;
                match self {
                    Self::F32(page) => page[range].copy_from_slice(numbers),
                    Self::F16(page) => page[range].convert_from_f32_slice(numbers),
                    Self::Q8 { values, scales } => {
                        scales[place] = quantise(numbers, &mut values[range]);
                    }
                }
            }
        }
    }

    /// Keys and values of these tokens in one head.
    pub(crate) fn runs(
        &self,
        layout: &KvLayout,
        layer: usize,
        head: usize,
        tokens: Range<usize>,
    ) -> [Run<'_>; 2] {
        let dim = layout.head_dim;
        [0, 1].map(|half| {
            let from = layout.place(layer, half, head, tokens.start);
            let places = from..from + tokens.len();
            let numbers = places.start * dim..places.end * dim;
            match self {
                Self::F32(page) => Run::F32(&page[numbers]),
                Self::F16(page) => Run::F16(&page[numbers]),
                Self::Q8 { values, scales } => Run::Q8 {
                    values: &values[numbers],
                    scales: &scales[places],
                },
            }
        })
    }
}

impl<'a> Run<'a> {
    /// The numbers in f32; `space` is for those that are kept as something else.
    pub(crate) fn numbers<'b>(self, space: &'b mut Vec<f32>) -> &'b [f32]
    where
        'a: 'b,
    {
        match self {
            Self::F32(numbers) => numbers,
            Self::F16(numbers) => {
                space.resize(numbers.len(), 0.0);
                numbers.convert_to_f32_slice(space);
                space
            }
            Self::Q8 { values, scales } => {
                space.resize(values.len(), 0.0);
                let dim = values.len() / scales.len();
                let tokens = values.chunks_exact(dim).zip(space.chunks_exact_mut(dim));
                for ((values, numbers), scale) in tokens.zip(scales) {
                    vector::widen_bytes(values, *scale, numbers);
                }
                space
            }
        }
    }
}

/// Rounds to 8 bits. Returns what the integers are to be multiplied by.
fn quantise(numbers: &[f32], out: &mut [i8]) -> f32 {
    let largest = numbers.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    for (out, number) in out.iter_mut().zip(numbers) {
        // A cast to an integer saturates, and makes 0 of what is not a number.
        *out = (number * inverse).round() as i8;
    }
    scale
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
            for (half, run) in page.runs(&layout, 1, 2, 30..32).into_iter().enumerate() {
                let mut space = Vec::new();
                let numbers = run.numbers(&mut space);
                assert_eq!(numbers.len(), 20);
                assert!(numbers[..10].iter().all(|&zero| zero == 0.0));
                let off = (0..10).map(|at| (numbers[10 + at] - number(half, 20 + at)).abs());
                let worst = off.fold(0.0, f32::max);
                assert!(worst <= tolerance, "{kv_type:?}: off by {worst}");
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
