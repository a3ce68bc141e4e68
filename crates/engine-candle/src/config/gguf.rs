//! The description in the metadata of a GGUF file.

use super::{DecoderConfig, RopeScaling};
use crate::LoadError;
use crate::files::Gguf;

/// Reads the metadata keys of the file's architecture.
pub(crate) fn read(gguf: &Gguf) -> Result<DecoderConfig, LoadError> {
    let architecture = gguf.string("general.architecture").unwrap_or_default();
    if !["llama", "qwen2"].contains(&architecture) {
        return Err(LoadError::Unsupported(format!(
            "the GGUF architecture {architecture:?} (llama and qwen2 are)"
        )));
    }
    let key = |name: &str| format!("{architecture}.{name}");
    let number = |name: &str| gguf.number(&key(name)).map(saturating);
    let required = |name: &str| {
        number(name).ok_or_else(|| LoadError::Config(format!("the metadata has no {}", key(name))))
    };
    if number("expert_count").is_some_and(|experts| experts > 0) {
        return Err(LoadError::Unsupported("a mixture of experts".into()));
    }
    let hidden = required("embedding_length")?;
    let heads = required("attention.head_count")?;
    let head_dim = number("attention.key_length").unwrap_or(hidden / heads.max(1));
    if number("rope.dimension_count").is_some_and(|rotated| rotated != head_dim) {
        return Err(LoadError::Unsupported(
            "rotating a part of each head".into(),
        ));
    }
    Ok(DecoderConfig {
        hidden,
        intermediate: required("feed_forward_length")?,
        layers: required("block_count")?,
        heads,
        kv_heads: number("attention.head_count_kv").unwrap_or(heads),
        head_dim,
        vocab: vocab(gguf)?,
        context: required("context_length")?,
        rms_norm_eps: gguf
            .fraction(&key("attention.layer_norm_rms_epsilon"))
            .unwrap_or(1e-5),
        rope_theta: gguf.fraction(&key("rope.freq_base")).unwrap_or(10_000.0),
        rope_scaling: scaling(gguf, architecture)?,
        tied: gguf.shape("output.weight").is_none(),
    })
}

fn vocab(gguf: &Gguf) -> Result<usize, LoadError> {
    let shape = gguf.shape("token_embd.weight").unwrap_or_default();
    shape.first().copied().ok_or_else(|| {
        LoadError::Missing("the file holds no weights (no tensor token_embd.weight)".into())
    })
}

fn scaling(gguf: &Gguf, architecture: &str) -> Result<RopeScaling, LoadError> {
    let factor = gguf.fraction(&format!("{architecture}.rope.scaling.factor"));
    match gguf.string(&format!("{architecture}.rope.scaling.type")) {
        None | Some("none") => Ok(RopeScaling::None),
        Some("linear") => Ok(factor
            .filter(|factor| factor.is_finite() && *factor > 0.0)
            .map_or(RopeScaling::None, RopeScaling::Linear)),
        Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}

fn saturating(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
