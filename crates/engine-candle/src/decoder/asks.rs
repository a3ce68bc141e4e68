//! What is asked of a model while it reads, beside the logits of the next token.

use std::ops::Range;

use engine::{HeadAttention, Heads, LayerAttention};

/// What is to be known of a [`Chunk`](super::Chunk).
pub enum Asks<'a> {
    /// Nothing yet: more follows.
    Nothing,
    /// The logits after the last token.
    Logits,
    /// These, and where the last token's attention goes.
    Watched(&'a mut Watch),
    /// The logarithms of the probabilities of these tokens, at least one and no more than the
    /// chunk has: each after one of the chunk's last tokens.
    Logprobs(&'a [u32]),
    /// The attention weights of all tokens.
    Weights(&'a mut AttentionWeights),
}

impl Asks<'_> {
    /// The same for someone who is called.
    pub(crate) fn reborrow(&mut self) -> Asks<'_> {
        match self {
            Self::Nothing => Asks::Nothing,
            Self::Logits => Asks::Logits,
            Self::Watched(watch) => Asks::Watched(watch),
            Self::Logprobs(tokens) => Asks::Logprobs(tokens),
            Self::Weights(weights) => Asks::Weights(weights),
        }
    }

    /// The logits after the last token are asked for.
    pub(crate) fn wants_logits(&self) -> bool {
        matches!(self, Self::Logits | Self::Watched(_))
    }
}

/// How much attention some runs of tokens get.
#[derive(Clone, Debug)]
pub struct Watch {
    runs: Vec<Range<usize>>,
    shares: Vec<f32>,
}

impl Watch {
    /// Watches these runs of a sequence's tokens. An empty one gets nothing.
    pub fn new(runs: Vec<Range<usize>>) -> Self {
        Self {
            shares: vec![0.0; runs.len()],
            runs,
        }
    }

    /// What each got of the attention that the last token read paid.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }

    /// Forgets the token before.
    pub(crate) fn begin(&mut self) {
        self.shares.fill(0.0);
    }

    /// Adds a part of what one head pays, a weight for each token.
    pub(crate) fn add(&mut self, weights: &[f32], part: f32) {
        for (share, run) in self.shares.iter_mut().zip(&self.runs) {
            let seen = weights.get(run.clone()).unwrap_or(&[]);
            *share += part * seen.iter().sum::<f32>();
        }
    }
}

/// The attention weights of a whole sequence, as far as it was read.
#[derive(Clone, Debug)]
pub struct AttentionWeights {
    heads: Heads,
    layers: Vec<LayerAttention>,
}

impl AttentionWeights {
    /// Those of these layers, counted from 0.
    pub fn new(layers: &[usize], heads: Heads) -> Self {
        let layers = layers.iter().map(|&layer| LayerAttention {
            layer,
            window: None,
            cap: None,
            heads: Vec::new(),
        });
        Self {
            heads,
            layers: layers.collect(),
        }
    }

    /// What was seen.
    pub fn into_layers(self) -> Vec<LayerAttention> {
        self.layers
    }

    /// The place of a layer, if it is wanted.
    pub(crate) fn layer(&mut self, layer: usize) -> Option<LayerWeights<'_>> {
        let found = self.layers.iter_mut().find(|one| one.layer == layer)?;
        Some(LayerWeights {
            heads: self.heads,
            layer: found,
        })
    }
}

/// The weights of one layer.
pub(crate) struct LayerWeights<'a> {
    heads: Heads,
    layer: &'a mut LayerAttention,
}

impl LayerWeights<'_> {
    /// Takes note of how the layer works.
    pub(crate) fn describe(&mut self, window: Option<usize>, cap: Option<f32>) {
        (self.layer.window, self.layer.cap) = (window, cap);
    }

    /// Puts down what the token at this position pays through each head, and the norm of its
    /// value in each. A step that failed may put the same down again.
    pub(crate) fn put(&mut self, position: usize, weights: Vec<Vec<f32>>, norms: Vec<f32>) {
        let several = match self.heads {
            Heads::All => weights.into_iter().zip(norms).enumerate().collect(),
            Heads::Mean => vec![(
                0,
                (
                    mean(&weights),
                    norms.iter().sum::<f32>() / norms.len() as f32,
                ),
            )],
        };
        for (head, (weights, norm)) in several {
            if self.layer.heads.len() <= head {
                self.layer.heads.push(HeadAttention {
                    head: (self.heads == Heads::All).then_some(head),
                    weights: Vec::new(),
                    value_norms: Vec::new(),
                });
            }
            let found = &mut self.layer.heads[head];
            found.weights.truncate(position);
            found.weights.push(weights);
            found.value_norms.truncate(position);
            found.value_norms.push(norm);
        }
    }
}

fn mean(heads: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; heads[0].len()];
    for weights in heads {
        for (mean, weight) in mean.iter_mut().zip(weights) {
            *mean += weight / heads.len() as f32;
        }
    }
    mean
}
