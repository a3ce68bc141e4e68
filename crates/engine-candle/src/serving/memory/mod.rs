//! Keys and values of sequences, in pages within a budget, shared where prompts begin alike.

mod pool;
mod prefix;

use std::sync::Arc;

use engine::{EngineError, KvLoad};

use super::network::{Kept, Network, Wanted};
use crate::decoder::{Chunk, Decoder, KvType};
use pool::{KvPool, SequenceMemory};

/// A decoder whose sequences keep their keys and values in one pool.
///
/// All workers of a model share the pool: there is one budget, and a prompt read by one worker is
/// known to all.
pub(crate) struct PagedDecoder {
    decoder: Decoder,
    pool: Arc<KvPool>,
}

impl PagedDecoder {
    /// A pool of `bytes` for this decoder's sequences.
    pub(crate) fn new(decoder: Decoder, kv_type: KvType, bytes: usize) -> Self {
        let pool = Arc::new(KvPool::new(
            decoder.kv_layout(kv_type),
            decoder.reader(),
            bytes,
        ));
        Self { decoder, pool }
    }

    /// The most tokens that a sequence can have: what the model was made for, or less if the
    /// budget is smaller.
    pub(crate) fn context(&self) -> usize {
        self.decoder.context().min(self.pool.tokens())
    }
}

impl Network for PagedDecoder {
    type Memory = SequenceMemory;

    fn admit(&self, wanted: &Wanted<'_>) -> Option<SequenceMemory> {
        self.pool.admit(wanted)
    }

    fn recall(&self, memory: &mut SequenceMemory, prompt: &[u32]) -> usize {
        memory.recall(prompt)
    }

    fn forward(
        &self,
        batch: &mut [Chunk<'_, SequenceMemory>],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let chunks = batch.iter_mut().map(|chunk| Chunk {
            tokens: chunk.tokens,
            cache: &mut chunk.cache.cache,
            asks: chunk.asks.reborrow(),
        });
        let found = self.decoder.forward(&mut chunks.collect::<Vec<_>>())?;
        for chunk in batch {
            chunk.cache.note(chunk.tokens);
        }
        Ok(found)
    }
}

impl Kept for PagedDecoder {
    fn kv_load(&self) -> KvLoad {
        self.pool.load()
    }

    fn forget(&self) {
        self.pool.forget();
    }

    fn era(&self) -> u64 {
        self.pool.era()
    }
}
