//! The embedded files are whole: each parses as far as that can be said without a model loader.

use bundled::{EMBEDDER, MODEL, READER};
use serde_json::Value;

#[test]
fn the_json_files_parse() {
    for files in [MODEL, EMBEDDER, READER] {
        let own = [
            ("config.json", files.config),
            ("tokenizer.json", files.tokenizer),
            ("tokenizer_config.json", files.tokenizer_config),
        ];
        let others = files.others.iter();
        let others = others.filter(|(name, _)| name.ends_with(".json"));
        for (name, bytes) in own.iter().chain(others) {
            let parsed = json(bytes);
            let is_whole = parsed.is_object() || parsed.is_array();
            assert!(is_whole, "{name} is no JSON object");
        }
    }
}

#[test]
fn the_weights_are_quantised_and_small() {
    for (files, most) in [(MODEL, 16 << 20), (EMBEDDER, 24 << 20)] {
        assert!(files.weights.starts_with(b"GGUF"));
        assert!(files.weights.len() < most, "{} bytes", files.weights.len());
    }
    let adapter = READER.others.iter().map(|(_, bytes)| bytes.len());
    assert!(adapter.sum::<usize>() < 4 << 20);
}

#[test]
fn the_weights_are_aligned() {
    for files in [MODEL, EMBEDDER, READER] {
        assert_eq!(files.weights.as_ptr().align_offset(64), 0);
    }
}

#[test]
fn the_embedder_and_the_reader_name_their_licences() {
    for name in ["MIT", "Microsoft", "multilingual-e5-small"] {
        for card in [EMBEDDER.card, READER.card] {
            assert!(card.contains(name), "the card does not name {name}");
        }
    }
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
