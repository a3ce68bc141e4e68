//! Chat templates against Jinja2, through the engine itself.
//!
//! `fixtures/make_text.py` rendered published templates, and small pieces of Jinja, as
//! `transformers` does. Here an engine with a model whose tokens are bytes says which prompt it
//! would read; that must be the same text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use engine::{EngineError, Message, Prompt, PromptDocument, Role, ToolCall};
use engine_candle::{CandleEngine, ModelSource, Settings};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A published template and what it makes of each conversation.
#[derive(Deserialize)]
struct Published {
    template: String,
    #[serde(flatten)]
    special_tokens: Map<String, Value>,
    prompts: BTreeMap<String, Rendered>,
}

/// What a template is given.
#[derive(Deserialize)]
struct Conversation {
    messages: Vec<Value>,
    #[serde(default)]
    documents: Vec<Value>,
    #[serde(default)]
    tools: Vec<Value>,
}

/// A prompt, or why there is none.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rendered {
    Prompt(String),
    Error { error: String },
}

#[derive(Deserialize)]
struct Snippets {
    conversation: Conversation,
    snippets: Vec<Snippet>,
}

#[derive(Deserialize)]
struct Snippet {
    source: String,
    renders: Rendered,
}

#[test]
fn published_templates_render_as_in_jinja() {
    let conversations = read::<BTreeMap<String, Conversation>>("conversations.json");
    for published in read::<Vec<Published>>("prompts.json") {
        let source = text(&format!("templates/{}.jinja", published.template));
        let source = fs::read_to_string(source).expect("the template is there");
        let engine = engine(&source, &published.special_tokens);
        for (name, expected) in &published.prompts {
            let prompt = prompt(&conversations[name]);
            let what = format!("{}: {name}", published.template);
            check(&engine, &prompt, expected).unwrap_or_else(|wrong| panic!("{what}\n{wrong}"));
        }
    }
}

#[test]
fn snippets_render_as_in_jinja() {
    let Snippets {
        conversation,
        snippets,
    } = read("snippets.json");
    let special_tokens = json!({"bos_token": "<s>", "eos_token": "</s>"});
    let special_tokens = special_tokens.as_object().expect("an object");
    let mut wrong = Vec::new();
    for Snippet { source, renders } in &snippets {
        let result = match try_engine(source, special_tokens) {
            Ok(engine) => check(&engine, &prompt(&conversation), renders),
            Err(error) => Err(error.to_string()),
        };
        if let Err(result) = result {
            wrong.push(format!("{source:?}\n{result}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

fn check(engine: &CandleEngine, prompt: &Prompt, expected: &Rendered) -> Result<(), String> {
    let rendered = engine.prompt_tokens(prompt).map(|tokens| {
        let bytes = tokens.into_iter().map(|token| token as u8).collect();
        String::from_utf8(bytes).expect("the bytes of a prompt")
    });
    match (&rendered, expected) {
        (Ok(prompt), Rendered::Prompt(expected)) if agree(prompt, expected) => Ok(()),
        (Err(EngineError::InvalidRequest { message, .. }), Rendered::Error { error })
            if message.contains(error) =>
        {
            Ok(())
        }
        // Python's own errors have Python's words.
        (Err(EngineError::Failed(_)), Rendered::Error { .. }) => Ok(()),
        _ => Err(format!("expected {expected:?}\nrendered {rendered:?}")),
    }
}

/// The texts are equal but for one date, whose format stands in double brackets.
fn agree(prompt: &str, expected: &str) -> bool {
    let Some((before, rest)) = expected.split_once("[[%") else {
        return prompt == expected;
    };
    let (format, after) = rest.split_once("]]").expect("the brackets close");
    let date = prompt
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    let date_len = match format {
        "d %b %Y" => "26 Jul 2024".len(),
        _ => "2024-07-26".len(),
    };
    date.is_some_and(|date| date.len() == date_len && date.contains("20"))
}

fn prompt(conversation: &Conversation) -> Prompt {
    let documents = conversation.documents.iter();
    Prompt {
        messages: conversation.messages.iter().map(message).collect(),
        documents: documents
            .map(|document| PromptDocument {
                title: string(&document["title"]),
                text: string(&document["text"]),
            })
            .collect(),
        tools: conversation.tools.clone(),
    }
}

fn message(message: &Value) -> Message {
    let role = match message["role"].as_str() {
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        other => panic!("role {other:?}"),
    };
    let calls = message["tool_calls"].as_array();
    Message {
        tool_calls: calls.into_iter().flatten().map(tool_call).collect(),
        tool_call_id: message.get("tool_call_id").map(string),
        name: message.get("name").map(string),
        ..Message::new(role, string(&message["content"]))
    }
}

fn tool_call(call: &Value) -> ToolCall {
    ToolCall {
        id: call.get("id").map(string),
        name: string(&call["function"]["name"]),
        arguments: call["function"]["arguments"].clone(),
    }
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn engine(template: &str, special_tokens: &Map<String, Value>) -> CandleEngine {
    try_engine(template, special_tokens).expect("the template compiles")
}

/// An engine whose tokens are bytes.
fn try_engine(
    template: &str,
    special_tokens: &Map<String, Value>,
) -> Result<CandleEngine, engine_candle::LoadError> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str| folder.path().join(name);
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(text("bytes-model").join(name), file(name)).expect("the model is there");
    }
    let tokenizer_config = serde_json::to_vec(special_tokens).expect("JSON");
    fs::write(file("tokenizer_config.json"), tokenizer_config).expect("it is written");
    fs::write(file("chat_template.jinja"), template).expect("it is written");
    let settings = Settings {
        threads: Some(1),
        ..Settings::default()
    };
    CandleEngine::load(ModelSource::Path(folder.path().to_owned()), settings)
}

fn read<T: DeserializeOwned>(file: &str) -> T {
    let bytes = fs::read(text(file)).expect("the fixture is there");
    serde_json::from_slice(&bytes).expect("it is well-formed")
}

fn text(file: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("fixtures/text").join(file)
}
