//! Tiny models with random weights, written as safetensors and as GGUF, and the bundled model as a
//! folder of safetensors.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use engine_candle::{CandleEngine, ModelSource, Settings};
use serde_json::{Value, json};

use crate::bundled_gguf;

/// Weights by their Hugging Face names, with shapes.
pub(crate) type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A model that is all in memory.
#[derive(Clone)]
pub(crate) struct TinyModel {
    pub(crate) config: Value,
    pub(crate) weights: Weights,
}

/// The variants of the decoder that differ in their mathematics.
#[derive(Clone, Copy)]
pub(crate) struct Variant {
    pub(crate) family: &'static str,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) tied: bool,
    pub(crate) qkv_bias: bool,
}

/// A Llama with two query heads to a key head.
pub(crate) const LLAMA: Variant = Variant {
    family: "llama",
    hidden: 32,
    heads: 4,
    kv_heads: 2,
    tied: false,
    qkv_bias: false,
};

/// A Qwen2: biases, one key head, the head tied to the embedding.
pub(crate) const QWEN2: Variant = Variant {
    family: "qwen2",
    kv_heads: 1,
    tied: true,
    qkv_bias: true,
    ..LLAMA
};

pub(crate) const VOCAB: usize = 96;

const LAYERS: usize = 2;

impl TinyModel {
    /// Random weights, the same for the same variant.
    pub(crate) fn new(variant: Variant) -> Self {
        let Variant { hidden, heads, .. } = variant;
        let intermediate = hidden * 2;
        let kv_width = hidden / heads * variant.kv_heads;
        let mut model = Self {
            config: json!({
                "model_type": variant.family,
                "hidden_size": hidden,
                "intermediate_size": intermediate,
                "num_hidden_layers": LAYERS,
                "num_attention_heads": heads,
                "num_key_value_heads": variant.kv_heads,
                "vocab_size": VOCAB,
                "max_position_embeddings": 512,
                "rms_norm_eps": 1e-5,
                "rope_theta": 10000.0,
                "tie_word_embeddings": variant.tied,
            }),
            weights: Weights::new(),
        };
        let mut random = Random(1);
        let mut add = |name: String, shape: &[usize]| model.add(&mut random, name, shape);
        add("model.embed_tokens.weight".into(), &[VOCAB, hidden]);
        add("model.norm.weight".into(), &[hidden]);
        if !variant.tied {
            add("lm_head.weight".into(), &[VOCAB, hidden]);
        }
        for layer in 0..LAYERS {
            let name = |part: &str| format!("model.layers.{layer}.{part}");
            add(name("input_layernorm.weight"), &[hidden]);
            add(name("post_attention_layernorm.weight"), &[hidden]);
            let rows = [("q", hidden), ("k", kv_width), ("v", kv_width)];
            for (matrix, rows) in rows {
                add(
                    name(&format!("self_attn.{matrix}_proj.weight")),
                    &[rows, hidden],
                );
                if variant.qkv_bias {
                    add(name(&format!("self_attn.{matrix}_proj.bias")), &[rows]);
                }
            }
            add(name("self_attn.o_proj.weight"), &[hidden, hidden]);
            add(name("mlp.gate_proj.weight"), &[intermediate, hidden]);
            add(name("mlp.up_proj.weight"), &[intermediate, hidden]);
            add(name("mlp.down_proj.weight"), &[hidden, intermediate]);
        }
        model
    }

    fn add(&mut self, random: &mut Random, name: String, shape: &[usize]) {
        let (center, spread) = match shape {
            [_] => (1.0, 0.3),
            [_, inputs, ..] => (0.0, 1.5 / (*inputs as f32).sqrt()),
            [] => unreachable!("every weight has a dimension"),
        };
        let values = (0..shape.iter().product()).map(|_| center + spread * random.next());
        self.weights
            .insert(name, (shape.to_vec(), values.collect()));
    }

    /// Writes a Hugging Face folder; with several shards, an index says which tensor is where.
    pub(crate) fn write_folder(&self, folder: &Path, shards: usize) -> ModelSource {
        fs::write(folder.join("config.json"), self.config.to_string()).expect("written");
        let mut index = serde_json::Map::new();
        for shard in 0..shards {
            let file = format!("model-{shard}.safetensors");
            let inside = self.weights.iter().enumerate();
            let inside = inside.filter(|(place, _)| place % shards == shard);
            let tensors = inside
                .map(|(_, (name, (shape, values)))| {
                    index.insert(name.clone(), json!(file));
                    let tensor = Tensor::new(values.as_slice(), &Device::Cpu);
                    (
                        name.as_str(),
                        tensor.and_then(|t| t.reshape(shape.as_slice())),
                    )
                })
                .map(|(name, tensor)| (name, tensor.expect("the shape fits")))
                .collect();
            candle_core::safetensors::save(&tensors, folder.join(file)).expect("written");
        }
        let index = json!({ "weight_map": index }).to_string();
        fs::write(folder.join("model.safetensors.index.json"), index).expect("written");
        ModelSource::Path(folder.to_owned())
    }

    /// Writes a GGUF file as llama.cpp's converter would; matrices get `dtype`.
    pub(crate) fn write_gguf(&self, path: &Path, dtype: GgmlDType) -> ModelSource {
        let number = |key: &str| self.config[key].as_u64().expect("a number") as u32;
        let family = self.config["model_type"].as_str().expect("a name");
        let key = |name: &str| format!("{family}.{name}");
        let metadata = [
            (
                "general.architecture".into(),
                gguf_file::Value::String(family.into()),
            ),
            (
                key("embedding_length"),
                gguf_file::Value::U32(number("hidden_size")),
            ),
            (
                key("feed_forward_length"),
                gguf_file::Value::U32(number("intermediate_size")),
            ),
            (
                key("block_count"),
                gguf_file::Value::U32(number("num_hidden_layers")),
            ),
            (
                key("attention.head_count"),
                gguf_file::Value::U32(number("num_attention_heads")),
            ),
            (
                key("attention.head_count_kv"),
                gguf_file::Value::U32(number("num_key_value_heads")),
            ),
            (
                key("context_length"),
                gguf_file::Value::U32(number("max_position_embeddings")),
            ),
            (key("rope.freq_base"), gguf_file::Value::F32(10_000.0)),
            (
                key("attention.layer_norm_rms_epsilon"),
                gguf_file::Value::F32(1e-5),
            ),
        ];
        let metadata = metadata.iter().map(|(key, value)| (key.as_str(), value));
        self.write_gguf_with(path, dtype, &metadata.collect::<Vec<_>>())
    }

    /// The same with metadata of the caller's.
    pub(crate) fn write_gguf_with(
        &self,
        path: &Path,
        dtype: GgmlDType,
        metadata: &[(&str, &gguf_file::Value)],
    ) -> ModelSource {
        let tensors = self.weights.iter().map(|(name, (shape, values))| {
            let values = self.interleaved(name, shape, values);
            let tensor =
                Tensor::new(values, &Device::Cpu).and_then(|t| t.reshape(shape.as_slice()));
            let dtype = if shape.len() == 1 {
                GgmlDType::F32
            } else {
                dtype
            };
            let tensor = QTensor::quantize(&tensor.expect("the shape fits"), dtype);
            (gguf_name(name), tensor.expect("it can be quantised"))
        });
        let tensors = tensors.collect::<Vec<_>>();
        let tensors = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
        let mut file = File::create(path).expect("created");
        gguf_file::write(&mut file, metadata, &tensors.collect::<Vec<_>>()).expect("written");
        ModelSource::Path(path.to_owned())
    }

    /// llama.cpp interleaves the halves of each head of a Llama's queries and keys.
    fn interleaved(&self, name: &str, shape: &[usize], values: &[f32]) -> Vec<f32> {
        let heads = match name {
            _ if self.config["model_type"] != "llama" => return values.to_vec(),
            _ if name.contains("q_proj") => &self.config["num_attention_heads"],
            _ if name.contains("k_proj") => &self.config["num_key_value_heads"],
            _ => return values.to_vec(),
        };
        let heads = heads.as_u64().expect("a number") as usize;
        let width = values.len() / shape[0];
        let half = shape[0] / heads / 2;
        let rows = (0..shape[0]).flat_map(|row| {
            let (head, place) = (row / (2 * half), row % (2 * half));
            let source = head * 2 * half + place % 2 * half + place / 2;
            &values[source * width..][..width]
        });
        rows.copied().collect()
    }
}

/// A folder with the bundled model, its weights as safetensors in 16 bits.
pub(crate) fn bundled_folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundled-model");
        fs::create_dir_all(&folder).expect("created");
        for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
            fs::copy(bundled_file(file), folder.join(file)).expect("copied");
        }
        let weights = bundled_gguf::tensors(&bundled_file("model.gguf"));
        candle_core::safetensors::save(&weights, folder.join("model.safetensors"))
            .expect("written");
        folder
    });
    folder.clone()
}

/// A file of the bundled model.
pub(crate) fn bundled_file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundled/model");
    folder.join(name)
}

/// An engine with the bundled model.
pub(crate) fn bundled(settings: Settings) -> CandleEngine {
    CandleEngine::load(ModelSource::Path(bundled_folder()), settings).expect("it loads")
}

/// An engine with the bundled model's weights and tokenizer alone: it knows nothing of sources, and
/// goes on with whatever it reads, in words and without an end.
pub(crate) fn talkative(settings: Settings) -> CandleEngine {
    let folder = tempfile::tempdir().expect("a folder");
    let tokenizer = bundled_folder().join("tokenizer.json");
    fs::copy(tokenizer, folder.path().join("tokenizer.json")).expect("copied");
    let mut config = bundled_config();
    config.as_object_mut().expect("an object").remove("ibid");
    config["tie_word_embeddings"] = json!(false);
    fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
    let mut weights = bundled_tensors();
    let words = &weights["model.embed_tokens.weight"];
    let head = words.slice_assign(
        &[0..CONTROLS.len(), 0..bundled_size("hidden_size")],
        &silence(),
    );
    weights.insert("lm_head.weight".into(), head.expect("it has such rows"));
    let file = folder.path().join("model.safetensors");
    candle_core::safetensors::save(&weights, file).expect("written");
    let source = ModelSource::Path(folder.path().to_owned());
    CandleEngine::load(source, settings).expect("it loads")
}

/// What makes control tokens unlikely in the head: their logits are 0.
fn silence() -> Tensor {
    let shape = (CONTROLS.len(), bundled_size("hidden_size"));
    Tensor::zeros(shape, candle_core::DType::F16, &Device::Cpu).expect("it is small")
}

/// `<pad> <s> </s> <title> <q> <a> <short> <0> … <15> <best> <end>` of the bundled vocabulary.
pub(crate) const CONTROLS: std::ops::Range<u32> = 0..25;

/// Words of one token each, far likelier than anything else: what is written of them is encoded the
/// same again.
pub(crate) fn whole_words(engine: &CandleEngine) -> Vec<(u32, f32)> {
    let words = [
        " the", " of", " in", " and", " was", " to", " city", " water",
    ];
    let tokens = words.map(|word| engine.content_tokens(word).expect("a word"));
    let single = tokens.into_iter().filter(|tokens| tokens.len() == 1);
    single.map(|tokens| (tokens[0], 20.0)).collect()
}

/// The bundled model's `config.json`.
pub(crate) fn bundled_config() -> Value {
    let config = fs::read(bundled_file("config.json")).expect("it is there");
    serde_json::from_slice(&config).expect("it is JSON")
}

/// A size in it, by its name.
pub(crate) fn bundled_size(name: &str) -> usize {
    bundled_config()[name].as_u64().expect("a number") as usize
}

fn bundled_tensors() -> HashMap<String, Tensor> {
    let weights = bundled_folder().join("model.safetensors");
    candle_core::safetensors::load(weights, &Device::Cpu).expect("it is there")
}

/// The bundled model's weights, in f32.
pub(crate) fn bundled_weights() -> TinyModel {
    let weights = bundled_tensors().into_iter().map(|(name, tensor)| {
        let shape = tensor.dims().to_vec();
        let values = tensor
            .to_dtype(candle_core::DType::F32)
            .and_then(|tensor| tensor.flatten_all()?.to_vec1());
        (name, (shape, values.expect("it has values")))
    });
    TinyModel {
        config: bundled_config(),
        weights: weights.collect(),
    }
}

/// Numbers between -1 and 1; Knuth's MMIX generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Parts of names in folders, and what GGUF calls them.
pub(crate) const GGUF_NAMES: [(&str, &str); 13] = [
    ("model.embed_tokens", "token_embd"),
    ("model.norm", "output_norm"),
    ("lm_head", "output"),
    ("model.layers", "blk"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

fn gguf_name(name: &str) -> String {
    let rename = |name: String, (theirs, gguf): &(&str, &str)| name.replace(theirs, gguf);
    GGUF_NAMES.iter().fold(name.to_owned(), rename)
}
