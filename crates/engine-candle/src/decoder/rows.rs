//! Which row of a packed batch belongs to whom.

use super::Chunk;

/// The rows of a batch: the tokens of all its chunks, one after the other.
pub(crate) struct Rows {
    tokens: Vec<u32>,
    positions: Vec<usize>,
    chunks: Vec<usize>,
    wanted: Vec<u32>,
}

impl Rows {
    /// Lays out a batch.
    pub(crate) fn of(batch: &[Chunk<'_>]) -> Self {
        let mut rows = Self {
            tokens: Vec::new(),
            positions: Vec::new(),
            chunks: Vec::new(),
            wanted: Vec::new(),
        };
        for (index, chunk) in batch.iter().enumerate() {
            let start = chunk.cache.len();
            rows.tokens.extend_from_slice(chunk.tokens);
            rows.positions.extend(start..start + chunk.tokens.len());
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

    /// The position of each row in its sequence.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
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
