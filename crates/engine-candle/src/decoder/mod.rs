//! The forward pass of decoders, over a ragged batch.
//!
//! One network for all families: what a family changes in it is in its description
//! (`config::Family`).
//!
//! A batch is a list of [`Chunk`]s: tokens that continue one sequence each, of any number. All
//! their rows go through the matrices together; only attention looks at one sequence at a time.
//! Keys and values live outside the model, in each sequence's [`KvCache`].

mod asks;
mod attention;
mod kv;
mod layer;
mod linear;
mod mlp;
mod norm;
mod observer;
mod reader;
mod rope;
mod rows;

use std::sync::Arc;

use engine::{Anatomy, EngineError};
use rayon::prelude::*;

use crate::LoadError;
use crate::config::{DecoderConfig, blocks};
use crate::files::{ModelFiles, ModelSource};
use crate::kernels::{Input, Matrix, vector};
use crate::softmax::{log_sum_exp, logprob};
pub use asks::{Asks, AttentionWeights, Watch};
pub use kv::{KvCache, KvType};
pub(crate) use kv::{KvLayout, KvPage, PAGE_TOKENS};
use layer::Layer;
pub(crate) use linear::Linear;
use norm::RmsNorm;
pub(crate) use reader::{Blocks, Reader};
use rope::Rope;
pub(crate) use rope::frequencies as rope_frequencies;
use rows::Rows;

/// A decoder: RMSNorm, rotary positions, grouped-query attention, a gated feed-forward network.
pub struct Decoder {
    config: DecoderConfig,
    embedding: Arc<Matrix>,
    ropes: Vec<Rope>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    head: Linear,
    /// Sources are read independently of each other.
    blocks: Option<Arc<Blocks>>,
}

/// Tokens that continue one sequence.
pub struct Chunk<'a, Memory = KvCache> {
    /// The tokens, at least one; they take the positions after those in the cache.
    pub tokens: &'a [u32],
    /// What is remembered of the sequence so far: its keys and values; those of `tokens` are
    /// added.
    pub cache: &'a mut Memory,
    /// What is to be known of them.
    pub asks: Asks<'a>,
}

/// Rows of logits that exist at a time when probabilities are asked for.
const ROWS_OF_LOGITS: usize = 8;

impl Decoder {
    /// Loads the weights of a model, without what is needed to talk to it.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, or the model is of a kind that is not supported.
    pub fn load(source: &ModelSource) -> Result<Self, LoadError> {
        Self::build(&ModelFiles::open(source)?)
    }

    /// Reads the description, and the tensors that it describes.
    pub(crate) fn build(files: &ModelFiles) -> Result<Self, LoadError> {
        let (config, weights) = (DecoderConfig::read(files)?, &files.weights);
        let shape = [config.vocab, config.hidden];
        let embedding = Arc::new(weights.matrix("model.embed_tokens.weight", shape)?);
        let head = match !config.tied && weights.has("lm_head.weight") {
            true => Linear::load(weights, "lm_head", shape)?,
            false => Linear::new(embedding.clone()),
        };
        let layers = (0..config.layers)
            .map(|index| Layer::load(weights, &config, index))
            .collect::<Result<_, _>>()?;
        let ropes = config.ropes.iter();
        let ropes = ropes.map(|rope| Rope::new(rope, config.head_dim));
        Ok(Self {
            embedding,
            ropes: ropes.collect(),
            layers,
            norm: RmsNorm::load(weights, "model.norm", config.hidden, &config)?,
            head,
            blocks: blocks(&files.config)?,
            config,
        })
    }

    /// Tokens in the vocabulary: the length of a row of logits.
    pub fn vocab(&self) -> usize {
        self.config.vocab
    }

    /// Positions the model was made for.
    pub fn context(&self) -> usize {
        self.config.context
    }

    /// An empty cache for one sequence, which keeps numbers as they were computed.
    pub fn new_cache(&self) -> KvCache {
        self.new_cache_of(KvType::F32)
    }

    /// An empty cache for one sequence.
    pub fn new_cache_of(&self, kv_type: KvType) -> KvCache {
        KvCache::new(self.kv_layout(kv_type), self.reader())
    }

    /// Reads a sequence from its beginning.
    pub(crate) fn reader(&self) -> Reader {
        Reader::new(self.blocks.clone())
    }

    /// What makes up a page of keys and values. All caches of a batch must have the same.
    pub(crate) fn kv_layout(&self, kv_type: KvType) -> KvLayout {
        KvLayout {
            layers: self.config.layers,
            kv_heads: self.config.kv_heads,
            head_dim: self.config.head_dim,
            kv_type,
        }
    }

    /// The sizes of its attention.
    pub(crate) fn anatomy(&self) -> Anatomy {
        Anatomy {
            layers: self.config.layers,
            heads: self.config.heads,
            kv_heads: self.config.kv_heads,
            head_dim: self.config.head_dim,
            scale: self.config.attention_scale as f32,
        }
    }

    /// Runs the batch through the model and returns, in the batch's order, the logits of each
    /// chunk that asks for them, and the logarithms of probabilities of each that asks for those.
    ///
    /// # Errors
    ///
    /// When a token is outside the vocabulary, a chunk is empty, or asks for more than it has.
    /// The caches of the batch then hold what they held before.
    pub fn forward(&self, batch: &mut [Chunk<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        if batch.iter().any(|chunk| chunk.tokens.is_empty()) {
            return Err(EngineError::Failed("a chunk without tokens".into()));
        }
        let asked = batch.iter().map(|chunk| match chunk.asks {
            Asks::Logprobs(tokens) => tokens,
            _ => &[],
        });
        let mut lengths = batch.iter().zip(asked.clone());
        if lengths.any(|(chunk, asked)| asked.len() > chunk.tokens.len()) {
            return Err(EngineError::Failed("a chunk with too few tokens".into()));
        }
        let mut tokens = batch
            .iter()
            .flat_map(|chunk| chunk.tokens)
            .chain(asked.flatten());
        if let Some(token) = tokens.find(|&&token| token as usize >= self.vocab()) {
            return Err(EngineError::Failed(format!("there is no token {token}")));
        }
        let logits = self.compute(batch);
        for chunk in batch.iter_mut() {
            chunk.cache.advance(chunk.tokens);
        }
        Ok(logits)
    }

    fn compute(&self, batch: &mut [Chunk<'_>]) -> Vec<Vec<f32>> {
        let rows = Rows::of(batch);
        let ropes = self.ropes.iter();
        let rotations = ropes.map(|rope| rope.rotation(rows.turns()));
        let rotations = rotations.collect::<Vec<_>>();
        for chunk in batch.iter_mut() {
            chunk.cache.make_room(chunk.tokens.len());
            if let Asks::Watched(watch) = &mut chunk.asks {
                watch.begin();
            }
        }

        // One vector per token.                                         [rows, hidden]
        let mut x = self.embed(rows.tokens());
        for layer in &self.layers {
            layer.forward(&mut x, &rotations, &rows, batch);
        }

        // Only the rows somebody asked for reach the head.
        let wanted = rows.wanted().iter();
        let wanted = wanted.flat_map(|&row| self.row(&x, row as usize));
        let logits = self.logits(&wanted.copied().collect::<Vec<_>>());
        let mut logits = logits.chunks_exact(self.vocab()).map(<[f32]>::to_vec);
        let (mut found, mut end) = (Vec::new(), 0);
        for Chunk { tokens, asks, .. } in batch {
            end += tokens.len();
            match asks {
                Asks::Logits | Asks::Watched(_) => found.extend(logits.next()),
                Asks::Logprobs(asked) => {
                    let start = (end - asked.len()) * self.config.hidden;
                    found.push(self.logprobs(&x[start..end * self.config.hidden], asked));
                }
                Asks::Nothing | Asks::Weights(_) => {}
            }
        }
        found
    }

    /// `[rows, hidden]` to `[rows, vocab]`.
    fn logits(&self, x: &[f32]) -> Vec<f32> {
        let normed = self.norm.forward(x);
        let mut logits = self.head.forward(&Input::new(&normed, self.config.hidden));
        vector::scale(&mut logits, (1.0 / self.config.logit_divisor) as f32);
        if let Some(cap) = self.config.logit_cap.map(|cap| cap as f32) {
            for logit in &mut logits {
                *logit = (*logit / cap).tanh() * cap;
            }
        }
        logits
    }

    /// The logarithm of the probability of a token after each row. All logits of a long text
    /// would be gigabytes, so there are only those of a few rows at a time.
    fn logprobs(&self, x: &[f32], tokens: &[u32]) -> Vec<f32> {
        let mut found = Vec::with_capacity(tokens.len());
        let rows = x.chunks(ROWS_OF_LOGITS * self.config.hidden);
        for (rows, tokens) in rows.zip(tokens.chunks(ROWS_OF_LOGITS)) {
            let logits = self.logits(rows);
            let logits = logits.par_chunks_exact(self.vocab()).zip(tokens);
            let logprobs = logits.map(|(row, id)| logprob(row, *id, log_sum_exp(row)));
            found.extend(logprobs.collect::<Vec<_>>());
        }
        found
    }

    fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let hidden = self.config.hidden;
        let mut embedded = vec![0.0; tokens.len() * hidden];
        for (row, token) in embedded.chunks_exact_mut(hidden).zip(tokens) {
            self.embedding.row(*token as usize, row);
        }
        vector::scale(&mut embedded, self.config.embedding_scale as f32);
        embedded
    }

    fn row<'a>(&self, x: &'a [f32], row: usize) -> &'a [f32] {
        &x[row * self.config.hidden..][..self.config.hidden]
    }
}
