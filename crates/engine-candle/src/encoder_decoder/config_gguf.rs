//! The same from the metadata of GGUF, which says less.

use candle_nn::Activation;

use super::config::{Config, USUAL_CONTEXT};
use crate::LoadError;
use crate::files::Gguf;

/// Reads and checks the description.
pub(super) fn read(gguf: &Gguf) -> Result<Config, LoadError> {
    let optional = |key: &str| {
        let number = gguf.number(&format!("t5.{key}"))?;
        usize::try_from(number).ok()
    };
    let number = |key: &str| {
        optional(key).ok_or_else(|| LoadError::Config(format!("the metadata has no t5.{key}")))
    };
    let has = |tensor: &str| gguf.shape(tensor).is_some();
    let embedding = gguf.shape("token_embd.weight");
    let vocab = embedding.and_then(|shape| shape.first()).copied();
    let token = |key: &str| gguf.number(key).and_then(|id| u32::try_from(id).ok());
    let encoder_layers = number("block_count")?;
    // What the format leaves out is as in all published models: only those with a gate bend by
    // GELU, and only those whose head is the embedding scale.
    let gated = has("enc.blk.0.ffn_gate.weight");
    let config = Config {
        vocab: vocab.ok_or_else(|| LoadError::Missing("there is no token_embd.weight".into()))?,
        hidden: number("embedding_length")?,
        heads: number("attention.head_count")?,
        head_dim: number("attention.key_length")?,
        inner: number("feed_forward_length")?,
        encoder_layers,
        decoder_layers: optional("decoder_block_count").unwrap_or(encoder_layers),
        buckets: number("attention.relative_buckets_count")?,
        max_distance: 128,
        eps: gguf
            .fraction("t5.attention.layer_norm_rms_epsilon")
            .unwrap_or(1e-6),
        activation: if gated {
            Activation::NewGelu
        } else {
            Activation::Relu
        },
        gated,
        scale_head: !has("output.weight"),
        start_token: token("t5.decoder_start_token_id").unwrap_or(0),
        end_token: token("tokenizer.ggml.eos_token_id").unwrap_or(1),
        context: optional("context_length").unwrap_or(0).max(USUAL_CONTEXT),
    };
    config.check()?;
    Ok(config)
}
