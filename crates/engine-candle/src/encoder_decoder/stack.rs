//! The layers of the encoder or the decoder. Norms come before each part and after the last
//! layer; places are told apart by the table of the first layer, for all.

use candle_core::{Result, Tensor};
use candle_nn::{Module, RmsNorm};

use super::attention::{Attention, KeysValues};
use super::config::Config;
use super::feed_forward::FeedForward;
use super::positions::RelativePositions;
use crate::LoadError;
use crate::files::Weights;

/// Layers one after the other.
pub(super) struct Stack {
    positions: RelativePositions,
    layers: Vec<Layer>,
    norm: RmsNorm,
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sees the whole prompt.
    Encoder,
    /// Sees the answer so far and the prompt.
    Decoder,
}

/// What the layers of a decoder look back at, one for each.
pub(super) struct Memory<'a> {
    /// The prompt.
    pub(super) prompt: &'a [KeysValues],
    /// The answer so far, which grows.
    pub(super) answer: &'a mut [Option<KeysValues>],
}

struct Layer {
    attention: Normed<Attention>,
    attention_to_prompt: Option<Normed<Attention>>,
    feed_forward: Normed<FeedForward>,
}

struct Normed<T> {
    norm: RmsNorm,
    part: T,
}

impl Stack {
    /// Reads all layers.
    pub(super) fn load(
        weights: &Weights,
        config: &Config,
        kind: Kind,
    ) -> std::result::Result<Self, LoadError> {
        let (name, layers) = match kind {
            Kind::Encoder => ("encoder", config.encoder_layers),
            Kind::Decoder => ("decoder", config.decoder_layers),
        };
        let table = format!("{name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        let both_ways = kind == Kind::Encoder;
        let layer = |i| Layer::load(weights, &format!("{name}.block.{i}.layer"), config, kind);
        Ok(Self {
            positions: RelativePositions::load(weights, &table, config, both_ways)?,
            layers: (0..layers)
                .map(layer)
                .collect::<std::result::Result<_, _>>()?,
            norm: norm(weights, &format!("{name}.final_layer_norm"), config)?,
        })
    }

    /// States after the last layer, of embedded tokens `[tokens, hidden]`; with a memory in the
    /// decoder.
    pub(super) fn forward(
        &self,
        mut states: Tensor,
        mut memory: Option<Memory<'_>>,
    ) -> Result<Tensor> {
        let tokens = states.dim(0)?;
        let earlier = match &memory {
            Some(Memory { answer, .. }) => answer[0].as_ref().map_or(Ok(0), KeysValues::len)?,
            None => 0,
        };
        let bias = self.positions.bias(tokens, earlier + tokens)?;
        for (i, layer) in self.layers.iter().enumerate() {
            // Attention to the tokens before and, in the encoder, after.
            let normed = layer.attention.norm.forward(&states)?;
            let attention = &layer.attention.part;
            let own = attention.keys_values(&normed)?;
            let seen = match &memory {
                Some(memory) => own.after(memory.answer[i].as_ref())?,
                None => own,
            };
            states = (states + attention.forward(&normed, &seen, Some(&bias))?)?;
            // Attention to the prompt.
            if let (Some(memory), Some(part)) = (&mut memory, &layer.attention_to_prompt) {
                memory.answer[i] = Some(seen);
                let normed = part.norm.forward(&states)?;
                states = (states + part.part.forward(&normed, &memory.prompt[i], None)?)?;
            }
            let normed = layer.feed_forward.norm.forward(&states)?;
            states = (states + layer.feed_forward.part.forward(&normed)?)?;
        }
        self.norm.forward(&states)
    }

    /// For each layer of a decoder, keys and values of the encoder's states.
    pub(super) fn keys_values_of_prompt(&self, states: &Tensor) -> Result<Vec<KeysValues>> {
        let parts = self
            .layers
            .iter()
            .filter_map(|layer| layer.attention_to_prompt.as_ref());
        parts
            .map(|normed| normed.part.keys_values(states))
            .collect()
    }
}

impl Layer {
    fn load(
        weights: &Weights,
        name: &str,
        config: &Config,
        kind: Kind,
    ) -> std::result::Result<Self, LoadError> {
        let attention = |at: usize, part: &str| {
            Ok::<_, LoadError>(Normed {
                norm: norm(weights, &format!("{name}.{at}.layer_norm"), config)?,
                part: Attention::load(weights, &format!("{name}.{at}.{part}"), config)?,
            })
        };
        let (attention_to_prompt, last) = match kind {
            Kind::Encoder => (None, 1),
            Kind::Decoder => (Some(attention(1, "EncDecAttention")?), 2),
        };
        let feed_forward = format!("{name}.{last}.DenseReluDense");
        Ok(Self {
            attention: attention(0, "SelfAttention")?,
            attention_to_prompt,
            feed_forward: Normed {
                norm: norm(weights, &format!("{name}.{last}.layer_norm"), config)?,
                part: FeedForward::load(weights, &feed_forward, config)?,
            },
        })
    }
}

fn norm(weights: &Weights, name: &str, config: &Config) -> std::result::Result<RmsNorm, LoadError> {
    let weight = weights.tensor(&format!("{name}.weight"), &[config.hidden])?;
    Ok(RmsNorm::new(weight, config.eps))
}
