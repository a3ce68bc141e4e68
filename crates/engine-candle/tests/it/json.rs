//! Answers that must be JSON, from models that know nothing of it.

use std::fs;

use engine::{Engine, EngineError, FinishReason, OutputFormat, Request, SamplingParams};
use engine_candle::{CandleEngine, Settings};
use serde_json::{Value, json};

use crate::asking::{ask, question};
use crate::models::{LLAMA, TinyModel, VOCAB, bundled};

fn small_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "answer": {"type": "string", "maxLength": 12},
            "kind": {"enum": ["fact", "의견"]},
            "years": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 2},
        },
        "required": ["answer", "kind", "years"],
        "additionalProperties": false,
    })
}

fn asking_for(format: OutputFormat, seed: u64) -> Request {
    Request {
        format,
        max_tokens: Some(300),
        sampling: SamplingParams {
            temperature: 1.0,
            seed: Some(seed),
            ..SamplingParams::GREEDY
        },
        ..question("What is tea?")
    }
}

fn check_schema(engine: &CandleEngine) {
    for seed in 0..4 {
        let format = OutputFormat::JsonSchema(small_schema().to_string());
        let answer = ask(engine, asking_for(format, seed));
        assert_eq!(answer.finish_reason, FinishReason::Stop, "{answer:?}");
        let text = answer.text();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let fields = value.as_object().expect("an object");
        assert_eq!(fields.len(), 3, "{text}");
        assert!(fields["answer"].as_str().expect("a string").chars().count() <= 12);
        assert!(["fact", "의견"].contains(&fields["kind"].as_str().expect("a string")));
        assert!(fields["years"].as_array().expect("an array").len() <= 2);
    }
}

#[test]
fn a_byte_level_model_keeps_to_a_schema() {
    check_schema(&bundled(Settings::default()));
}

#[test]
fn a_sentence_piece_model_keeps_to_a_schema() {
    check_schema(&sentence_piece());
}

#[test]
fn json_that_is_cut_says_so_and_whole_json_is_an_object() {
    let engine = bundled(Settings::default());
    for seed in 0..4 {
        let mut request = asking_for(OutputFormat::JsonObject, seed);
        request.max_tokens = Some(40);
        let answer = ask(&engine, request);
        let text = answer.text();
        assert!(text.starts_with('{'), "{text}");
        let value = serde_json::from_str::<Value>(&text);
        let is_whole = answer.finish_reason == FinishReason::Stop;
        assert_eq!(
            value.is_ok_and(|value| value.is_object()),
            is_whole,
            "{text}"
        );
    }
}

#[test]
fn schemas_that_cannot_be_followed_are_refused_with_the_reason() {
    let engine = bundled(Settings::default());
    let deep = (0..2000).fold(json!({}), |inner, _| json!({"not": inner}));
    let long = json!({"description": "x".repeat(100_000)});
    for (schema, reason) in [
        (json!({"type": "animal"}), "animal"),
        (json!({"$ref": "https://example.org/schema"}), "example.org"),
        (json!({"type": "string", "pattern": "("}), ""),
        (json!({"enum": []}), ""),
        (json!([]), "object"),
        (long, "100000"),
        (deep, ""),
    ] {
        let request = asking_for(OutputFormat::JsonSchema(schema.to_string()), 0);
        match engine.generate(request) {
            Err(EngineError::InvalidRequest { param, message }) => {
                assert_eq!(param, "response_format");
                assert!(message.contains(reason), "{message}");
            }
            Err(error) => panic!("{schema:.80}: {error}"),
            Ok(_) => panic!("{schema:.80} was taken"),
        }
    }
}

/// A random model whose vocabulary is like those of SentencePiece: blanks are `▁`, and what has
/// no letter of its own is spelt in bytes.
fn sentence_piece() -> CandleEngine {
    let folder = tempfile::tempdir().expect("a folder");
    let special = ["<unk>", "<s>", "</s>"].map(str::to_owned);
    let pieces = [
        "▁", "<0x0A>", "<0xEC>", "<0x9D>", "<0x98>", "<0xEA>", "<0xB2>", "<0xAC>",
    ];
    let letters = ('!'..='~').filter(|letter| !"`~|^@#$%&".contains(*letter));
    let letters = letters.map(String::from);
    let vocabulary = special
        .into_iter()
        .chain(pieces.map(str::to_owned))
        .chain(letters);
    let vocab = vocabulary
        .zip(0..VOCAB)
        .map(|(piece, id)| (piece, json!(id)));
    let added = ["<unk>", "<s>", "</s>"].iter().zip(0..).map(|(name, id)| {
        json!({
            "id": id, "content": name, "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        })
    });
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": {
            "type": "BPE",
            "vocab": vocab.collect::<serde_json::Map<_, _>>(),
            "merges": [],
            "unk_token": "<unk>",
            "byte_fallback": true,
        },
    });
    let config = json!({"eos_token": "</s>", "chat_template": "<s>{{ messages[0].content }}"});
    for (file, json) in [
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", config),
    ] {
        fs::write(folder.path().join(file), json.to_string()).expect("written");
    }
    let source = TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    CandleEngine::load(source, Settings::default()).expect("it loads")
}
