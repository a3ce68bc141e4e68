//! Causal grouped-query attention over paged keys and values, all or those in a sliding window.
//!
//! Each row and head is computed by itself and in the same order of operations, whether its
//! token came in a prompt or was just generated, and whatever else is in the batch.

use std::ops::Range;

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::linear::dot;
use super::{Chunk, KvCache, Rows};
use crate::config::DecoderConfig;

/// How the rows of one layer attend.
pub(crate) struct Attention {
    layer: usize,
    scale: f32,
    cap: Option<f32>,
    window: Option<usize>,
}

impl Attention {
    /// As the configuration has it for this layer.
    pub(crate) fn new(config: &DecoderConfig, layer: usize) -> Self {
        Self {
            layer,
            scale: config.attention_scale as f32,
            cap: config.attention_cap.map(|cap| cap as f32),
            window: config.layer_configs[layer].window,
        }
    }

    /// Writes the rows' keys and values to their caches, then lets each row attend to its
    /// sequence up to itself. `qkv` are `[rows, heads * head_dim]`, keys and values with fewer
    /// heads.
    pub(crate) fn forward(
        &self,
        qkv: [&Tensor; 3],
        rows: &Rows,
        batch: &mut [Chunk<'_>],
    ) -> Result<Tensor> {
        let shape = qkv[0].dims2()?;
        let (queries, kv_width) = (shape.1, qkv[1].dim(1)?);
        let [query, key, value] = [numbers(qkv[0])?, numbers(qkv[1])?, numbers(qkv[2])?];
        let kv_rows = key.chunks_exact(kv_width).zip(value.chunks_exact(kv_width));
        for (row, (key, value)) in kv_rows.enumerate() {
            let cache = &mut *batch[rows.chunks()[row]].cache;
            cache.write(self.layer, rows.positions()[row], key, value);
        }

        let caches = batch
            .iter()
            .map(|chunk| &*chunk.cache)
            .collect::<Vec<&KvCache>>();
        let head_dim = caches[0].head_dim();
        let heads = queries / head_dim;
        let heads_per_kv_head = queries / kv_width;
        let mut out = vec![0.0; query.len()];
        out.par_chunks_mut(head_dim)
            .zip(query.par_chunks(head_dim))
            .enumerate()
            .for_each_init(Vec::new, |scores, (index, (out, query))| {
                let (row, head) = (index / heads, index % heads);
                let one = OneHead {
                    attention: self,
                    cache: caches[rows.chunks()[row]],
                    kv_head: head / heads_per_kv_head,
                    tokens: self.seen_from(rows.positions()[row]),
                };
                one.attend(query, scores, out);
            });
        Tensor::from_vec(out, shape, &Device::Cpu)
    }

    /// The tokens up to this position that are within the window.
    fn seen_from(&self, position: usize) -> Range<usize> {
        let end = position + 1;
        end.saturating_sub(self.window.unwrap_or(end))..end
    }
}

/// The tokens one row sees, through one head.
struct OneHead<'a> {
    attention: &'a Attention,
    cache: &'a KvCache,
    kv_head: usize,
    tokens: Range<usize>,
}

impl OneHead<'_> {
    /// softmax(cap(query · keys * scale)) · values
    fn attend(&self, query: &[f32], scores: &mut Vec<f32>, out: &mut [f32]) {
        let head_dim = query.len();
        let Attention {
            layer, scale, cap, ..
        } = *self.attention;
        let pages = || self.cache.pages(layer, self.kv_head, self.tokens.clone());

        scores.clear();
        for (keys, _) in pages() {
            let keys = keys.chunks_exact(head_dim);
            scores.extend(keys.map(|key| dot(query, key) * scale));
        }
        if let Some(cap) = cap {
            for score in scores.iter_mut() {
                *score = cap * (*score / cap).tanh();
            }
        }
        let total = exponentials(scores);

        let mut weights = scores.iter();
        for (_, values) in pages() {
            for (value, weight) in values.chunks_exact(head_dim).zip(&mut weights) {
                for (out, value) in out.iter_mut().zip(value) {
                    *out += weight * value;
                }
            }
        }
        for out in out {
            *out /= total;
        }
    }
}

/// Replaces scores by the exponentials of their distance to the largest, and sums those.
fn exponentials(scores: &mut [f32]) -> f32 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for score in scores {
        *score = (*score - largest).exp();
        total += *score;
    }
    total
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
