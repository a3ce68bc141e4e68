//! Requests and settings out of their ranges are refused by name.

use std::fs;

use engine::{Engine, EngineError, Message, Prompt, Request, Role, SamplingParams};
use engine_candle::{CandleEngine, LoadError, ModelSource, Settings};

use crate::models::{LLAMA, TinyModel, bundled, bundled_folder};

fn request() -> Request {
    let message = Message::new(Role::User, "Hello?");
    Request {
        prompt: Prompt {
            messages: vec![message],
            ..Prompt::default()
        },
        ..Request::default()
    }
}

#[test]
fn requests_out_of_range_are_refused() {
    let engine = bundled(Settings::default());
    let check = |request: Request, expected: &str| match engine.generate(request) {
        Err(EngineError::InvalidRequest { param, .. }) => assert_eq!(param, expected),
        Err(error) => panic!("{expected}: {error}"),
        Ok(_) => panic!("{expected}: taken"),
    };
    let sampling = |sampling| Request {
        sampling,
        ..request()
    };
    let greedy = SamplingParams::GREEDY;
    check(
        Request {
            max_tokens: Some(0),
            ..request()
        },
        "max_tokens",
    );
    check(
        Request {
            stop: vec![String::new()],
            ..request()
        },
        "stop",
    );
    check(
        Request {
            stop: vec!["x".into(); 17],
            ..request()
        },
        "stop",
    );
    check(
        sampling(SamplingParams {
            temperature: -1.0,
            ..greedy
        }),
        "temperature",
    );
    check(
        sampling(SamplingParams {
            top_p: f32::NAN,
            ..greedy
        }),
        "top_p",
    );
    check(
        sampling(SamplingParams {
            top_k: Some(0),
            ..greedy
        }),
        "top_k",
    );
    check(
        sampling(SamplingParams {
            min_p: 2.0,
            ..greedy
        }),
        "min_p",
    );
    assert!(engine.load().is_idle(), "{:?}", engine.load());
}

#[test]
fn no_messages_where_the_template_needs_one_is_refused() {
    let engine = bundled(Settings::default());
    let refused = engine.count_prompt_tokens(&Prompt::default());
    assert!(refused.is_err(), "got {refused:?}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let check = |settings: Settings, expected: &str| {
        let source = ModelSource::Path(bundled_folder());
        match CandleEngine::load(source, settings) {
            Err(LoadError::Setting { name, .. }) => assert_eq!(name, expected),
            Err(error) => panic!("{expected}: {error}"),
            Ok(_) => panic!("{expected}: loaded"),
        }
    };
    let settings = Settings::default;
    check(
        Settings {
            workers: 0,
            ..settings()
        },
        "workers",
    );
    check(
        Settings {
            threads: Some(0),
            ..settings()
        },
        "threads",
    );
    check(
        Settings {
            queue: 0,
            ..settings()
        },
        "queue",
    );
    check(
        Settings {
            max_running: 0,
            ..settings()
        },
        "max_running",
    );
    check(
        Settings {
            context: Some(1),
            ..settings()
        },
        "context",
    );
}

#[test]
fn a_smaller_context_is_kept_to() {
    let engine = bundled(Settings {
        context: Some(32),
        ..Settings::default()
    });
    assert_eq!(engine.model().context, 32);
    let mut stream = engine.generate(request()).expect("taken");
    let mut last = None;
    while let Some(event) = stream.next_blocking() {
        last = Some(event.expect("no error"));
    }
    let Some(engine::Event::Done { usage, .. }) = last else {
        panic!("got {last:?}")
    };
    assert!(
        usage.prompt_tokens + usage.completion_tokens <= 32,
        "{usage:?}"
    );
}

#[test]
fn models_that_cannot_be_run_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |change: &dyn Fn(&mut TinyModel), expected: &str| {
        let mut model = TinyModel::new(LLAMA);
        change(&mut model);
        let source = model.write_folder(folder.path(), 1);
        let error = engine_candle::Decoder::load(&source).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    };
    let config = |key: &'static str, value: serde_json::Value| {
        move |model: &mut TinyModel| model.config[key] = value.clone()
    };
    check(&config("model_type", "mamba".into()), "mamba");
    check(&config("hidden_act", "gelu".into()), "gelu");
    check(&config("hidden_size", "large".into()), "config.json");
    check(&config("hidden_size", 64.into()), "shape");
    check(&config("num_hidden_layers", 3.into()), "model.layers.2");
    check(
        &config("num_hidden_layers", 0.into()),
        "number of layers of 0",
    );
    check(
        &config("num_attention_heads", 0.into()),
        "config.json: a number of heads of 0",
    );
    check(&config("num_key_value_heads", 3.into()), "shared out");
    check(&config("num_key_value_heads", 0.into()), "key heads of 0");
    check(&config("num_hidden_layers", (1u64 << 40).into()), "layers");
    check(&config("hidden_size", (-1).into()), "config.json");
    check(&config("head_dim", 15.into()), "odd");
    check(&config("max_position_embeddings", 0.into()), "context of 0");
    check(&config("rms_norm_eps", 0.into()), "rms_norm_eps");
    check(&config("vocab_size", u64::MAX.into()), "vocabulary");
    check(
        &config("rope_scaling", serde_json::json!({"rope_type": "yarn"})),
        "yarn",
    );
    check(
        &config("quantization_config", serde_json::json!({})),
        "quantised",
    );
    check(
        &|model| drop(model.weights.remove("model.norm.weight")),
        "model.norm.weight",
    );
}

#[test]
fn folders_without_a_model_say_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |expected: &str| {
        let source = ModelSource::Path(folder.path().to_owned());
        let error = CandleEngine::load(source, Settings::default()).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    };
    check("config.json");
    let copy = |file: &str| fs::copy(bundled_folder().join(file), folder.path().join(file));
    copy("config.json").expect("copied");
    check("*.safetensors");
    copy("model.safetensors").expect("copied");
    check("tokenizer.json");
    fs::write(folder.path().join("tokenizer.json"), "{").expect("written");
    check("tokenizer");
    copy("tokenizer.json").expect("copied");
    fs::write(folder.path().join("chat_template.jinja"), "{% for %}").expect("written");
    check("template");
    let nowhere = ModelSource::Path(folder.path().join("nowhere.gguf"));
    let error = CandleEngine::load(nowhere, Settings::default()).err();
    assert!(
        matches!(error, Some(LoadError::Read { .. })),
        "got {error:?}"
    );
}
