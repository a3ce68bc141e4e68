//! The command line: what can be said, and who does it.

mod announcement;
mod ask;
mod bench;
mod memory;
mod models;
mod named_model;
mod progress;
mod search;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Overrides};

const EXAMPLES: &str = "\
Examples:
  ibid serve                      serve the example documents on 127.0.0.1:8080
  ibid serve ~/notes ~/papers     serve your own files and folders
  ibid ask \"what is attention?\"   one answer with footnotes, in the terminal
  ibid search \"어텐션\" ~/notes     the passages an answer would draw on
  ibid models inspect model.gguf  what a model is, and whether it will run here

Configuration: flags, then IBID_* in the environment, then config/ibid.toml.";

/// Answers from your own documents, with a footnote on every sentence.
#[derive(Debug, Parser)]
#[command(name = "ibid", version, about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
struct Common {
    /// Configuration file [default: config/ibid.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "IBID_CONFIG")]
    config: Option<PathBuf>,
    /// Where documents and indexes are kept [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A GGUF file or a Hugging Face folder to answer with [default: the built-in model]
    #[arg(long, global = true, value_name = "PATH")]
    model: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index documents and answer questions about them over HTTP
    Serve(serve::ServeArgs),
    /// Ask one question and print the answer with its footnotes
    Ask(ask::AskArgs),
    /// Print the passages that are found for a query
    Search(search::SearchArgs),
    /// Show the model that would answer; inspect and try out any model
    Models(models::ModelsArgs),
    /// Measure how fast a model reads and writes on this machine
    Bench(bench::BenchArgs),
}

impl Cli {
    /// Reads the configuration and does what was asked.
    ///
    /// # Errors
    ///
    /// With a text for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match &self.command {
            Command::Serve(args) => serve::serve(self.config(args.listen)?, args),
            Command::Ask(args) => ask::ask(&self.config(None)?, args),
            Command::Search(args) => search::search(&self.config(None)?, args),
            Command::Models(args) => args.run(|| self.config(None)),
            Command::Bench(args) => bench::bench(args),
        }
    }

    fn config(&self, listen: Option<std::net::SocketAddr>) -> Result<Config, ConfigError> {
        let common = &self.common;
        let overrides = Overrides::new(listen, common.data_dir.clone(), common.model.clone());
        Config::load(common.config.as_deref(), overrides)
    }
}
