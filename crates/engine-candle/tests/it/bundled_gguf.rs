//! The bundled model in the other format, as llama.cpp's converter would write it.

use std::fs;
use std::path::Path;

use candle_core::quantized::{GgmlDType, gguf_file};
use engine_candle::ModelSource;

use crate::models::{bundled_config, bundled_folder, bundled_size, bundled_weights};

/// Writes the file, with the tokenizer beside it, to `folder`; matrices get `dtype`.
pub(crate) fn write(folder: &Path, dtype: GgmlDType) -> ModelSource {
    let tokenizer = bundled_folder().join("tokenizer.json");
    fs::copy(tokenizer, folder.join("tokenizer.json")).expect("copied");
    let config = fs::read(bundled_folder().join("tokenizer_config.json")).expect("it is there");
    let config = serde_json::from_slice::<serde_json::Value>(&config).expect("it is JSON");
    let template = config["chat_template"].as_str().expect("a template");
    let (string, number) = (gguf_file::Value::String, gguf_file::Value::U32);
    let size = |name: &str| number(bundled_size(name) as u32);
    let metadata = [
        ("general.architecture", string("llama".into())),
        ("ibid", string(bundled_config()["ibid"].to_string())),
        ("tokenizer.chat_template", string(template.to_owned())),
        ("tokenizer.ggml.eos_token_id", number(2)),
        ("llama.embedding_length", size("hidden_size")),
        ("llama.feed_forward_length", size("intermediate_size")),
        ("llama.block_count", size("num_hidden_layers")),
        ("llama.attention.head_count", size("num_attention_heads")),
        ("llama.context_length", number(2048)),
        (
            "llama.attention.layer_norm_rms_epsilon",
            gguf_file::Value::F32(f32::EPSILON),
        ),
    ];
    let metadata = metadata.each_ref().map(|(key, value)| (*key, value));
    bundled_weights().write_gguf_with(&folder.join("model.gguf"), dtype, &metadata)
}
