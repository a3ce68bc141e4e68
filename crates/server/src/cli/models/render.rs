//! `ibid models render`: the text that a model reads for a conversation.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use engine::{Message, Prompt, PromptDocument, Role};
use engine_candle::inspect::PromptWriter;
use serde::Deserialize;

use crate::cli::named_model::NamedModel;

const EXAMPLES: &str = r#"Example:
  echo '[{"role": "user", "content": "What is attention?"}]' > messages.json
  ibid models render built-in messages.json

MESSAGES.json holds an array of messages (role: system, user or assistant; content: text), or an
object with such messages and with documents for a template that places them itself:
  {"messages": [...], "documents": [{"title": "Minutes", "text": "The roof leaks."}]}

Exactly the prompt is printed, without a line break after it. The model is loaded to be sure that
it is the one that would be used."#;

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
}

pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let file = args.messages.display();
    let json = fs::read(&args.messages).with_context(|| format!("cannot read {file}"))?;
    let conversation = conversation(&json).with_context(|| {
        format!("{file} is not a conversation; ibid models render --help shows one")
    })?;
    let writer = PromptWriter::open(&args.named.source()?)
        .with_context(|| format!("cannot load {}", args.named.as_given()))?;
    let text = writer.write(&conversation.into())?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// What the file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    messages: Vec<FileMessage>,
    #[serde(default)]
    documents: Vec<FileDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMessage {
    role: FileRole,
    content: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileRole {
    System,
    User,
    Assistant,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDocument {
    title: String,
    text: String,
}

/// An array is told from an object first, so that an error speaks of the one that was meant.
fn conversation(json: &[u8]) -> serde_json::Result<Conversation> {
    if json.trim_ascii_start().starts_with(b"[") {
        return Ok(Conversation {
            messages: serde_json::from_slice(json)?,
            documents: Vec::new(),
        });
    }
    serde_json::from_slice(json)
}

impl From<Conversation> for Prompt {
    fn from(conversation: Conversation) -> Self {
        let messages = conversation.messages.into_iter();
        let documents = conversation.documents.into_iter();
        Self {
            messages: messages
                .map(|message| Message::new(message.role.into(), message.content))
                .collect(),
            documents: documents
                .map(|FileDocument { title, text }| PromptDocument { title, text })
                .collect(),
            ..Self::default()
        }
    }
}

impl From<FileRole> for Role {
    fn from(role: FileRole) -> Self {
        match role {
            FileRole::System => Role::System,
            FileRole::User => Role::User,
            FileRole::Assistant => Role::Assistant,
        }
    }
}
