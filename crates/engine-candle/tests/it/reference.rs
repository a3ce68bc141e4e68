//! A Llama in plain loops over `Vec<f64>`: slow, and with nothing in common with what it checks.

use crate::models::TinyModel;

/// What comes of some tokens.
pub(crate) struct Run {
    /// After each of the tokens.
    pub(crate) logits: Vec<Vec<f64>>,
    /// The weights with which each token attends to those up to itself: `[layer][token][head]`.
    pub(crate) attention: Vec<Vec<Vec<Vec<f64>>>>,
    /// The norms of values, `[layer][token][key head]`.
    pub(crate) value_norms: Vec<Vec<Vec<f64>>>,
}

/// The logits after each of the tokens.
pub(crate) fn logits(model: &TinyModel, tokens: &[u32]) -> Vec<Vec<f64>> {
    run(model, tokens).logits
}

/// Runs the model.
pub(crate) fn run(model: &TinyModel, tokens: &[u32]) -> Run {
    let size = |key: &str| model.config[key].as_u64().expect("a number") as usize;
    let (layers, heads, kv_heads) = (
        size("num_hidden_layers"),
        size("num_attention_heads"),
        size("num_key_value_heads"),
    );
    let head_dim = size("hidden_size") / heads;
    let embedding = model.rows("model.embed_tokens");
    let mut xs = tokens
        .iter()
        .map(|&token| embedding[token as usize].clone())
        .collect::<Vec<_>>();
    let (mut attention, mut value_norms) = (Vec::new(), Vec::new());
    for layer in 0..layers {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let normed = model.norm(&name("input_layernorm"), &xs);
        let queries = model.heads(&name("self_attn.q_proj"), &normed, head_dim, true);
        let keys = model.heads(&name("self_attn.k_proj"), &normed, head_dim, true);
        let values = model.heads(&name("self_attn.v_proj"), &normed, head_dim, false);
        let norm = |value: &Vec<f64>| dot(value, value).sqrt();
        let norms = values.iter().map(|heads| heads.iter().map(norm).collect());
        value_norms.push(norms.collect());
        attention.push(Vec::new());
        for position in 0..xs.len() {
            let (mut joined, mut of_heads) = (Vec::new(), Vec::new());
            for (head, query) in queries[position].iter().enumerate() {
                let shared = head / (heads / kv_heads);
                let keys = (0..=position).map(|p| &keys[p][shared]);
                let weights = softmax(query, keys.collect());
                let values = (0..=position).map(|p| &values[p][shared]);
                joined.extend(weighted(&weights, values.collect()));
                of_heads.push(weights);
            }
            attention[layer].push(of_heads);
            add(
                &mut xs[position],
                &model.multiply(&name("self_attn.o_proj"), &joined),
            );
        }
        let normed = model.norm(&name("post_attention_layernorm"), &xs);
        for (x, normed) in xs.iter_mut().zip(normed) {
            let gate = model.multiply(&name("mlp.gate_proj"), &normed);
            let up = model.multiply(&name("mlp.up_proj"), &normed);
            let gated = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u);
            let gated = gated.collect::<Vec<_>>();
            add(x, &model.multiply(&name("mlp.down_proj"), &gated));
        }
    }
    let head = match model.weights.contains_key("lm_head.weight") {
        true => "lm_head",
        false => "model.embed_tokens",
    };
    let normed = model.norm("model.norm", &xs);
    Run {
        logits: normed.iter().map(|x| model.multiply(head, x)).collect(),
        attention,
        value_norms,
    }
}

impl TinyModel {
    fn rows(&self, name: &str) -> Vec<Vec<f64>> {
        let (shape, values) = &self.weights[&format!("{name}.weight")];
        let width = values.len() / shape[0];
        let rows = values.chunks(width);
        rows.map(|row| row.iter().map(|&value| f64::from(value)).collect())
            .collect()
    }

    fn multiply(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let rows = self.rows(name);
        let products = rows.iter().map(|row| dot(row, x));
        match self.weights.get(&format!("{name}.bias")) {
            Some((_, bias)) => products.zip(bias).map(|(p, &b)| p + f64::from(b)).collect(),
            None => products.collect(),
        }
    }

    fn norm(&self, name: &str, xs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (_, weight) = &self.weights[&format!("{name}.weight")];
        let eps = self.config["rms_norm_eps"].as_f64().expect("a number");
        let one = |x: &Vec<f64>| {
            let mean = dot(x, x) / x.len() as f64;
            let scale = 1.0 / (mean + eps).sqrt();
            x.iter()
                .zip(weight)
                .map(|(x, &w)| x * scale * f64::from(w))
                .collect()
        };
        xs.iter().map(one).collect()
    }

    /// `[position][head][number]`.
    fn heads(
        &self,
        name: &str,
        xs: &[Vec<f64>],
        head_dim: usize,
        rotated: bool,
    ) -> Vec<Vec<Vec<f64>>> {
        let theta = self.config["rope_theta"].as_f64().expect("a number");
        let mut out = Vec::new();
        for (position, x) in xs.iter().enumerate() {
            let flat = self.multiply(name, x);
            let mut heads = flat
                .chunks(head_dim)
                .map(<[f64]>::to_vec)
                .collect::<Vec<_>>();
            if rotated {
                heads
                    .iter_mut()
                    .for_each(|head| rotate(head, position, theta));
            }
            out.push(heads);
        }
        out
    }
}

/// The first half of a head is turned against the second, as Hugging Face does.
fn rotate(head: &mut [f64], position: usize, theta: f64) {
    let half = head.len() / 2;
    for i in 0..half {
        let angle = position as f64 * theta.powf(-(i as f64) / half as f64);
        let (a, b) = (head[i], head[i + half]);
        head[i] = a * angle.cos() - b * angle.sin();
        head[i + half] = b * angle.cos() + a * angle.sin();
    }
}

fn softmax(query: &[f64], keys: Vec<&Vec<f64>>) -> Vec<f64> {
    let scale = (query.len() as f64).sqrt();
    let weights = keys.iter().map(|key| (dot(query, key) / scale).exp());
    let weights = weights.collect::<Vec<_>>();
    let total = weights.iter().sum::<f64>();
    weights.iter().map(|weight| weight / total).collect()
}

fn weighted(weights: &[f64], values: Vec<&Vec<f64>>) -> Vec<f64> {
    let mut out = vec![0.0; values[0].len()];
    for (value, weight) in values.iter().zip(weights) {
        for (out, value) in out.iter_mut().zip(*value) {
            *out += value * weight;
        }
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
