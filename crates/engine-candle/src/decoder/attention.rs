//! Causal grouped-query attention over paged keys and values: all, those in a sliding window, or
//! all but those of other sources.
//!
//! Rows of a sequence are taken a few at a time, so that a page is read and converted once for
//! all of them and for all heads that share its keys. Each row and head is computed in the same
//! order of operations all the same, whether its token came in a prompt or was just generated,
//! and whatever else is in the batch.

use std::ops::Range;

use rayon::prelude::*;

use super::{Chunk, KvCache, PAGE_TOKENS, Rows};
use crate::config::DecoderConfig;
use crate::kernels::panels::PANEL;
use crate::kernels::vector;

/// How the rows of one layer attend.
pub(crate) struct Attention {
    layer: usize,
    scale: f32,
    cap: Option<f32>,
    window: Option<usize>,
}

/// The most rows that are taken together.
const TILE_ROWS: usize = 8;

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
        [query, key, value]: [&[f32]; 3],
        rows: &Rows,
        batch: &mut [Chunk<'_>],
    ) -> Vec<f32> {
        let row_count = rows.positions().len();
        let (queries, kv_width) = (query.len() / row_count, key.len() / row_count);
        let kv_rows = key.chunks_exact(kv_width).zip(value.chunks_exact(kv_width));
        for (row, (key, value)) in kv_rows.enumerate() {
            let cache = &mut *batch[rows.chunks()[row]].cache;
            cache.write(self.layer, rows.positions()[row], key, value);
        }

        let caches = batch.iter().map(|chunk| &*chunk.cache);
        let caches = caches.collect::<Vec<&KvCache>>();
        let layout = caches[0].layout();
        let group = queries / layout.kv_heads;
        // [kv_heads, rows, heads of the group * head_dim], so that each tile writes one run.
        let mut grouped = vec![0.0; query.len()];
        self.tiles(rows, &caches, query, &mut grouped)
            .into_par_iter()
            .for_each_init(Space::default, |space, tile| tile.attend(space));
        let mut out = vec![0.0; query.len()];
        for (index, run) in grouped.chunks_exact(group).enumerate() {
            let (kv_head, row) = (index / row_count, index % row_count);
            let start = row * queries + kv_head * group;
            out[start..start + group].copy_from_slice(run);
        }
        out
    }

    /// Everything that is to be computed, in pieces that do not depend on each other.
    fn tiles<'a>(
        &'a self,
        rows: &'a Rows,
        caches: &[&'a KvCache],
        query: &'a [f32],
        mut out: &'a mut [f32],
    ) -> Vec<Tile<'a>> {
        let row_count = rows.positions().len();
        let kv_heads = caches[0].layout().kv_heads;
        let queries = query.len() / row_count;
        let group = queries / kv_heads;
        let mut tiles = Vec::new();
        for kv_head in 0..kv_heads {
            let mut start = 0;
            for same_chunk in rows.chunks().chunk_by(|a, b| a == b) {
                for tile_rows in same_chunk.chunks(TILE_ROWS) {
                    let end = start + tile_rows.len();
                    let (tile_out, rest) = out.split_at_mut(tile_rows.len() * group);
                    out = rest;
                    tiles.push(Tile {
                        attention: self,
                        cache: caches[same_chunk[0]],
                        kv_head,
                        positions: &rows.positions()[start..end],
                        unseen: &rows.unseen()[start..end],
                        query: &query[start * queries..end * queries],
                        out: tile_out,
                    });
                    start = end;
                }
            }
        }
        tiles
    }

    /// The tokens up to this position that are within the window.
    fn seen_from(&self, position: usize) -> Range<usize> {
        let end = position + 1;
        end.saturating_sub(self.window.unwrap_or(end))..end
    }
}

/// Consecutive rows of one sequence, through the heads that share one head of keys.
struct Tile<'a> {
    attention: &'a Attention,
    cache: &'a KvCache,
    kv_head: usize,
    /// Of each row.
    positions: &'a [usize],
    /// Tokens that each row does not see.
    unseen: &'a [Range<usize>],
    /// `[rows, heads * head_dim]`, all heads.
    query: &'a [f32],
    /// `[rows, heads of the group * head_dim]`, zeros.
    out: &'a mut [f32],
}

/// What a thread needs while it computes tiles.
#[derive(Default)]
struct Space {
    /// `[rows, heads of the group, tokens of the pages]`
    scores: Vec<f32>,
}

impl Tile<'_> {
    /// softmax(cap(query · keys * scale)) · values
    fn attend(self, space: &mut Space) {
        let Attention {
            layer, scale, cap, ..
        } = *self.attention;
        let head_dim = self.cache.layout().head_dim;
        let rows = self.positions.len();
        let group = self.out.len() / rows;
        let heads = group / head_dim;
        let queries = self.query.len() / rows;
        // The queries of all rows through all heads of the group, each of which has its scores.
        let query = |index: usize| {
            let start = index / heads * queries + self.kv_head * group;
            &self.query[start + index % heads * head_dim..][..head_dim]
        };
        let seen = |index: usize| self.attention.seen_from(self.positions[index / heads]);
        let all = seen(0).start..self.positions[rows - 1] + 1;
        let pages = || self.cache.heads(layer, self.kv_head, &all);
        let first_token = all.start / PAGE_TOKENS * PAGE_TOKENS;
        let width = (all.end - first_token).next_multiple_of(PAGE_TOKENS);
        // Every one of them is written before it is read.
        space.scores.resize(rows * heads * width, 0.0);

        let mut next = pages().skip(1);
        for (page, keys) in pages() {
            if let Some((_, next)) = next.next() {
                next.prefetch_keys();
            }
            keys.scores(rows * heads, query, |index, token, products| {
                let start = index * width + page - first_token + token;
                let scores = &mut space.scores[start..start + products.len()];
                for (score, product) in scores.iter_mut().zip(products) {
                    *score = product * scale;
                }
            });
        }

        if let Some((_, values)) = pages().next() {
            values.prefetch_values();
        }
        // One sum of exponentials for each row and head.
        let mut totals = Vec::with_capacity(rows * heads);
        for (index, scores) in space.scores.chunks_exact_mut(width).enumerate() {
            let seen = seen(index);
            let scores = &mut scores[seen.start - first_token..seen.end - first_token];
            if let Some(cap) = cap {
                for score in scores.iter_mut() {
                    *score = cap * (*score / cap).tanh();
                }
            }
            let unseen = overlap(&seen, &self.unseen[index / heads]);
            scores[unseen.start - seen.start..unseen.end - seen.start].fill(f32::NEG_INFINITY);
            totals.push(vector::exponentials(scores));
        }

        let mut next = pages().skip(1);
        for (page, values) in pages() {
            if let Some((_, next)) = next.next() {
                next.prefetch_values();
            }
            let seen = |index| overlap(&(page..page + PAGE_TOKENS), &seen(index));
            let weights = |index: usize, tokens: &Range<usize>| {
                let start = index * width + tokens.start - first_token;
                &space.scores[start..start + tokens.len()]
            };
            let mut add = |index: usize, first: usize, sums: &[f32; PANEL]| {
                let out = &mut self.out[index * head_dim..(index + 1) * head_dim][first..];
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out += sum;
                }
            };
            // Rows that see the same tokens of the page are taken together.
            let mut index = 0;
            while index < rows * heads {
                let tokens = seen(index);
                let same = (index..rows * heads).take_while(|&other| seen(other) == tokens);
                let count = same.count();
                let in_page = tokens.start - page..tokens.end - page;
                let weights = |other| weights(index + other, &tokens);
                values.weighted_values(in_page, count, weights, |other, first, sums| {
                    add(index + other, first, sums);
                });
                index += count;
            }
        }
        for (out, total) in self.out.chunks_exact_mut(head_dim).zip(totals) {
            vector::scale(out, 1.0 / total);
        }
    }
}

/// What two ranges have in common, possibly nothing; it begins within the first.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start).min(a.end);
    start..a.end.min(b.end).max(start)
}
