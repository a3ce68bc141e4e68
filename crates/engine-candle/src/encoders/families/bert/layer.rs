//! A layer of BERT: attention, then two matrices, each added to what came in and normalised.

use candle_core::{Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;
use rayon::prelude::*;
use serde::Deserialize;

use super::Config;
use crate::LoadError;
use crate::decoder::Linear;
use crate::encoders::source::Source;
use crate::kernels::{Input, vector};

/// What follows the first of the two matrices, by the names of `hidden_act`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Activation {
    /// Gaussian error linear units (Hendrycks and Gimpel 2016).
    Gelu,
    /// The same by a tanh.
    #[serde(alias = "gelu_new", alias = "gelu_pytorch_tanh")]
    GeluApproximate,
    /// Nothing below zero.
    Relu,
}

impl Activation {
    fn apply(self, x: &mut [f32]) {
        x.par_chunks_mut(vector::TOGETHER).for_each(|x| match self {
            Self::Gelu => vector::gelu(x),
            Self::GeluApproximate => vector::gelu_times(x, &vec![1.0; x.len()]),
            Self::Relu => x.iter_mut().for_each(|x| *x = x.max(0.0)),
        });
    }
}

/// Takes the mean from each row, scales it to a variance of 1, then by learnt weights (Ba et al.
/// 2016).
pub(super) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl Norm {
    pub(super) fn load(
        source: &Source,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, LoadError> {
        let vector = |part: &str| source.vector(&format!("{name}.{part}"), config.hidden_size);
        Ok(Self {
            weight: vector("weight")?,
            bias: vector("bias")?,
            eps: config.layer_norm_eps,
        })
    }

    /// `x` is `[rows, hidden]`.
    pub(super) fn apply(&self, x: &mut [f32]) {
        let width = self.weight.len();
        let rows = x.par_chunks_exact_mut(width);
        let rows = rows.with_min_len(vector::TOGETHER.div_ceil(width));
        rows.for_each(|row| vector::layer_norm(row, &self.weight, &self.bias, self.eps));
    }
}

/// One layer.
pub(super) struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attention_norm: Norm,
    into: Linear,
    activation: Activation,
    out: Linear,
    norm: Norm,
    hidden: usize,
    inner: usize,
    heads: usize,
}

impl Layer {
    pub(super) fn load(
        source: &Source,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, LoadError> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let linear = |part: &str, outputs: usize, inputs: usize| {
            source.linear(&format!("{name}.{part}"), [outputs, inputs])
        };
        let norm = |part: &str| Norm::load(source, &format!("{name}.{part}"), config);
        Ok(Self {
            query: linear("attention.self.query", hidden, hidden)?,
            key: linear("attention.self.key", hidden, hidden)?,
            value: linear("attention.self.value", hidden, hidden)?,
            attended: linear("attention.output.dense", hidden, hidden)?,
            attention_norm: norm("attention.output.LayerNorm")?,
            into: linear("intermediate.dense", inner, hidden)?,
            activation: config.hidden_act,
            out: linear("output.dense", hidden, inner)?,
            norm: norm("output.LayerNorm")?,
            hidden,
            inner,
            heads: config.num_attention_heads,
        })
    }

    /// The states `[tokens, hidden]` of texts of these lengths, one text behind the other.
    pub(super) fn forward(&self, states: &[f32], lengths: &[usize]) -> Result<Vec<f32>> {
        let input = Input::new(states, self.hidden);
        let parts = Linear::forward_all([&self.query, &self.key, &self.value], &input);
        let found = self.attend(parts.each_ref().map(|part| &part[..]), lengths)?;
        let mut found = self.attended.forward(&Input::new(&found, self.hidden));
        vector::add(&mut found, states);
        self.attention_norm.apply(&mut found);
        let mut inner = self.into.forward(&Input::new(&found, self.hidden));
        self.activation.apply(&mut inner);
        let mut out = self.out.forward(&Input::new(&inner, self.inner));
        vector::add(&mut out, &found);
        self.norm.apply(&mut out);
        Ok(out)
    }

    /// What the tokens of each text find in that text; queries, keys and values are `[tokens,
    /// hidden]`.
    fn attend(&self, parts: [&[f32]; 3], lengths: &[usize]) -> Result<Vec<f32>> {
        let mut start = 0;
        let texts = lengths.iter().map(|length| {
            let place = start..start + length * self.hidden;
            start = place.end;
            parts.map(|part| &part[place.clone()])
        });
        let texts = texts.collect::<Vec<_>>();
        let found = texts.into_par_iter().map(|text| self.attend_in(text));
        Ok(found.collect::<Result<Vec<_>>>()?.concat())
    }

    /// softmax(queries · keys / √width) · values, head by head, of one text.
    fn attend_in(&self, parts: [&[f32]; 3]) -> Result<Vec<f32>> {
        let width = self.hidden / self.heads;
        let by_head = |part: &[f32]| {
            let shape = (part.len() / self.hidden, self.heads, width);
            let rows = Tensor::from_slice(part, shape, &Device::Cpu)?;
            rows.transpose(0, 1)?.contiguous()
        };
        let [queries, keys, values] = parts.map(by_head);
        let scores = (queries?.matmul(&keys?.t()?)? * (width as f64).powf(-0.5))?;
        let found = softmax_last_dim(&scores)?.matmul(&values?)?;
        found.transpose(0, 1)?.flatten_all()?.to_vec1()
    }
}
