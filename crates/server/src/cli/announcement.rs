//! What a server that is ready says in the terminal.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use anyhow::Context;
use tracing::info;

use crate::app::{App, Models};
use crate::sources;

/// Tells the terminal and the log that the server is ready. That nobody reads the terminal any
/// more is no reason to stop serving.
pub(super) fn print(app: &App, address: SocketAddr) -> anyhow::Result<()> {
    let text = text(app, address)?;
    let _ = io::stdout().lock().write_all(text.as_bytes());
    info!(%address, "ready");
    Ok(())
}

/// The address, the collection, the model, and one request to try.
fn text(app: &App, address: SocketAddr) -> anyhow::Result<String> {
    let collection = app.library.collection(library::DEFAULT_COLLECTION)?;
    let collection = collection.context("the default collection exists")?;
    let documents = match (collection.counts.completed, collection.counts.failed) {
        (completed, 0) => format!("{completed} documents"),
        (completed, failed) => format!("{completed} documents, {failed} could not be read"),
    };
    let model = app
        .models
        .get(Models::DEFAULT)
        .context("a model is loaded")?;
    let (name, context) = (&model.info.name, model.info.context);
    let mut text = String::new();
    writeln!(text, "ibid is serving on http://{address}")?;
    writeln!(text, "  collection  {} ({documents})", collection.name)?;
    writeln!(text, "  model       {name} (context {context} tokens)")?;
    if model.info.card.quotes_better {
        writeln!(text, "{QUOTES_BETTER}")?;
    }
    match &app.encoders.embedder {
        Some(embedder) => writeln!(text, "  embedder    {}", embedder.model().name)?,
        None => writeln!(text, "  embedder    none: search goes by words alone")?,
    }
    if let Some(reader) = &app.encoders.reader {
        writeln!(text, "  reader      {}", reader.name())?;
    }
    let question = match sources::holds_only_examples(&app.library)? {
        true => "What is attention?",
        false => "YOUR QUESTION",
    };
    let request = format!(
        r#"{{"model":"default","stream":true,"messages":[{{"role":"user","content":"{question}"}}]}}"#
    );
    writeln!(text, "\nAsk something:")?;
    writeln!(
        text,
        "  curl -N http://{address}/v1/chat/completions -H 'content-type: application/json' \\"
    )?;
    writeln!(text, "    -d '{request}'")?;
    Ok(text)
}

const QUOTES_BETTER: &str = r#"              its card says that quoting answers better, so answers are quotes
              unless a request says "answer":"model""#;
