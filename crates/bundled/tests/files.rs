//! The embedded files are whole: each parses as far as that can be said without a model loader.

use bundled::{EMBEDDER, MODEL};
use serde_json::Value;

#[test]
fn the_json_files_parse() {
    for files in [MODEL, EMBEDDER] {
        let own = [
            ("config.json", files.config),
            ("tokenizer.json", files.tokenizer),
            ("tokenizer_config.json", files.tokenizer_config),
        ];
        for (name, bytes) in own.iter().chain(files.others) {
            let parsed = json(bytes);
            let is_whole = parsed.is_object() || parsed.is_array();
            assert!(is_whole, "{name} is no JSON object");
        }
    }
}

#[test]
fn the_embedder_is_quantised_and_names_its_licence() {
    assert!(EMBEDDER.weights.starts_with(b"GGUF"));
    assert!(EMBEDDER.weights.len() < 24 << 20);
    for name in ["MIT", "Microsoft", "multilingual-e5-small"] {
        assert!(
            EMBEDDER.card.contains(name),
            "its card does not name {name}"
        );
    }
}

#[test]
fn the_weights_fill_exactly_what_their_header_says() {
    let (header, data) = split_safetensors(MODEL.weights);
    let ends = header
        .as_object()
        .expect("the header is an object")
        .values()
        .filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    assert_eq!(ends.max(), Some(data.len() as u64));
}

#[test]
fn the_weights_are_aligned() {
    assert_eq!(MODEL.weights.as_ptr().align_offset(64), 0);
}

#[test]
fn the_embedding_has_the_shape_of_the_configuration() {
    let config = json(MODEL.config);
    let (header, _) = split_safetensors(MODEL.weights);
    let embedding = &header["model.embed_tokens.weight"];
    assert_eq!(embedding["dtype"], "F16");
    assert_eq!(embedding["shape"][0], config["vocab_size"]);
    assert_eq!(embedding["shape"][1], config["hidden_size"]);
}

#[test]
fn the_chat_template_reads_documents() {
    let template = &json(MODEL.tokenizer_config)["chat_template"];
    assert!(template.as_str().is_some_and(|t| t.contains("documents")));
}

#[test]
fn the_card_names_the_licences_of_the_training_data() {
    for name in ["SQuAD", "JaQuAD", "KoBEST", "CC BY-SA 4.0", "CC BY-SA 3.0"] {
        assert!(MODEL.card.contains(name), "the card does not name {name}");
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("the file is JSON")
}

/// A safetensors file is a little-endian u64, a JSON header of that length, and the tensors' data.
fn split_safetensors(bytes: &[u8]) -> (Value, &[u8]) {
    let (length, rest) = bytes
        .split_first_chunk::<8>()
        .expect("eight bytes of length");
    let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length in memory");
    let (header, data) = rest
        .split_at_checked(length)
        .expect("a header within the file");
    (json(header), data)
}
