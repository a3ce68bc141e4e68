//! Adapters beside encoders: low-rank changes of their matrices, and another head.
#![cfg(feature = "encoders")]

mod encoder_files;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor, safetensors};
use encoder_files::{EMBEDDER, fixture};
use engine::Reranker;
use engine_candle::encoders::{CandleReranker, EncoderSettings};
use engine_candle::{EmbeddedModel, LoadError, ModelSource};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The built-in reader.
const READER: EmbeddedModel = EmbeddedModel {
    others: &[
        (
            "adapter_config.json",
            include_bytes!("../../bundled/reader/adapter_config.json"),
        ),
        (
            "adapter_model.safetensors",
            include_bytes!("../../bundled/reader/adapter_model.safetensors"),
        ),
    ],
    ..EMBEDDER
};

/// The matrices that the tests change, with their outputs and inputs.
const CHANGED: [(&str, [usize; 2]); 2] = [
    ("bert.encoder.layer.0.intermediate.dense", [64, 32]),
    ("bert.encoder.layer.1.attention.self.query", [32, 32]),
];

const RANK: usize = 2;
const ALPHA: usize = 6;

type Tensors = HashMap<String, Tensor>;

#[test]
fn an_adapter_does_what_the_same_change_in_the_weights_does() {
    let mut merged = weights();
    for (name, shape) in CHANGED {
        let [down, up] = change(name, shape);
        let change = (up.matmul(&down).expect("they fit") * (ALPHA / RANK) as f64).expect("a sum");
        let weight = merged
            .get_mut(&format!("{name}.weight"))
            .expect("it is there");
        *weight = (&*weight + change).expect("they fit");
    }
    merged.extend(head());
    let expected = scores(&folder(&merged, None));
    let plain = scores(&folder(&weights(), None));
    let found = scores(&folder(&weights(), Some(&lora())));
    for ((found, expected), plain) in found.iter().zip(expected).zip(plain) {
        assert!((found - expected).abs() < 0.02, "{found}, not {expected}");
        assert!((found - plain).abs() > 0.1, "as without: {plain}");
    }
}

#[test]
fn adapters_that_would_be_misread_are_refused() {
    let check = |config: &Value, tensors: &Tensors, expected: &str| {
        let folder = folder(&weights(), Some(config));
        save(tensors, &folder, "adapter_model.safetensors");
        refused(folder.path(), expected);
    };
    let with = |key: &str, value: Value| {
        let mut config = lora();
        config[key] = value;
        config
    };
    check(&with("peft_type", json!("IA3")), &adapter(), "plain LoRA");
    check(&with("use_dora", json!(true)), &adapter(), "plain LoRA");
    check(&with("r", json!(0)), &adapter(), "plain LoRA");
    check(&with("r", json!("two")), &adapter(), "adapter_config.json");
    check(
        &with("r", json!(3)),
        &adapter(),
        "has shape [2, 32], not [3, 32]",
    );

    check(
        &with("alpha_pattern", json!({"query": 1})),
        &adapter(),
        "plain LoRA",
    );
    for name in [
        "bert.encoder.layer.0.output.dense.bias",
        "bert.embeddings.word_embeddings.weight",
        "bert.pooler.dense.lora_A.weight",
    ] {
        let mut more = adapter();
        let bias = more["base_model.model.classifier.bias"].clone();
        more.insert(format!("base_model.model.{name}"), bias);
        check(&lora(), &more, name);
    }

    let without = folder(&weights(), Some(&lora()));
    fs::remove_file(without.path().join("adapter_model.safetensors")).expect("it was there");
    refused(without.path(), "adapter_model.safetensors");

    let other = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let from = fixture("xlm-roberta-reranker").join(file);
        fs::copy(from, other.path().join(file)).expect("copied");
    }
    fs::write(other.path().join("adapter_config.json"), lora().to_string()).expect("written");
    save(&adapter(), &other, "adapter_model.safetensors");
    refused(
        other.path(),
        "an adapter to the encoder family \"xlm-roberta\"",
    );
}

#[test]
fn the_built_in_reader_judges_as_it_was_trained_to() {
    let reader = CandleReranker::open(&ModelSource::Embedded(READER), EncoderSettings::default());
    let reader = reader.expect("it loads");
    // By the recipe's own forward pass, in f32.
    for (question, judged) in [
        (
            "How long is tea brewed?",
            [
                ("Tea. Tea is brewed for four minutes.", 3.266),
                ("Tea. Tea comes from China.", -6.873),
                ("Bread. Bread is baked for an hour.", -0.485),
            ],
        ),
        (
            "대한민국의 수도는 어디인가?",
            [
                ("서울. 서울은 대한민국의 수도이다.", 2.700),
                ("부산. 부산은 항구 도시이다.", -6.567),
                ("서울. 한강은 서울을 지나 흐른다.", -3.833),
            ],
        ),
    ] {
        let sentences = judged.iter().map(|(sentence, _)| *sentence);
        let logits = reader.rerank(question, &sentences.collect::<Vec<_>>());
        for (logit, (sentence, expected)) in logits.expect("they are short").iter().zip(judged) {
            assert!(
                (logit - expected).abs() < 0.3,
                "{sentence}: {logit}, not {expected}"
            );
        }
    }
}

/// What tells the adapter's kind and size.
fn lora() -> Value {
    json!({"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA})
}

/// All that the adapter's file holds.
fn adapter() -> Tensors {
    let parts = CHANGED.iter().flat_map(|(name, shape)| {
        let parts = ["lora_A", "lora_B"].into_iter().zip(change(name, *shape));
        parts.map(move |(part, tensor)| (format!("{name}.{part}.weight"), tensor))
    });
    let named = parts.chain(head());
    named
        .map(|(name, tensor)| (format!("base_model.model.{name}"), tensor))
        .collect()
}

/// Two small matrices, A and B.
fn change(name: &str, [outputs, inputs]: [usize; 2]) -> [Tensor; 2] {
    [[RANK, inputs], [outputs, RANK]].map(|[rows, columns]| {
        let start = name.len() as f32;
        let numbers = (0..rows * columns).map(|i| (start + 1.7 * i as f32).sin() * 0.3);
        let numbers = numbers.collect::<Vec<_>>();
        Tensor::from_vec(numbers, (rows, columns), &Device::Cpu).expect("the shape fits")
    })
}

/// The head that was trained with the adapter.
fn head() -> Tensors {
    let numbers = (0..32).map(|i| (i as f32).cos()).collect::<Vec<_>>();
    let weight = Tensor::from_vec(numbers, (1, 32), &Device::Cpu).expect("the shape fits");
    let bias = Tensor::new(&[0.5f32], &Device::Cpu).expect("a number");
    let names = ["classifier.weight", "classifier.bias"].map(str::to_owned);
    names.into_iter().zip([weight, bias]).collect()
}

fn weights() -> Tensors {
    let file = fixture("bert-reranker").join("model.safetensors");
    let weights = safetensors::load(file, &Device::Cpu).expect("fixtures have it");
    let in_f32 = |weight: Tensor| weight.to_dtype(DType::F32).expect("a number");
    let weights = weights.into_iter();
    weights
        .map(|(name, weight)| (name, in_f32(weight)))
        .collect()
}

/// The fixture with these weights, and with the adapter if it is to have one.
fn folder(weights: &Tensors, config: Option<&Value>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "tokenizer.json"] {
        let from = fixture("bert-reranker").join(file);
        fs::copy(from, folder.path().join(file)).expect("fixtures have it");
    }
    save(weights, &folder, "model.safetensors");
    if let Some(config) = config {
        let path = folder.path().join("adapter_config.json");
        fs::write(path, config.to_string()).expect("written");
        save(&adapter(), &folder, "adapter_model.safetensors");
    }
    folder
}

fn save(tensors: &Tensors, folder: &TempDir, file: &str) {
    safetensors::save(tensors, folder.path().join(file)).expect("written");
}

fn scores(folder: &TempDir) -> Vec<f32> {
    let reranker = CandleReranker::load(folder.path(), EncoderSettings::default());
    let passages = ["the river is long", "a word"];
    let scores = reranker.expect("it loads").rerank("how long", &passages);
    scores.expect("they are short")
}

fn refused(folder: &Path, expected: &str) {
    let refused = CandleReranker::load(folder, EncoderSettings::default());
    let said = refused.err().as_ref().map(LoadError::to_string);
    let said = said.unwrap_or_default();
    assert!(said.contains(expected), "{said:?}, not {expected:?}");
}
