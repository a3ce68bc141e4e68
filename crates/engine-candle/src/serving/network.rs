//! What sequences run on.

use engine::{EngineError, KvLoad, Sharing};

use crate::decoder::Chunk;

/// A model that continues sequences, and the memory they need for it.
///
/// # Contract
///
/// * A sequence is fed in chunks: its prompt, in one or several, then each generated token. The
///   last chunk of the prompt, and every one after it, asks for logits. Where a text is judged it
///   follows its prompt in the same chunks, or in more, and they ask for the probabilities of its
///   tokens. A network that knows nothing of attention passes over what is asked about it.
/// * The logits of a sequence do not depend on how its prompt was cut, nor on the batch.
/// * When [`forward`](Network::forward) fails or panics, every memory of the batch is as it was
///   before, so that the call can be repeated with each chunk alone.
pub(crate) trait Network: Kept {
    /// What one sequence holds between two steps. Dropping it frees all of it.
    type Memory: Send;

    /// Takes memory for a sequence to its very end, so that a sequence that has begun never
    /// waits for memory. `None` while there is not enough.
    fn admit(&self, wanted: &Wanted<'_>) -> Option<Self::Memory>;

    /// Takes over what other sequences have read of the same prompt meanwhile. Returns how many
    /// of its tokens are in memory then: always fewer than all.
    fn recall(&self, memory: &mut Self::Memory, prompt: &[u32]) -> usize;

    /// Feeds the batch and returns the numbers asked for, in the batch's order.
    fn forward(&self, batch: &mut [Chunk<'_, Self::Memory>]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// What all memories of a network hold and keep, whatever one of them is.
pub(crate) trait Kept: Send + Sync + 'static {
    /// What all memories take.
    fn kv_load(&self) -> KvLoad;

    /// Lets go of what is kept of sequences for later ones to share, if anything is.
    fn forget(&self) {}

    /// How often that was asked.
    fn era(&self) -> u64 {
        0
    }
}

/// The memory that a sequence asks for.
pub(crate) struct Wanted<'a> {
    /// Its prompt, at least one token: what it may share with others.
    pub(crate) prompt: &'a [u32],
    /// The most tokens that it will hold.
    pub(crate) tokens: usize,
    /// With whom it shares them.
    pub(crate) sharing: &'a Sharing,
}
