//! The forward pass of decoders, over a ragged batch.
//!
//! One network for all families: what a family changes in it is in its description
//! (`config::Family`).
//!
//! A batch is a list of [`Chunk`]s: tokens that continue one sequence each, of any number. All
//! their rows go through the matrices together; only attention looks at one sequence at a time.
//! Keys and values live outside the model, in each sequence's [`KvCache`].

mod attention;
mod kv;
mod layer;
mod linear;
mod mlp;
mod norm;
mod rope;
mod rows;

use candle_core::{Device, Tensor};
use engine::EngineError;

use crate::LoadError;
use crate::config::DecoderConfig;
use crate::files::{Matrix, ModelFiles, ModelSource, Weights};
pub use kv::{KvCache, KvType};
pub(crate) use kv::{KvLayout, KvPage, PAGE_TOKENS};
use layer::Layer;
use linear::Linear;
use norm::RmsNorm;
use rope::Rope;
use rows::Rows;

/// At most this many rows are computed by the kernel whose results do not depend on how many
/// rows there are. Decoding batches of at most this size are exactly reproducible with dense
/// weights, whatever else is in the batch.
pub(crate) const EXACT_ROWS: usize = linear::MOST_ROWS_BY_ROW;

/// A decoder: RMSNorm, rotary positions, grouped-query attention, a gated feed-forward network.
pub struct Decoder {
    config: DecoderConfig,
    embedding: Matrix,
    ropes: Vec<Rope>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    head: Linear,
}

/// Tokens that continue one sequence.
pub struct Chunk<'a, Memory = KvCache> {
    /// The tokens, at least one; they take the positions after those in the cache.
    pub tokens: &'a [u32],
    /// What is remembered of the sequence so far: its keys and values; those of `tokens` are
    /// added.
    pub cache: &'a mut Memory,
    /// The logits after the last of `tokens` are asked for.
    pub wants_logits: bool,
}

impl Decoder {
    /// Loads the weights of a model, without what is needed to talk to it.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, or the model is of a kind that is not supported.
    pub fn load(source: &ModelSource) -> Result<Self, LoadError> {
        let files = ModelFiles::open(source)?;
        Self::build(DecoderConfig::read(&files)?, &files.weights)
    }

    /// Reads the tensors that `config` describes.
    pub(crate) fn build(config: DecoderConfig, weights: &Weights) -> Result<Self, LoadError> {
        let embedding = weights.matrix("model.embed_tokens.weight", config.vocab, config.hidden)?;
        let head = match !config.tied && weights.has("lm_head.weight") {
            true => Linear::load(weights, "lm_head", [config.vocab, config.hidden])?,
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
        KvCache::new(self.kv_layout(kv_type))
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

    /// Runs the batch through the model and returns the logits asked for, in the batch's order.
    ///
    /// # Errors
    ///
    /// When a token is outside the vocabulary, a chunk is empty, or candle fails. The caches of
    /// the batch then hold what they held before.
    pub fn forward(&self, batch: &mut [Chunk<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        if batch.iter().any(|chunk| chunk.tokens.is_empty()) {
            return Err(EngineError::Failed("a chunk without tokens".into()));
        }
        let tokens = batch.iter().flat_map(|chunk| chunk.tokens);
        if let Some(token) = tokens
            .clone()
            .find(|&&token| token as usize >= self.vocab())
        {
            return Err(EngineError::Failed(format!("there is no token {token}")));
        }
        let logits = self.compute(batch);
        let logits = logits.map_err(|error| EngineError::Failed(error.to_string()))?;
        for chunk in batch.iter_mut() {
            chunk.cache.advance(chunk.tokens.len());
        }
        Ok(logits)
    }

    fn compute(&self, batch: &mut [Chunk<'_>]) -> candle_core::Result<Vec<Vec<f32>>> {
        let rows = Rows::of(batch);
        let ropes = self.ropes.iter();
        let rotations = ropes.map(|rope| rope.rotation(rows.positions()));
        let rotations = rotations.collect::<candle_core::Result<Vec<_>>>()?;
        let tokens = Tensor::new(rows.tokens(), &Device::Cpu)?;
        for chunk in batch.iter_mut() {
            chunk.cache.make_room(chunk.tokens.len());
        }

        // One vector per token.                                         [rows, hidden]
        let embedded = match &self.embedding {
            Matrix::Dense(table) => table.index_select(&tokens, 0)?,
            Matrix::Quantised(table) => table.embedding(&tokens)?,
        };
        let mut x = times(embedded, self.config.embedding_scale)?;
        for layer in &self.layers {
            x = layer.forward(&x, &rotations, &rows, batch)?;
        }

        // Only the rows somebody asked for reach the head.              [wanted, vocab]
        let wanted = rows.wanted();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let x = x.index_select(&Tensor::new(wanted, &Device::Cpu)?, 0)?;
        let logits = self.head.forward(&self.norm.forward(&x)?)?;
        let logits = times(logits, 1.0 / self.config.logit_divisor)?;
        match self.config.logit_cap {
            Some(cap) => ((logits / cap)?.tanh()? * cap)?.to_vec2(),
            None => logits.to_vec2(),
        }
    }
}

/// `x * factor`, for a factor that most families do without.
fn times(x: Tensor, factor: f64) -> candle_core::Result<Tensor> {
    match factor == 1.0 {
        true => Ok(x),
        false => x * factor,
    }
}
