//! BERT (Devlin et al. 2018, arXiv:1810.04805): learnt positions, norms after each part.

use candle_core::Tensor;
use candle_transformers::models::bert::{BertModel, Config};
use serde_json::json;

use super::{Layers, Stack};
use crate::LoadError;
use crate::encoders::batch::Batch;
use crate::encoders::head::{Head, HeadParts};
use crate::encoders::pooling::Pooling;
use crate::encoders::source::{Source, check_heads, unfit};

/// Builds the layers.
pub(super) fn stack(source: &Source) -> Result<Stack, LoadError> {
    source.refuse_unless("position_embedding_type", &[json!("absolute")])?;
    let config = source.config_or::<Config>(json!({
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "type_vocab_size": 2,
    }))?;
    check_heads(config.hidden_size, config.num_attention_heads)?;
    let weights = source.weights_under("bert", "embeddings.word_embeddings.weight");
    Ok(Stack {
        layers: Box::new(Bert(BertModel::load(weights, &config).map_err(unfit)?)),
        hidden: config.hidden_size,
        vocab: config.vocab_size,
        positions: config.max_position_embeddings,
        padding: config.pad_token_id as u32,
        one_length: false,
    })
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

struct Bert(BertModel);

impl Layers for Bert {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        self.0.forward(&batch.ids, &batch.types, Some(&batch.mask))
    }
}
