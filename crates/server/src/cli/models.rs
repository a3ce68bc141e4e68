//! `ibid models`: the model that would answer, and what can be learnt of any other.

mod inspect;
mod pull;
mod quantize;
mod render;
mod tokenize;

use clap::{Args, Subcommand};
use engine::SourceUnit;

use crate::config::Config;
use crate::startup;

const EXAMPLES: &str = "\
Examples:
  ibid models                                     the model that would answer
  ibid models inspect model.gguf                  what it is, and whether it will run here
  ibid models tokenize model.gguf \"Hello world\"   the tokens of a text
  ibid models render model.gguf messages.json     the text it would read
  ibid models quantize folder small.gguf --to Q8_0   fewer bits, as one file
  ibid models pull hf:OWNER/NAME                  a model of Hugging Face's hub

A model is named by the path of a GGUF file or of a Hugging Face folder, or as built-in.
One of Hugging Face's cache is hf:OWNER/NAME, or hf:OWNER/NAME:FILE.";

/// What `ibid models` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    command: Option<ModelsCommand>,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Say what a model is, how much memory it needs and whether it will run here
    Inspect(inspect::InspectArgs),
    /// Print the tokens of a text, as they would stand in a prompt
    Tokenize(tokenize::TokenizeArgs),
    /// Print the text that a model would read for a conversation
    Render(render::RenderArgs),
    /// Download a model from Hugging Face's hub
    Pull(pull::PullArgs),
    /// Write a model in fewer bits, as a GGUF file
    Quantize(quantize::QuantizeArgs),
}

impl ModelsArgs {
    /// Does what was asked; `config` is read only if the answer depends on it.
    pub(super) fn run<E>(&self, config: impl FnOnce() -> Result<Config, E>) -> anyhow::Result<()>
    where
        anyhow::Error: From<E>,
    {
        match &self.command {
            None => show(&config()?),
            Some(ModelsCommand::Inspect(args)) => inspect::inspect(args),
            Some(ModelsCommand::Tokenize(args)) => tokenize::tokenize(args),
            Some(ModelsCommand::Render(args)) => render::render(args),
            Some(ModelsCommand::Pull(args)) => pull::pull(args),
            Some(ModelsCommand::Quantize(args)) => quantize::quantize(args),
        }
    }
}

/// The model that would answer.
fn show(config: &Config) -> anyhow::Result<()> {
    let engine = startup::load_engine(&config.model)?;
    let model = engine.model();
    let origin = match &config.model.path {
        Some(path) => path.display().to_string(),
        None => "built in".to_owned(),
    };
    let yes_or_no = |condition: bool| if condition { "yes" } else { "no" };
    println!("{}", model.name);
    println!("  from                     {origin}");
    println!("  context                  {} tokens", model.context);
    println!(
        "  places sources itself    {}",
        yes_or_no(model.reads_documents)
    );
    println!(
        "  quoting answers better   {}",
        yes_or_no(model.card.quotes_better)
    );
    if model.card.points {
        println!("  says                     whole sources, which it names by a token each");
    }
    if let Some(sources) = model.card.max_sources {
        println!("  sources it can follow    {sources}");
    }
    if model.card.unit == SourceUnit::Sentence {
        println!("  a source is              a sentence");
    }
    if let Some(tokens) = model.card.max_source_tokens {
        println!("  tokens of a source       {tokens}");
    }
    Ok(())
}
