//! The description in a Hugging Face `config.json`.

use serde::Deserialize;
use serde_json::Value;

use super::family::{Activation, Family, Windows};
use super::hugging_face_rope::{RopeParameters, ropes};
use super::{DecoderConfig, LayerConfig, each_layer, find_family};
use crate::LoadError;

/// Reads the object, in the words of `transformers` 4 or 5.
pub(crate) fn read(config: &Value) -> Result<DecoderConfig, LoadError> {
    let raw = Raw::deserialize(config)
        .map_err(|error| LoadError::Config(format!("config.json: {error}")))?;
    let family = find_family("model family", &raw.model_type, |family| {
        Some(family.model_type)
    })?;
    refuse_what_is_foreign(&raw, family)?;
    let head_dim = match raw.head_dim {
        Some(head_dim) => head_dim,
        None => raw.hidden_size / raw.num_attention_heads.max(1),
    };
    let embedding_scale = match family.scales_embedding {
        true => (raw.hidden_size as f64).sqrt(),
        false => raw.embedding_multiplier.unwrap_or(1.0),
    };
    let scaled_for = raw.query_pre_attn_scalar.unwrap_or(head_dim as f64);
    Ok(DecoderConfig {
        family,
        hidden: raw.hidden_size,
        intermediate: raw.intermediate_size,
        layers: raw.num_hidden_layers,
        layer_configs: each_layer("config.json", raw.num_hidden_layers, |index| {
            layer(&raw, family, index)
        })?,
        heads: raw.num_attention_heads,
        kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
        head_dim,
        vocab: raw.vocab_size,
        context: raw.max_position_embeddings,
        activation: activation(&raw, family)?,
        rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
        norm_offset: f64::from(u8::from(family.norms_less_one)),
        ropes: ropes(&raw, family)?,
        embedding_scale,
        attention_scale: raw
            .attention_multiplier
            .unwrap_or(1.0 / scaled_for.max(1.0).sqrt()),
        residual_scale: raw.residual_multiplier.unwrap_or(1.0),
        logit_divisor: raw.logits_scaling.unwrap_or(1.0),
        attention_cap: cap(config, "attn_logit_softcapping", family.attention_cap),
        logit_cap: cap(config, "final_logit_softcapping", family.logit_cap),
        tied: raw.tie_word_embeddings.unwrap_or(false),
    })
}

/// The keys that are read.
#[derive(Deserialize)]
pub(crate) struct Raw {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) original_max_position_embeddings: Option<f64>,
    rms_norm_eps: Option<f64>,
    pub(crate) rope_theta: Option<f64>,
    pub(crate) rope_local_base_freq: Option<f64>,
    pub(crate) rope_scaling: Option<RopeParameters>,
    pub(crate) rope_parameters: Option<RopeParameters>,
    pub(crate) partial_rotary_factor: Option<f64>,
    no_rope_layers: Option<Vec<u8>>,
    no_rope_layer_interval: Option<usize>,
    layer_types: Option<Vec<String>>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<usize>,
    sliding_window_pattern: Option<usize>,
    query_pre_attn_scalar: Option<f64>,
    embedding_multiplier: Option<f64>,
    attention_multiplier: Option<f64>,
    residual_multiplier: Option<f64>,
    logits_scaling: Option<f64>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    use_bidirectional_attention: Option<bool>,
    quantization_config: Option<Value>,
}

fn refuse_what_is_foreign(raw: &Raw, family: &Family) -> Result<(), LoadError> {
    let unsupported = |what: &str| Err(LoadError::Unsupported(what.into()));
    if raw.quantization_config.is_some() {
        return unsupported("a quantised safetensors model (use its GGUF): this one");
    }
    if raw.use_bidirectional_attention == Some(true) {
        return unsupported("attention in both directions");
    }
    if family.windows == Windows::Nowhere && raw.use_sliding_window == Some(true) {
        return unsupported("a sliding window in this family");
    }
    Ok(())
}

/// Some families have the key `hidden_activation` beside an older, wrong `hidden_act`.
fn activation(raw: &Raw, family: &Family) -> Result<Activation, LoadError> {
    let name = raw.hidden_activation.as_deref();
    match name.or(raw.hidden_act.as_deref()) {
        None => Ok(family.activation),
        Some("silu") => Ok(Activation::Silu),
        Some("gelu_pytorch_tanh") => Ok(Activation::GeluTanh),
        Some(other) => Err(LoadError::Unsupported(format!("the activation {other:?}"))),
    }
}

fn layer(raw: &Raw, family: &Family, index: usize) -> Result<LayerConfig, LoadError> {
    let windowed = has_window(raw, family, index)?;
    let rotated = match (family.unrotated_every, &raw.no_rope_layers) {
        (None, _) => true,
        // The list says 1 for layers *with* rotary positions.
        (Some(_), Some(rotated)) => rotated.get(index) != Some(&0),
        (Some(period), None) => {
            let period = raw.no_rope_layer_interval.unwrap_or(period);
            !(index + 1).is_multiple_of(period)
        }
    };
    let local = windowed && family.local_rope_theta.is_some();
    Ok(LayerConfig {
        window: raw.sliding_window.filter(|_| windowed),
        rope: rotated.then_some(usize::from(local)),
    })
}

fn has_window(raw: &Raw, family: &Family, index: usize) -> Result<bool, LoadError> {
    if let Some(types) = &raw.layer_types {
        return match types.get(index).map(String::as_str) {
            Some("sliding_attention") => Ok(true),
            Some("full_attention") => Ok(false),
            other => Err(LoadError::Unsupported(format!(
                "{other:?} in layer_types for layer {index}"
            ))),
        };
    }
    let windows = match family.windows {
        Windows::From(first) => {
            let used = raw.use_sliding_window.unwrap_or(false);
            let first = raw.max_window_layers.unwrap_or(first);
            if used {
                Windows::From(first)
            } else {
                Windows::Nowhere
            }
        }
        Windows::AllButEvery(period) => {
            Windows::AllButEvery(raw.sliding_window_pattern.unwrap_or(period))
        }
        other => other,
    };
    Ok(windows.cover(index))
}

/// A missing key means the family's cap, a `null` means none.
fn cap(config: &Value, key: &str, of_family: Option<f64>) -> Option<f64> {
    match config.get(key) {
        None => of_family,
        Some(value) => value.as_f64(),
    }
}
