//! Whole answers: the same from the folder, from the program's own bytes, and from GGUF.

use std::fs;

use candle_core::quantized::GgmlDType;
use engine::{Engine, Event, FinishReason, Message, Prompt, PromptDocument, Request, Role};
use engine_candle::{CandleEngine, EmbeddedModel, ModelSource, Settings};

use crate::bundled_gguf;
use crate::models::{bundled, bundled_folder};

const EMBEDDED: EmbeddedModel = EmbeddedModel {
    config: include_bytes!("../../../bundled/model/config.json"),
    tokenizer: include_bytes!("../../../bundled/model/tokenizer.json"),
    tokenizer_config: include_bytes!("../../../bundled/model/tokenizer_config.json"),
    weights: include_bytes!("../../../bundled/model/model.gguf"),
    others: &[],
};

fn about_tea() -> Request {
    let document = |title: &str, text: &str| PromptDocument {
        title: title.into(),
        text: text.into(),
    };
    Request {
        prompt: Prompt {
            messages: vec![Message::new(Role::User, "How long is tea brewed?")],
            documents: vec![
                document("Tea", "Tea is brewed for four minutes. It is drunk hot."),
                document("Bread", "Bread is baked for an hour."),
            ],
            ..Prompt::default()
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
fn the_bundled_model_names_a_source_and_its_text_is_said() {
    let engine = bundled(Settings::default());
    assert!(engine.model().reads_documents);
    assert!(engine.model().card.points);
    let (text, finish_reason) = answer(&engine, about_tea());
    assert_eq!(finish_reason, FinishReason::Stop);
    assert_eq!(text, "Tea is brewed for four minutes. It is drunk hot.");
}

#[test]
fn a_named_source_is_a_token_and_ends_at_a_stop_string() {
    let engine = bundled(Settings::default());
    let one = Request {
        max_tokens: Some(1),
        ..about_tea()
    };
    let said = "Tea is brewed for four minutes. It is drunk hot.";
    assert_eq!(answer(&engine, one), (said.into(), FinishReason::Length));
    let stopped = Request {
        stop: vec!["minutes".into()],
        ..about_tea()
    };
    let said = "Tea is brewed for four ";
    assert_eq!(answer(&engine, stopped), (said.into(), FinishReason::Stop));
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
    let folder = tempfile::tempdir().expect("a folder");
    let expected = answer(&bundled(Settings::default()), about_tea());
    for dtype in [GgmlDType::F16, GgmlDType::Q8_0] {
        let source = bundled_gguf::write(folder.path(), dtype);
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
