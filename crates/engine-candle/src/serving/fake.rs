//! A network that counts, for tests of what feeds it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engine::{EngineError, KvLoad, SamplingParams, Sharing, TokenStream};

use super::network::{Kept, Network, Wanted};
use super::{Job, Manner, Task, Wishes, Writing};
use crate::decoder::{Asks, Chunk};
use crate::text::{ChatTemplate, ModelTokenizer, SpecialTokens, Text};

/// After each token comes the next number.
#[derive(Default)]
pub(crate) struct Counting {
    /// Tokens of memory that may be held; any number when 0.
    pub(crate) budget: usize,
    /// A prompt that begins with this token is not admitted: it panics.
    pub(crate) unwelcome: Option<u32>,
    /// A batch with this token panics.
    pub(crate) poison: Option<u32>,
    /// After this token, logits are not numbers.
    pub(crate) nonsense: Option<u32>,
    pub(crate) held: Arc<AtomicUsize>,
    /// Tokens of each chunk of each batch.
    pub(crate) batches: Mutex<Vec<Vec<usize>>>,
}

/// The tokens of a sequence.
pub(crate) struct Held {
    tokens: Vec<u32>,
    reserved: usize,
    held: Arc<AtomicUsize>,
}

pub(crate) const VOCAB: usize = 4096;

impl Counting {
    /// Tokens of memory that are held.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

impl Network for Counting {
    type Memory = Held;

    fn admit(&self, wanted: &Wanted<'_>) -> Option<Held> {
        assert_ne!(wanted.prompt.first().copied(), self.unwelcome, "unwelcome");
        if self.budget > 0 && self.held() + wanted.tokens > self.budget {
            return None;
        }
        self.held.fetch_add(wanted.tokens, Ordering::SeqCst);
        Some(Held {
            tokens: Vec::new(),
            reserved: wanted.tokens,
            held: self.held.clone(),
        })
    }

    fn recall(&self, memory: &mut Held, _prompt: &[u32]) -> usize {
        memory.tokens.len()
    }

    fn forward(&self, batch: &mut [Chunk<'_, Held>]) -> Result<Vec<Vec<f32>>, EngineError> {
        let sizes = batch.iter().map(|chunk| chunk.tokens.len()).collect();
        self.batches.lock().expect("no panic under it").push(sizes);
        let mut tokens = batch.iter().flat_map(|chunk| chunk.tokens);
        let poisoned = tokens.any(|token| Some(*token) == self.poison);
        assert!(!poisoned, "poison");
        let mut logits = Vec::new();
        for chunk in batch {
            chunk.cache.tokens.extend(chunk.tokens);
            assert!(chunk.cache.tokens.len() <= chunk.cache.reserved);
            let last = *chunk.tokens.last().expect("a chunk has tokens");
            let numbers = match Some(last) == self.nonsense {
                true => f32::NAN,
                false => 0.0,
            };
            let mut row = vec![numbers; VOCAB];
            row[(last as usize + 1) % VOCAB] += 1.0;
            match chunk.asks {
                // The tokens that it would not choose are as unlikely as their numbers are large.
                Asks::Logprobs(asked) => {
                    logits.push(asked.iter().map(|id| -(*id as f32)).collect());
                }
                _ => logits.extend(chunk.asks.wants_logits().then_some(row)),
            }
        }
        Ok(logits)
    }
}

impl Kept for Counting {
    fn kv_load(&self) -> KvLoad {
        KvLoad::default()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.fetch_sub(self.reserved, Ordering::SeqCst);
    }
}

/// A request to count on from the last token of a prompt.
pub(crate) fn job(prompt: Vec<u32>, max_tokens: usize) -> (Job, TokenStream) {
    let json = include_bytes!("../../../bundled/model/tokenizer.json");
    let text = Text {
        tokenizer: ModelTokenizer::from_json(json).expect("the bundled tokenizer"),
        template: ChatTemplate::compile(None, SpecialTokens::default()).expect("it compiles"),
    };
    let (sender, stream) = TokenStream::channel(max_tokens);
    let manner = Manner {
        sampling: SamplingParams::GREEDY,
        logit_bias: Vec::new(),
        wishes: Wishes::default(),
        grammar: None,
        quotation: None,
        watch: None,
        max_tokens,
        end_tokens: Arc::new([]),
        text: Arc::new(text),
    };
    let writing = Writing::new(&prompt, manner);
    let job = Job {
        prompt,
        task: Task::Write(Box::new(writing)),
        sharing: Sharing::default(),
        sender,
    };
    (job, stream)
}
