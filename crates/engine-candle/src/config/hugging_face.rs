//! The description in a Hugging Face `config.json`.

use serde::Deserialize;
use serde_json::Value;

use super::{DecoderConfig, RopeScaling};
use crate::LoadError;

/// Reads the object; what it leaves out has the default of the `transformers` library.
pub(crate) fn read(config: &Value) -> Result<DecoderConfig, LoadError> {
    let raw = Raw::deserialize(config)
        .map_err(|error| LoadError::Config(format!("config.json: {error}")))?;
    refuse_what_is_foreign(&raw)?;
    let rope = raw.rope_scaling.as_ref().or(raw.rope_parameters.as_ref());
    let rope_theta = rope.and_then(|rope| rope.rope_theta).or(raw.rope_theta);
    Ok(DecoderConfig {
        hidden: raw.hidden_size,
        intermediate: raw.intermediate_size,
        layers: raw.num_hidden_layers,
        heads: raw.num_attention_heads,
        kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
        head_dim: match raw.head_dim {
            Some(head_dim) => head_dim,
            None => raw.hidden_size / raw.num_attention_heads.max(1),
        },
        vocab: raw.vocab_size,
        context: context(&raw),
        rms_norm_eps: raw.rms_norm_eps.unwrap_or(1e-6),
        rope_theta: rope_theta.unwrap_or(10_000.0),
        rope_scaling: rope.map_or(Ok(RopeScaling::None), scaling)?,
        tied: raw.tie_word_embeddings.unwrap_or(false),
    })
}

#[derive(Deserialize)]
struct Raw {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: Option<f64>,
    rope_theta: Option<f64>,
    rope_scaling: Option<Rope>,
    rope_parameters: Option<Rope>,
    partial_rotary_factor: Option<f64>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    quantization_config: Option<Value>,
}

#[derive(Deserialize)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

fn refuse_what_is_foreign(raw: &Raw) -> Result<(), LoadError> {
    let unsupported = |what: String| Err(LoadError::Unsupported(what));
    if !["llama", "mistral", "qwen2"].contains(&raw.model_type.as_str()) {
        return unsupported(format!(
            "the model family {:?} (llama, mistral and qwen2 are)",
            raw.model_type
        ));
    }
    if let Some(act) = raw.hidden_act.as_deref().filter(|act| *act != "silu") {
        return unsupported(format!("the activation {act:?}"));
    }
    if raw.quantization_config.is_some() {
        return unsupported("a quantised safetensors model (use its GGUF): this one".into());
    }
    if raw
        .partial_rotary_factor
        .is_some_and(|factor| factor != 1.0)
    {
        return unsupported("a partial_rotary_factor other than 1".into());
    }
    Ok(())
}

/// Attention within a sliding window is plain attention as long as the context is no longer.
fn context(raw: &Raw) -> usize {
    let window = raw
        .sliding_window
        .filter(|_| raw.use_sliding_window.unwrap_or(true));
    raw.max_position_embeddings
        .min(window.unwrap_or(usize::MAX))
}

fn scaling(rope: &Rope) -> Result<RopeScaling, LoadError> {
    let number = |name: &str, value: Option<f64>| {
        value
            .filter(|value| value.is_finite() && *value > 0.0)
            .ok_or_else(|| LoadError::Config(format!("rope_scaling has no usable {name}")))
    };
    match rope.rope_type.as_deref() {
        None | Some("default") => Ok(RopeScaling::None),
        Some("linear") => Ok(RopeScaling::Linear(number("factor", rope.factor)?)),
        Some("llama3") => Ok(RopeScaling::Llama3 {
            factor: number("factor", rope.factor)?,
            low_freq_factor: number("low_freq_factor", rope.low_freq_factor)?,
            high_freq_factor: number("high_freq_factor", rope.high_freq_factor)?,
            original_context: number(
                "original_max_position_embeddings",
                rope.original_max_position_embeddings,
            )?,
        }),
        Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}
