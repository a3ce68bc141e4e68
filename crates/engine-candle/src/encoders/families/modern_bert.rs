//! ModernBERT (Warner et al. 2024, arXiv:2412.13663): rotary positions, gated layers, and most
//! layers attend to a window only.
//!
//! candle-transformers' classifier ends in a softmax, which gives every pair the score 1 when
//! there is one label; the head here is our own.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::modernbert::{Config, ModernBert};
use serde_json::{Value, json};

use super::{Layers, Stack};
use crate::LoadError;
use crate::encoders::batch::Batch;
use crate::encoders::head::{Head, HeadParts};
use crate::encoders::pooling::Pooling;
use crate::encoders::source::{Source, check_heads, unfit};

/// Builds the layers.
pub(super) fn stack(source: &Source) -> Result<Stack, LoadError> {
    refuse_what_is_ignored(source)?;
    let mut config = source.config_or::<Config>(json!({
        "layer_norm_eps": source.config["norm_eps"].as_f64().unwrap_or(1e-5),
        "pad_token_id": 0,
        "local_attention": 128,
        "global_attn_every_n_layers": global_every(&source.config)?,
        "global_rope_theta": rope_theta(source, "full_attention", 160_000.0)?,
        "local_rope_theta": rope_theta(source, "sliding_attention", 10_000.0)?,
    }))?;
    check_heads(config.hidden_size, config.num_attention_heads)?;
    if config.global_attn_every_n_layers == 0 {
        return Err(LoadError::Config(
            "global attention in every 0th layer".into(),
        ));
    }
    let weights = weights(source);
    check_norms(&weights, &config)?;
    config.classifier_config = None;
    config.max_position_embeddings = config.max_position_embeddings.min(source.most_tokens);
    Ok(Stack {
        layers: Box::new(Modern(ModernBert::load(weights, &config).map_err(unfit)?)),
        hidden: config.hidden_size,
        vocab: config.vocab_size,
        positions: config.max_position_embeddings,
        padding: config.pad_token_id,
        one_length: false,
    })
}

/// The classifier.
pub(super) fn head(source: &Source, hidden: usize) -> Result<Head, LoadError> {
    source.refuse_unless("classifier_activation", &[json!("gelu")])?;
    let pooling = match source.config["classifier_pooling"].as_str() {
        None | Some("cls") => Pooling::First,
        Some("mean") => Pooling::Mean,
        Some(other) => {
            return Err(LoadError::Unsupported(format!(
                "a classifier_pooling of {other:?}"
            )));
        }
    };
    let parts = HeadParts {
        pooling,
        dense: "head.dense",
        activation: Tensor::gelu_erf,
        norm: Some((
            "head.norm",
            source.config["norm_eps"].as_f64().unwrap_or(1e-5),
        )),
        scorer: "classifier",
    };
    Head::build(parts, &source.weights, hidden)
}

fn refuse_what_is_ignored(source: &Source) -> Result<(), LoadError> {
    source.refuse_unless("hidden_activation", &[json!("gelu")])?;
    for key in ["attention_bias", "mlp_bias", "norm_bias"] {
        source.refuse_unless(key, &[json!(false)])?;
    }
    Ok(())
}

/// Newer folders list the kind of every layer; candle wants the distance of the global ones.
fn global_every(config: &Value) -> Result<usize, LoadError> {
    let Some(layers) = config["layer_types"].as_array() else {
        return Ok(3);
    };
    let is_global = |layer: &Value| layer == "full_attention";
    let next = layers.iter().skip(1).position(is_global);
    let every = next.map_or(layers.len().max(1), |place| place + 1);
    let regular = layers
        .iter()
        .enumerate()
        .all(|(i, layer)| is_global(layer) == (i % every == 0));
    match regular {
        true => Ok(every),
        false => Err(LoadError::Unsupported(
            "an irregular order of layer_types".into(),
        )),
    }
}

fn rope_theta(source: &Source, layers: &str, default: f64) -> Result<f64, LoadError> {
    let parameters = &source.config["rope_parameters"][layers];
    match parameters["rope_type"].as_str() {
        None | Some("default") => Ok(parameters["rope_theta"].as_f64().unwrap_or(default)),
        Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}

/// candle asks for names that begin with `model.`, which those of a bare encoder do not.
fn weights(source: &Source) -> VarBuilder<'static> {
    let weights = source.weights.clone();
    if weights.contains_tensor("model.embeddings.tok_embeddings.weight") {
        return weights;
    }
    weights.rename_f(|name| name.strip_prefix("model.").unwrap_or(name).to_owned())
}

/// Every layer but the first has a norm before attention; candle takes a missing one for none.
fn check_norms(weights: &VarBuilder, config: &Config) -> Result<(), LoadError> {
    for layer in 1..config.num_hidden_layers {
        let name = format!("model.layers.{layer}.attn_norm.weight");
        if !weights.contains_tensor(&name) {
            return Err(LoadError::Config(format!(
                "the weights have no tensor {name}"
            )));
        }
    }
    Ok(())
}

struct Modern(ModernBert);

impl Layers for Modern {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        self.0.forward(&batch.ids, &batch.mask)
    }
}
