//! Which row of a packed batch belongs to whom.

use std::ops::Range;

use super::Chunk;

/// The rows of a batch: the tokens of all its chunks, one after the other.
pub(crate) struct Rows {
    tokens: Vec<u32>,
    positions: Vec<usize>,
    turns: Vec<usize>,
    unseen: Vec<Range<usize>>,
    chunks: Vec<usize>,
    wanted: Vec<u32>,
}

impl Rows {
    /// Lays out a batch.
    pub(crate) fn of(batch: &[Chunk<'_>]) -> Self {
        let mut rows = Self {
            tokens: Vec::new(),
            positions: Vec::new(),
            turns: Vec::new(),
            unseen: Vec::new(),
            chunks: Vec::new(),
            wanted: Vec::new(),
        };
        for (index, chunk) in batch.iter().enumerate() {
            let start = chunk.cache.len();
            rows.tokens.extend_from_slice(chunk.tokens);
            rows.positions.extend(start..start + chunk.tokens.len());
            let mut reader = chunk.cache.reader().clone();
            for &token in chunk.tokens {
                let place = reader.read(token);
                rows.turns.push(place.position);
                rows.unseen.push(place.unseen);
            }
            rows.chunks.resize(rows.tokens.len(), index);
            if chunk.asks.wants_logits() {
                rows.wanted.push(rows.tokens.len() as u32 - 1);
            }
        }
        rows
    }

    /// The token of each row.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Which token of its sequence each row is.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The position by which each row is turned.
    pub(crate) fn turns(&self) -> &[usize] {
        &self.turns
    }

    /// The tokens before each row that it does not see.
    pub(crate) fn unseen(&self) -> &[Range<usize>] {
        &self.unseen
    }

    /// The chunk each row belongs to.
    pub(crate) fn chunks(&self) -> &[usize] {
        &self.chunks
    }

    /// The rows whose logits are asked for: some chunks' last ones.
    pub(crate) fn wanted(&self) -> &[u32] {
        &self.wanted
    }
}
