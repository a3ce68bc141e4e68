//! The bundled model as llama.cpp's converter would write it, and as a folder would have it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{DType, Device, Tensor};

use engine_candle::quantize::{Target, quantize};
use engine_candle::{Decoder, ModelSource};

use crate::models::{
    GGUF_NAMES, bundled_config, bundled_file, bundled_folder, bundled_size, bundled_weights,
};

/// All tensors of a GGUF file of a Llama in 16 bits, under the names that folders have, and with the
/// rows of queries and keys in their order.
pub(crate) fn tensors(path: &Path) -> HashMap<String, Tensor> {
    let mut file = File::open(path).expect("it is there");
    let content = gguf_file::Content::read(&mut file).expect("it is GGUF");
    let names = content.tensor_infos.keys();
    let tensors = names.map(|name| {
        let tensor = content.tensor(&mut file, name, &Device::Cpu);
        let tensor = tensor.and_then(|tensor| tensor.dequantize(&Device::Cpu));
        let tensor = match name.contains("attn_q.") || name.contains("attn_k.") {
            true => tensor.and_then(|tensor| uninterleaved(&tensor)),
            false => tensor,
        };
        let tensor = tensor.and_then(|tensor| tensor.to_dtype(DType::F16));
        (folder_name(name), tensor.expect("it can be read"))
    });
    tensors.collect()
}

fn folder_name(name: &str) -> String {
    let parts = name.split('.').map(|part| {
        let known = GGUF_NAMES.iter().find(|(_, gguf)| *gguf == part);
        known.map_or(part, |(folder, _)| folder)
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The halves of each head behind one another again.
fn uninterleaved(rows: &Tensor) -> candle_core::Result<Tensor> {
    let (outputs, inputs) = rows.dims2()?;
    let heads = bundled_size("num_attention_heads");
    let pairs = rows.reshape((heads, outputs / heads / 2, 2, inputs))?;
    pairs.transpose(1, 2)?.reshape((outputs, inputs))
}

#[test]
fn the_weights_fill_exactly_what_their_header_says() {
    let mut file = File::open(bundled_file("model.gguf")).expect("it is there");
    let content = gguf_file::Content::read(&mut file).expect("it is GGUF");
    let ends = content.tensor_infos.values().map(|info| {
        let dtype = info.ggml_dtype;
        let blocks = info.shape.elem_count() / dtype.block_size();
        content.tensor_data_offset + info.offset + (blocks * dtype.type_size()) as u64
    });
    let length = file.metadata().expect("it is a file").len();
    let padding = length - ends.max().expect("there are tensors");
    assert!(padding < 32, "{padding} bytes are nobody's");
}

#[test]
fn the_embedding_has_the_shape_of_the_configuration() {
    let mut file = File::open(bundled_file("model.gguf")).expect("it is there");
    let content = gguf_file::Content::read(&mut file).expect("it is GGUF");
    let shape = ["vocab_size", "hidden_size"].map(bundled_size);
    assert_eq!(
        content.tensor_infos["token_embd.weight"].shape.dims(),
        shape
    );
    let card = content.metadata["ibid"].to_string().expect("a string");
    let card = serde_json::from_str::<serde_json::Value>(card).expect("JSON");
    assert_eq!(card, bundled_config()["ibid"], "both say the same of it");
}

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

#[test]
fn the_bundled_model_keeps_its_tokenizer_or_says_so() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut model = bundled_weights();
    // Away from the numbers that its own blocks can hold, which would come back unchanged.
    for (_, values) in model.weights.values_mut() {
        for (place, value) in values.iter_mut().enumerate() {
            *value *= 1.0 + 0.1 * (place as f32).sin();
        }
    }
    model.write_folder(folder.path(), 1);
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(bundled_file(file), folder.path().join(file)).expect("copied");
    }
    let out = folder.path().join("bundled.gguf");
    let source = ModelSource::Path(folder.path().to_owned());
    let report = quantize(&source, &out, Target::Q4KM, &mut |_| ()).expect("it can be written");
    let types = report.types.iter().map(|one| &*one.name);
    let types = types.collect::<Vec<_>>();
    assert!(
        types.contains(&"Q4_K") && types.contains(&"Q6_K"),
        "{types:?}"
    );
    for one in &report.types {
        let bound = match &*one.name {
            "F32" => 0.0..0.001,
            "Q6_K" => 0.001..0.04,
            _ => 0.01..0.15,
        };
        assert!(bound.contains(&one.relative_error), "{one:?}");
    }
    assert!(Decoder::load(&ModelSource::Path(out)).is_ok());
}
