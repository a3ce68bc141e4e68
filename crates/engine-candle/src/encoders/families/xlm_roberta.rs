//! RoBERTa and XLM-RoBERTa (Conneau et al. 2019, arXiv:1911.02116): BERT with other tokens.
//! bge-m3, multilingual-e5 and bge-reranker are of this family.
//!
//! Positions are counted from `pad_token_id + 1`, so that fewer texts' tokens than
//! `max_position_embeddings` have one.

use candle_core::Tensor;
use candle_transformers::models::xlm_roberta::{Config, XLMRobertaModel};
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
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": 514,
        "pad_token_id": 1,
        "position_embedding_type": "absolute",
        "type_vocab_size": 1,
    }))?;
    check_heads(config.hidden_size, config.num_attention_heads)?;
    let weights = source.weights_under("roberta", "embeddings.word_embeddings.weight");
    let before_the_first = config.pad_token_id as usize + 1;
    Ok(Stack {
        layers: Box::new(XlmRoberta(
            XLMRobertaModel::new(&config, weights).map_err(unfit)?,
        )),
        hidden: config.hidden_size,
        vocab: config.vocab_size,
        positions: config
            .max_position_embeddings
            .saturating_sub(before_the_first),
        padding: config.pad_token_id,
        one_length: false,
    })
}

/// The classifier.
pub(super) fn head(source: &Source, hidden: usize) -> Result<Head, LoadError> {
    let parts = HeadParts {
        pooling: Pooling::First,
        dense: "classifier.dense",
        activation: Tensor::tanh,
        norm: None,
        scorer: "classifier.out_proj",
    };
    Head::build(parts, &source.weights, hidden)
}

struct XlmRoberta(XLMRobertaModel);

impl Layers for XlmRoberta {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        self.0
            .forward(&batch.ids, &batch.mask, &batch.types, None, None, None)
    }
}
