//! The description in the metadata of a GGUF file.

use super::family::{Family, Windows};
use super::rope::{RopeConfig, RopeScaling, yarn_magnitude};
use super::{DecoderConfig, LayerConfig, each_layer, find_family};
use crate::LoadError;
use crate::files::Gguf;

/// Reads the metadata keys of the file's architecture.
pub(crate) fn read(gguf: &Gguf) -> Result<DecoderConfig, LoadError> {
    let architecture = gguf.string("general.architecture").unwrap_or_default();
    let family = find_family("GGUF architecture", architecture, |family| {
        family.architecture
    })?;
    let keys = Keys { gguf, architecture };
    if keys.number("expert_count").is_some_and(|count| count > 0) {
        return Err(LoadError::Unsupported("a mixture of experts".into()));
    }
    let hidden = keys.required("embedding_length")?;
    let layers = keys.required("block_count")?;
    let heads = keys.required("attention.head_count")?;
    let head_dim = keys.number("attention.key_length");
    let head_dim = head_dim.unwrap_or(hidden / heads.max(1));
    let rotated = keys.number("rope.dimension_count");
    if rotated.is_some_and(|rotated| rotated != head_dim) {
        let what = "rotating a part of each head";
        return Err(LoadError::Unsupported(what.into()));
    }
    let scaled_for = match scales_by_width(architecture, layers) {
        true => hidden / heads.max(1),
        false => head_dim,
    };
    let embedding_scale = match family.scales_embedding {
        true => (hidden as f64).sqrt(),
        false => keys.fraction("embedding_scale").unwrap_or(1.0),
    };
    let context = keys.required("context_length")?;
    Ok(DecoderConfig {
        family,
        hidden,
        intermediate: keys.required("feed_forward_length")?,
        layers,
        layer_configs: each_layer("the metadata", layers, |index| layer(&keys, family, index))?,
        heads,
        kv_heads: keys.number("attention.head_count_kv").unwrap_or(heads),
        head_dim,
        vocab: vocab(gguf)?,
        context,
        activation: family.activation,
        rms_norm_eps: keys
            .fraction("attention.layer_norm_rms_epsilon")
            .unwrap_or(1e-5),
        norm_offset: 0.0,
        ropes: ropes(&keys, family, head_dim, context)?,
        embedding_scale,
        attention_scale: keys
            .fraction("attention.scale")
            .unwrap_or(1.0 / (scaled_for.max(1) as f64).sqrt()),
        residual_scale: keys.fraction("residual_scale").unwrap_or(1.0),
        logit_divisor: keys.fraction("logit_scale").unwrap_or(1.0),
        attention_cap: family
            .attention_cap
            .map(|cap| keys.fraction("attn_logit_softcapping").unwrap_or(cap)),
        logit_cap: keys
            .fraction("final_logit_softcapping")
            .or(family.logit_cap),
        tied: gguf.shape("output.weight").is_none(),
    })
}

/// The metadata under the architecture's name.
struct Keys<'a> {
    gguf: &'a Gguf,
    architecture: &'a str,
}

impl Keys<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    fn number(&self, name: &str) -> Option<usize> {
        let number = self.gguf.number(&self.key(name))?;
        Some(usize::try_from(number).unwrap_or(usize::MAX))
    }

    fn required(&self, name: &str) -> Result<usize, LoadError> {
        self.number(name)
            .ok_or_else(|| LoadError::Config(format!("the metadata has no {}", self.key(name))))
    }

    fn fraction(&self, name: &str) -> Option<f64> {
        self.gguf.fraction(&self.key(name))
    }
}

/// The largest Gemma 2 and Gemma 3 divide scores by the root of the embedding's share of a head
/// instead of the head's size. The format has no key for it; llama.cpp, too, knows them by their
/// number of layers.
fn scales_by_width(architecture: &str, layers: usize) -> bool {
    [("gemma2", 46), ("gemma3", 62)].contains(&(architecture, layers))
}

fn vocab(gguf: &Gguf) -> Result<usize, LoadError> {
    let shape = gguf.shape("token_embd.weight").unwrap_or_default();
    shape.first().copied().ok_or_else(|| {
        LoadError::Missing("the file holds no weights (no tensor token_embd.weight)".into())
    })
}

fn layer(keys: &Keys<'_>, family: &Family, index: usize) -> Result<LayerConfig, LoadError> {
    let key = "attention.sliding_window";
    let (windows, window) = match family.windows {
        Windows::AllButEvery(period) => {
            let pattern = keys.number("attention.sliding_window_pattern");
            let period = pattern.unwrap_or(period);
            (Windows::AllButEvery(period), Some(keys.required(key)?))
        }
        windows => (windows, keys.number(key)),
    };
    let windowed = windows.cover(index);
    let rotated = |period| !(index + 1).is_multiple_of(period);
    let local = windowed && family.local_rope_theta.is_some();
    Ok(LayerConfig {
        window: window.filter(|_| windowed),
        rope: family
            .unrotated_every
            .is_none_or(rotated)
            .then_some(usize::from(local)),
    })
}

fn ropes(
    keys: &Keys<'_>,
    family: &Family,
    head_dim: usize,
    context: usize,
) -> Result<Vec<RopeConfig>, LoadError> {
    let theta = keys.fraction("rope.freq_base").unwrap_or(family.rope_theta);
    let mut rope = scaled(keys, theta, context)?;
    rope.divisors = divisors(keys, head_dim / 2, context)?;
    let local = family.local_rope_theta.map(|theta| {
        let theta = keys.fraction("rope.freq_base_swa").unwrap_or(theta);
        RopeConfig::plain(theta)
    });
    Ok([rope].into_iter().chain(local).collect())
}

fn scaled(keys: &Keys<'_>, theta: f64, context: usize) -> Result<RopeConfig, LoadError> {
    let factor = keys.fraction("rope.scaling.factor");
    let factor = factor.filter(|factor| factor.is_finite() && *factor > 0.0);
    let magnitude = keys.fraction("rope.scaling.attn_factor").unwrap_or(1.0);
    let plain = RopeConfig {
        magnitude,
        ..RopeConfig::plain(theta)
    };
    match (keys.gguf.string(&keys.key("rope.scaling.type")), factor) {
        (None | Some("none" | "longrope"), _) | (Some("linear" | "yarn"), None) => Ok(plain),
        (Some("linear"), Some(factor)) => Ok(RopeConfig {
            scaling: RopeScaling::Linear(factor),
            ..plain
        }),
        (Some("yarn"), Some(factor)) => Ok(RopeConfig {
            scaling: RopeScaling::Yarn {
                factor,
                original_context: keys
                    .number("rope.scaling.original_context_length")
                    .unwrap_or(context) as f64,
                beta_fast: keys.fraction("rope.scaling.yarn_beta_fast").unwrap_or(32.0),
                beta_slow: keys.fraction("rope.scaling.yarn_beta_slow").unwrap_or(1.0),
                truncate: true,
            },
            magnitude: magnitude * yarn_magnitude(factor, 1.0),
            ..plain
        }),
        (Some(other), _) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}

/// Llama 3's scaling and LongRoPE are in tensors that divide the frequencies.
fn divisors(keys: &Keys<'_>, pairs: usize, context: usize) -> Result<Option<Vec<f64>>, LoadError> {
    let original = keys.number("rope.scaling.original_context_length");
    let of_longrope = match context > original.unwrap_or(context) {
        true => "rope_factors_long.weight",
        false => "rope_factors_short.weight",
    };
    let mut names = ["rope_freqs.weight", of_longrope].into_iter();
    let Some(name) = names.find(|name| keys.gguf.shape(name).is_some()) else {
        return Ok(None);
    };
    let divisors = keys.gguf.tensor(name, &[pairs])?.rows_in_f32(0..1)?;
    Ok(Some(divisors.into_iter().map(f64::from).collect()))
}
