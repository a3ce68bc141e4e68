//! JinaBERT, version 2 (Günther et al. 2023, arXiv:2310.19923): attention falls with distance
//! (ALiBi), and feed-forward layers are gated.
//!
//! candle-transformers' version takes no mask, so texts of one batch must have one length; and
//! it makes the table of distances for all positions at once, so these are held to what is used.

use candle_core::Tensor;
use candle_nn::Module;
use candle_transformers::models::jina_bert::{BertModel, Config};
use serde_json::json;

use super::{Layers, Stack};
use crate::LoadError;
use crate::encoders::batch::Batch;
use crate::encoders::source::{Source, check_heads, unfit};

/// What the table of families calls it; its own files say `bert`.
pub(super) const NAME: &str = "jina_bert";

/// Builds the layers.
pub(super) fn stack(source: &Source) -> Result<Stack, LoadError> {
    source.refuse_unless("feed_forward_type", &[json!("geglu")])?;
    let mut config = source.config_or::<Config>(json!({
        "hidden_act": "gelu",
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 8192,
        "pad_token_id": 0,
        "type_vocab_size": 2,
    }))?;
    check_heads(config.hidden_size, config.num_attention_heads)?;
    let weights = source.weights_under("bert", "embeddings.word_embeddings.weight");
    if weights.contains_tensor("encoder.layer.0.attention.self.layer_norm_q.weight") {
        return Err(LoadError::Unsupported(
            "a JinaBERT with norms of queries and keys".into(),
        ));
    }
    config.max_position_embeddings = config.max_position_embeddings.min(source.most_tokens);
    Ok(Stack {
        layers: Box::new(JinaBert(BertModel::new(weights, &config).map_err(unfit)?)),
        hidden: config.hidden_size,
        vocab: config.vocab_size,
        positions: config.max_position_embeddings,
        padding: config.pad_token_id as u32,
        one_length: true,
    })
}

struct JinaBert(BertModel);

impl Layers for JinaBert {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        self.0.forward(&batch.ids)
    }
}
