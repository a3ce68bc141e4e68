//! BERT (Devlin et al. 2018, arXiv:1810.04805): learnt positions, norms after each part.
//!
//! The tokens of all texts of a batch go through the matrices together and without padding, by the
//! kernels that decoders use, so that quantised weights stay as they are in the file.

mod layer;

use candle_core::{Device, Tensor};
use serde::Deserialize;
use serde_json::json;

use super::{Layers, Stack};
use crate::LoadError;
use crate::encoders::batch::Batch;
use crate::encoders::head::{Head, HeadParts};
use crate::encoders::pooling::Pooling;
use crate::encoders::source::{Source, check_heads};
use crate::kernels::{Matrix, vector};
use layer::{Activation, Layer, Norm};

/// What `config.json` says.
#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: Activation,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f32,
    pad_token_id: usize,
}

/// Builds the layers.
pub(super) fn stack(source: &Source) -> Result<Stack, LoadError> {
    source.refuse_unless("position_embedding_type", &[json!("absolute")])?;
    let config = source.config_or::<Config>(json!({
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "type_vocab_size": 2,
    }))?;
    check_heads(config.hidden_size, config.num_attention_heads)?;
    Ok(Stack {
        layers: Box::new(Bert::load(source, &config).map_err(unfit)?),
        hidden: config.hidden_size,
        vocab: config.vocab_size,
        positions: config.max_position_embeddings,
        padding: config.pad_token_id as u32,
        one_length: false,
    })
}

/// Weights that are not there fit the configuration as little as weights of another shape.
fn unfit(error: LoadError) -> LoadError {
    match error {
        LoadError::Missing(what) => LoadError::Config(what),
        other => other,
    }
}

/// The pooler, then the classifier.
pub(super) fn head(source: &Source, hidden: usize) -> Result<Head, LoadError> {
    let parts = HeadParts {
        pooling: Pooling::First,
        dense: "bert.pooler.dense",
        activation: Tensor::tanh,
        norm: None,
        scorer: "classifier",
    };
    Head::build(parts, &source.weights, hidden)
}

struct Bert {
    words: Matrix,
    /// `[positions, hidden]`
    positions: Vec<f32>,
    /// `[kinds of text, hidden]`
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

impl Bert {
    fn load(source: &Source, config: &Config) -> Result<Self, LoadError> {
        let prefix = match source.is_under("bert", "embeddings.word_embeddings.weight") {
            true => "bert.",
            false => "",
        };
        let name = |part: &str| format!("{prefix}embeddings.{part}");
        let weights = &source.tensors;
        let hidden = config.hidden_size;
        let table = |part: &str, rows: usize| {
            let table = weights.tensor(&name(part), &[rows, hidden])?;
            Ok::<_, LoadError>(table.flatten_all()?.to_vec1()?)
        };
        let layer = |index: usize| {
            let name = format!("{prefix}encoder.layer.{index}");
            Layer::load(source, &name, config)
        };
        Ok(Self {
            words: weights.matrix(&name("word_embeddings.weight"), [config.vocab_size, hidden])?,
            positions: table("position_embeddings.weight", config.max_position_embeddings)?,
            types: table("token_type_embeddings.weight", config.type_vocab_size)?,
            norm: Norm::load(source, &name("LayerNorm"), config)?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_, _>>()?,
        })
    }

    /// What the first layer reads of a text's tokens, `[tokens, hidden]`.
    fn embed(&self, ids: &[u32], types: &[u32]) -> candle_core::Result<Vec<f32>> {
        let hidden = self.words.inputs();
        let mut states = vec![0.0; ids.len() * hidden];
        let rows = states.chunks_exact_mut(hidden).zip(ids.iter().zip(types));
        for ((row, (&id, &kind)), position) in rows.zip(self.positions.chunks_exact(hidden)) {
            let kind = self.types.chunks_exact(hidden).nth(kind as usize);
            let kind = kind.ok_or_else(|| candle_core::Error::Msg("a kind of text".into()))?;
            self.words.row(id as usize, row);
            vector::add(row, position);
            vector::add(row, kind);
        }
        Ok(states)
    }
}

impl Layers for Bert {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        let (texts, width) = batch.ids.dims2()?;
        let hidden = self.words.inputs();
        let [ids, types, mask] =
            [&batch.ids, &batch.types, &batch.mask].map(Tensor::to_vec2::<u32>);
        let mask = mask?;
        let lengths = mask.iter().map(|mask| mask.iter().sum::<u32>() as usize);
        let lengths = lengths.collect::<Vec<_>>();
        let mut states = Vec::with_capacity(texts * width * hidden);
        for ((ids, types), &length) in ids?.iter().zip(&types?).zip(&lengths) {
            states.extend(self.embed(&ids[..length], &types[..length])?);
        }
        self.norm.apply(&mut states);
        for layer in &self.layers {
            states = layer.forward(&states, &lengths)?;
        }
        let mut padded = vec![0.0; texts * width * hidden];
        let mut rest = &states[..];
        for (text, length) in padded.chunks_exact_mut(width * hidden).zip(lengths) {
            let (own, behind) = rest.split_at(length * hidden);
            text[..own.len()].copy_from_slice(own);
            rest = behind;
        }
        Tensor::from_vec(padded, (texts, width, hidden), &Device::Cpu)
    }
}
