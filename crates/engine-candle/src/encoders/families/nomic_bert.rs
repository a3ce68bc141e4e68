//! NomicBERT (Nussbaum et al. 2024, arXiv:2402.01613): rotary positions and gated layers.

use candle_core::Tensor;
use candle_transformers::models::nomic_bert::{Config, NomicBertModel};
use serde_json::{Map, Value, json};

use super::{Layers, Stack};
use crate::LoadError;
use crate::encoders::batch::Batch;
use crate::encoders::source::{Source, check_heads, unfit};

/// Builds the layers.
pub(super) fn stack(source: &Source) -> Result<Stack, LoadError> {
    refuse_what_is_ignored(source)?;
    let mut config = source.config_or::<Config>(native(&source.config))?;
    check_heads(config.n_embd, config.n_head)?;
    // candle would look for a prefix of this name by reading everything twice.
    config.model_type = None;
    config.n_positions = config.n_positions.min(source.most_tokens);
    let weights = source.weights_under("nomic_bert", "embeddings.word_embeddings.weight");
    let padding = source.config["pad_token_id"].as_u64();
    Ok(Stack {
        layers: Box::new(NomicBert(
            NomicBertModel::load(weights, &config).map_err(unfit)?,
        )),
        hidden: config.n_embd,
        vocab: config.vocab_size,
        positions: config.n_positions,
        padding: padding.and_then(|id| u32::try_from(id).ok()).unwrap_or(0),
        one_length: false,
    })
}

/// What the model's makers and candle call the sizes, and what `transformers` 5 calls them.
const NATIVE_KEYS: [(&str, &str); 6] = [
    ("n_embd", "hidden_size"),
    ("n_head", "num_attention_heads"),
    ("n_layer", "num_hidden_layers"),
    ("n_inner", "intermediate_size"),
    ("n_positions", "max_position_embeddings"),
    ("layer_norm_epsilon", "layer_norm_eps"),
];

/// The description that `transformers` 5 writes, if it is one, in the words of the makers.
fn native(config: &Value) -> Value {
    let mut described = Map::new();
    let rope_theta = &config["rope_parameters"]["rope_theta"];
    let sizes = NATIVE_KEYS.map(|(key, native)| (key, &config[native]));
    for (key, value) in sizes.into_iter().chain([("rotary_emb_base", rope_theta)]) {
        if !value.is_null() {
            described.insert(key.to_owned(), value.clone());
        }
    }
    Value::Object(described)
}

fn refuse_what_is_ignored(source: &Source) -> Result<(), LoadError> {
    let off = [json!(false), json!(0)];
    source.refuse_unless("activation_function", &[json!("swiglu")])?;
    source.refuse_unless("hidden_act", &[json!("silu")])?;
    source.refuse_unless("rotary_emb_fraction", &[json!(1.0), json!(1)])?;
    for key in [
        "rotary_scaling_factor",
        "use_rms_norm",
        "parallel_block",
        "num_experts",
    ] {
        source.refuse_unless(key, &off)?;
    }
    Ok(())
}

struct NomicBert(NomicBertModel);

impl Layers for NomicBert {
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor> {
        self.0
            .forward(&batch.ids, Some(&batch.types), Some(&batch.mask))
    }
}
