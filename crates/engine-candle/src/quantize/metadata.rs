//! The description of a Hugging Face model in the keys that llama.cpp knows.

use std::collections::BTreeMap;

use candle_core::quantized::gguf_file::Value;
use serde_json::Value as Json;

use crate::config::{DecoderConfig, RopeConfig, RopeScaling, yarn_magnitude};
use crate::decoder::rope_frequencies;
use crate::files::GGUF_CARD;

/// Keys in a fixed order.
pub(super) type Metadata = BTreeMap<String, Value>;

/// Adds or replaces a key.
pub(super) fn set(metadata: &mut Metadata, key: &str, value: Value) {
    metadata.insert(key.to_owned(), value);
}

/// What the family is called in GGUF. Models of families without a name of their own are Llama.
pub(super) fn architecture(config: &DecoderConfig) -> &'static str {
    config.family.architecture.unwrap_or("llama")
}

/// All keys but those of the tokenizer.
pub(super) fn of_folder(
    config: &DecoderConfig,
    json: &Json,
    name: String,
) -> Result<Metadata, String> {
    let architecture = architecture(config);
    let mut metadata = Metadata::new();
    set(
        &mut metadata,
        "general.architecture",
        Value::String(architecture.into()),
    );
    set(&mut metadata, "general.type", Value::String("model".into()));
    set(&mut metadata, "general.name", Value::String(name));
    if json["ibid"].is_object() {
        let card = Value::String(json["ibid"].to_string());
        metadata.insert(GGUF_CARD.into(), card);
    }
    let mut put = |key: &str, value: Value| {
        metadata.insert(format!("{architecture}.{key}"), value);
    };
    for (key, size) in [
        ("context_length", config.context),
        ("embedding_length", config.hidden),
        ("block_count", config.layers),
        ("feed_forward_length", config.intermediate),
        ("attention.head_count", config.heads),
        ("attention.head_count_kv", config.kv_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
        ("rope.dimension_count", config.head_dim),
        ("vocab_size", config.vocab),
    ] {
        let size = u32::try_from(size).map_err(|_| format!("its {key} is {size}"))?;
        put(key, Value::U32(size));
    }
    let fraction = |x: f64| Value::F32(x as f32);
    put(
        "attention.layer_norm_rms_epsilon",
        fraction(config.rms_norm_eps),
    );
    put("rope.freq_base", fraction(config.ropes[0].theta));
    let windows = config.layer_configs.iter().filter_map(|layer| layer.window);
    if let Some(window) = windows.max() {
        put("attention.sliding_window", Value::U32(window as u32));
    }
    if let Some(cap) = config.attention_cap {
        put("attn_logit_softcapping", fraction(cap));
    }
    if let Some(cap) = config.logit_cap {
        put("final_logit_softcapping", fraction(cap));
    }
    if architecture == "granite" {
        put("attention.scale", fraction(config.attention_scale));
        put("embedding_scale", fraction(config.embedding_scale));
        put("residual_scale", fraction(config.residual_scale));
        put("logit_scale", fraction(config.logit_divisor));
    }
    for (key, value) in rope_keys(config, json) {
        put(key, value);
    }
    Ok(metadata)
}

fn rope_keys(config: &DecoderConfig, json: &Json) -> Vec<(&'static str, Value)> {
    let rope = &config.ropes[0];
    let fraction = |x: f64| Value::F32(x as f32);
    let kind = |kind: &str| ("rope.scaling.type", Value::String(kind.into()));
    let mut keys = Vec::new();
    match rope.scaling {
        RopeScaling::None if rope.divisors.is_some() => {
            let original = original_context(json).unwrap_or(config.context as f64);
            keys.push((
                "rope.scaling.original_context_length",
                Value::U32(original as u32),
            ));
            keys.push(("rope.scaling.attn_factor", fraction(rope.magnitude)));
        }
        // Llama 3's is in a tensor.
        RopeScaling::None | RopeScaling::Llama3 { .. } => {}
        RopeScaling::Linear(factor) => {
            keys.push(kind("linear"));
            keys.push(("rope.scaling.factor", fraction(factor)));
        }
        RopeScaling::Yarn {
            factor,
            original_context,
            beta_fast,
            beta_slow,
            ..
        } => {
            let original = Value::U32(original_context as u32);
            let sharpening = rope.magnitude / yarn_magnitude(factor, 1.0);
            keys.push(kind("yarn"));
            keys.push(("rope.scaling.factor", fraction(factor)));
            keys.push(("rope.scaling.original_context_length", original));
            keys.push(("rope.scaling.yarn_beta_fast", fraction(beta_fast)));
            keys.push(("rope.scaling.yarn_beta_slow", fraction(beta_slow)));
            keys.push(("rope.scaling.attn_factor", fraction(sharpening)));
        }
    }
    if let Some(local) = config.ropes.get(1) {
        keys.push(("rope.freq_base_swa", fraction(local.theta)));
    }
    keys
}

/// What llama.cpp keeps of rotary positions in tensors: divisors of the frequencies.
pub(super) fn rope_tensors(config: &DecoderConfig, json: &Json) -> Vec<(&'static str, Vec<f32>)> {
    let rope = &config.ropes[0];
    if let RopeScaling::Llama3 { .. } = rope.scaling {
        let plain = rope_frequencies(&RopeConfig::plain(rope.theta), config.head_dim);
        let scaled = rope_frequencies(rope, config.head_dim);
        let pairs = plain.iter().zip(&scaled);
        let divisors = pairs.map(|(plain, scaled)| (plain / scaled) as f32);
        return vec![("rope_freqs.weight", divisors.collect())];
    }
    let mut tensors = Vec::new();
    if rope.divisors.is_some() {
        for (name, key) in [
            ("rope_factors_long.weight", "long_factor"),
            ("rope_factors_short.weight", "short_factor"),
        ] {
            let factors = rope_parameters(json)[key].as_array();
            let factors = factors.into_iter().flatten().filter_map(Json::as_f64);
            tensors.push((name, factors.map(|x| x as f32).collect()));
        }
    }
    tensors
}

fn rope_parameters(json: &Json) -> &Json {
    match &json["rope_scaling"] {
        Json::Null => &json["rope_parameters"],
        old => old,
    }
}

fn original_context(json: &Json) -> Option<f64> {
    let key = "original_max_position_embeddings";
    let inner = rope_parameters(json)[key].as_f64();
    inner.or_else(|| json[key].as_f64())
}

/// Whether the new file describes the same model; GGUF leaves some things to be guessed from
/// the architecture.
pub(super) fn compare(before: &DecoderConfig, after: &DecoderConfig) -> Result<(), String> {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-5 * a.abs().max(b.abs());
    for (what, a, b) in [
        (
            "the embedding's multiplier",
            before.embedding_scale,
            after.embedding_scale,
        ),
        (
            "the attention's multiplier",
            before.attention_scale,
            after.attention_scale,
        ),
        (
            "the residual multiplier",
            before.residual_scale,
            after.residual_scale,
        ),
        (
            "the logits' scaling",
            before.logit_divisor,
            after.logit_divisor,
        ),
        (
            "the norms' epsilon",
            before.rms_norm_eps,
            after.rms_norm_eps,
        ),
        (
            "the attention's cap",
            cap(before.attention_cap),
            cap(after.attention_cap),
        ),
        (
            "the logits' cap",
            cap(before.logit_cap),
            cap(after.logit_cap),
        ),
    ] {
        if !same(a, b) {
            return Err(format!("{what} is {a}, and would be read as {b}"));
        }
    }
    if before.activation != after.activation {
        return Err(format!("its activation is {:?}", before.activation));
    }
    for (index, (a, b)) in before
        .layer_configs
        .iter()
        .zip(&after.layer_configs)
        .enumerate()
    {
        let far_sighted = |window: Option<usize>| window.filter(|w| *w < before.context);
        if far_sighted(a.window) != far_sighted(b.window) {
            return Err(format!(
                "layer {index} has a window of {:?} tokens, and it would be read as {:?}",
                a.window, b.window
            ));
        }
        let rotations = [(a.rope, before), (b.rope, after)]
            .map(|(rope, config)| rope.map(|rope| (&config.ropes[rope], config.head_dim)));
        let agree = match rotations {
            [Some((a, a_dim)), Some((b, b_dim))] => {
                let (a_all, b_all) = (rope_frequencies(a, a_dim), rope_frequencies(b, b_dim));
                let mut pairs = a_all.iter().zip(&b_all);
                same(a.magnitude, b.magnitude) && pairs.all(|(a, b)| same(*a, *b))
            }
            [None, None] => true,
            _ => false,
        };
        if !agree {
            return Err(format!(
                "layer {index} turns by other angles than would be read"
            ));
        }
    }
    Ok(())
}

fn cap(cap: Option<f64>) -> f64 {
    cap.unwrap_or(0.0)
}
