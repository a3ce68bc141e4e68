//! Whole answers: the same from the folder, from the program's own bytes, and from GGUF.

use std::fs;

use candle_core::quantized::{GgmlDType, gguf_file};
use engine::{Engine, Event, FinishReason, Message, Prompt, PromptDocument, Request, Role};
use engine_candle::{CandleEngine, EmbeddedModel, ModelSource, Settings};

use crate::models::{bundled, bundled_folder, bundled_weights};

const EMBEDDED: EmbeddedModel = EmbeddedModel {
    config: include_bytes!("../../../bundled/model/config.json"),
    tokenizer: include_bytes!("../../../bundled/model/tokenizer.json"),
    tokenizer_config: include_bytes!("../../../bundled/model/tokenizer_config.json"),
    weights: include_bytes!("../../../bundled/model/model.safetensors"),
};

fn about_tea() -> Request {
    let document = |title: &str, text: &str| PromptDocument {
        title: title.into(),
        text: text.into(),
    };
    Request {
        prompt: Prompt {
            messages: vec![Message {
                role: Role::User,
                content: "How long is tea brewed?".into(),
            }],
            documents: vec![
                document("Tea", "Tea is brewed for four minutes. It is drunk hot."),
                document("Bread", "Bread is baked for an hour."),
            ],
        },
        max_tokens: Some(48),
        ..Request::default()
    }
}

fn answer(engine: &CandleEngine, request: Request) -> (String, FinishReason) {
    let mut stream = engine.generate(request).expect("taken");
    let mut text = String::new();
    loop {
        match stream.next_blocking().expect("it ends").expect("no error") {
            Event::Token(token) => text.push_str(&token.text),
            Event::Done { finish_reason, .. } => return (text, finish_reason),
        }
    }
}

#[test]
fn the_bundled_model_repeats_a_sentence_of_its_sources() {
    let engine = bundled(Settings::default());
    assert!(engine.model().reads_documents);
    assert!(engine.model().card.max_sources.is_some());
    let (text, finish_reason) = answer(&engine, about_tea());
    assert_eq!(finish_reason, FinishReason::Stop);
    let sources = "Tea is brewed for four minutes. It is drunk hot. Bread is baked for an hour. \
        The sources do not answer this.";
    assert!(sources.contains(text.trim()), "got {text:?}");
    assert!(!text.contains('<'), "special tokens are not text");
}

#[test]
fn embedded_bytes_give_the_same_answer_as_the_folder() {
    let embedded = ModelSource::Embedded(EMBEDDED);
    let embedded = CandleEngine::load(embedded, Settings::default()).expect("it loads");
    let folder = bundled(Settings::default());
    assert_eq!(embedded.model(), folder.model());
    assert_eq!(answer(&embedded, about_tea()), answer(&folder, about_tea()));
}

#[test]
fn gguf_gives_the_same_answer_as_safetensors() {
    let template = serde_json::from_slice::<serde_json::Value>(EMBEDDED.tokenizer_config);
    let template = template.expect("it is JSON")["chat_template"].clone();
    let template = template.as_str().expect("a template").to_owned();
    let (string, number) = (gguf_file::Value::String, gguf_file::Value::U32);
    let metadata = [
        ("general.architecture", string("llama".into())),
        ("tokenizer.chat_template", string(template)),
        ("tokenizer.ggml.eos_token_id", number(2)),
        ("llama.embedding_length", number(256)),
        ("llama.feed_forward_length", number(768)),
        ("llama.block_count", number(6)),
        ("llama.attention.head_count", number(4)),
        ("llama.context_length", number(2048)),
        (
            "llama.attention.layer_norm_rms_epsilon",
            gguf_file::Value::F32(f32::EPSILON),
        ),
    ];
    let metadata = metadata.each_ref().map(|(key, value)| (*key, value));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tokenizer.json"), EMBEDDED.tokenizer).expect("written");
    let expected = answer(&bundled(Settings::default()), about_tea());
    for dtype in [GgmlDType::F16, GgmlDType::Q8_0] {
        let path = folder.path().join("model.gguf");
        let source = bundled_weights().write_gguf_with(&path, dtype, &metadata);
        let engine = CandleEngine::load(source, Settings::default()).expect("it loads");
        assert_eq!(answer(&engine, about_tea()), expected, "{dtype:?}");
    }
}

#[test]
fn a_model_without_a_template_continues_plain_text() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(bundled_folder().join(file), folder.path().join(file)).expect("copied");
    }
    let source = ModelSource::Path(folder.path().to_owned());
    let engine = CandleEngine::load(source, Settings::default()).expect("it loads");
    assert!(!engine.model().reads_documents);
    let tokens = engine.prompt_tokens(&about_tea().prompt).expect("encoded");
    let plain = engine.content_tokens("How long is tea brewed?");
    assert_eq!(Ok(tokens), plain);
}
