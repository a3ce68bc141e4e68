//! `ibid models tokenize`: the tokens of a text.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgGroup, Args};
use engine_candle::inspect::Vocabulary;

use crate::cli::named_model::NamedModel;

const EXAMPLES: &str = "\
Examples:
  ibid models tokenize built-in \"What is attention?\"
  ibid models tokenize model.gguf --file minutes.md --json

The text is content: the name of a control token in it is spelt out, not obeyed, and nothing is
added around it. A GGUF file without weights is enough.";

/// What `ibid models tokenize` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("input").required(true))]
pub(in crate::cli) struct TokenizeArgs {
    /// A GGUF file or a Hugging Face folder, or built-in
    #[arg(value_name = "PATH")]
    named: NamedModel,
    /// The text
    #[arg(group = "input")]
    text: Option<String>,
    /// Take the text from a file, every byte of it
    #[arg(long, value_name = "FILE", group = "input")]
    file: Option<PathBuf>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn tokenize(args: &TokenizeArgs) -> anyhow::Result<()> {
    let text = match (&args.file, &args.text) {
        (Some(file), _) => fs::read_to_string(file)
            .with_context(|| format!("cannot read {} as UTF-8 text", file.display()))?,
        (None, text) => text.clone().unwrap_or_default(),
    };
    let vocabulary = Vocabulary::open(&args.named.source()?)
        .with_context(|| format!("cannot use {}", args.named.as_given()))?;
    let tokens = vocabulary.content_tokens(&text)?;
    if args.json {
        println!("{}", serde_json::to_string(&tokens)?);
    } else {
        let ids = tokens.iter().map(u32::to_string).collect::<Vec<_>>();
        println!("{}", ids.join(" "));
    }
    Ok(())
}
