//! `ibid models render`: the text that a model reads for a conversation.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use engine::{Message, Prompt, PromptDocument, Role, ToolCall};
use engine_candle::inspect::PromptWriter;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::named_model::NamedModel;

const EXAMPLES: &str = r#"Examples:
  echo '[{"role": "user", "content": "What is attention?"}]' > messages.json
  ibid models render built-in messages.json
  ibid models render model.gguf messages.json --template my-template.jinja

MESSAGES.json holds an array of messages (role: system, user, assistant or tool; content: text),
or an object with such messages, and with documents and tools for a template that reads them:
  {"messages": [...],
   "documents": [{"title": "Minutes", "text": "The roof leaks."}],
   "tools": [{"type": "function", "function": {"name": "add", "parameters": {...}}}]}
A message of the assistant may have tool_calls, and one of a tool its tool_call_id and name.

Exactly the prompt is printed, without a line break after it. A GGUF file without weights is
enough."#;

/// What `ibid models render` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RenderArgs {
    /// A GGUF file or a Hugging Face folder, or built-in
    #[arg(value_name = "PATH")]
    named: NamedModel,
    /// The conversation
    #[arg(value_name = "MESSAGES.json")]
    messages: PathBuf,
    /// A chat template to try in place of the model's own
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let file = args.messages.display();
    let json = fs::read(&args.messages).with_context(|| format!("cannot read {file}"))?;
    let conversation = conversation(&json).with_context(|| {
        format!("{file} is not a conversation; ibid models render --help shows one")
    })?;
    let source = args.named.source()?;
    let writer = match &args.template {
        None => PromptWriter::open(&source),
        Some(file) => {
            let template = fs::read_to_string(file);
            let template = template.with_context(|| format!("cannot read {}", file.display()))?;
            PromptWriter::with_template(&source, template)
        }
    };
    let writer = writer.with_context(|| format!("cannot load {}", args.named.as_given()))?;
    let text = writer.write(&conversation.into())?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// What the file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    messages: Vec<FileMessage>,
    documents: Option<Vec<FileDocument>>,
    tools: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMessage {
    role: FileRole,
    content: Option<String>,
    tool_calls: Option<Vec<FileToolCall>>,
    tool_call_id: Option<String>,
    name: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileRole {
    System,
    User,
    Assistant,
    Tool,
}

/// As OpenAI's; its `type` can only be `function`.
#[derive(Deserialize)]
struct FileToolCall {
    id: Option<String>,
    function: FileFunction,
}

#[derive(Deserialize)]
struct FileFunction {
    name: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDocument {
    #[serde(default)]
    title: String,
    text: String,
}

/// An array is told from an object first, so that an error speaks of the one that was meant.
fn conversation(json: &[u8]) -> serde_json::Result<Conversation> {
    if json.trim_ascii_start().starts_with(b"[") {
        return Ok(Conversation {
            messages: serde_json::from_slice(json)?,
            documents: None,
            tools: None,
        });
    }
    serde_json::from_slice(json)
}

impl From<Conversation> for Prompt {
    fn from(conversation: Conversation) -> Self {
        let messages = conversation.messages.into_iter();
        let documents = conversation.documents.unwrap_or_default().into_iter();
        Self {
            messages: messages.map(Message::from).collect(),
            documents: documents
                .map(|FileDocument { title, text }| PromptDocument { title, text })
                .collect(),
            tools: conversation.tools.unwrap_or_default(),
        }
    }
}

impl From<FileMessage> for Message {
    fn from(message: FileMessage) -> Self {
        let calls = message.tool_calls.unwrap_or_default().into_iter();
        Self {
            role: message.role.into(),
            content: message.content.unwrap_or_default(),
            tool_calls: calls.map(ToolCall::from).collect(),
            tool_call_id: message.tool_call_id,
            name: message.name,
        }
    }
}

impl From<FileToolCall> for ToolCall {
    fn from(call: FileToolCall) -> Self {
        Self {
            id: call.id,
            name: call.function.name,
            arguments: call.function.arguments,
        }
    }
}

impl From<FileRole> for Role {
    fn from(role: FileRole) -> Self {
        match role {
            FileRole::System => Role::System,
            FileRole::User => Role::User,
            FileRole::Assistant => Role::Assistant,
            FileRole::Tool => Role::Tool,
        }
    }
}
