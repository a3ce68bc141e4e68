//! The command line: what can be said, and who does it.

mod announcement;
mod api;
mod ask;
mod bench;
mod documents;
mod eval;
mod extract;
mod measuring_bar;
mod memory;
mod models;
mod named_model;
mod portable;
mod progress;
mod search;
mod serve;
mod upload;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, NamedPath, Overrides, RetrievalOverrides};

/// The command with which the program is its own child; see [`extract::ExtractArgs`].
pub(crate) const EXTRACT: &str = "__extract";

const EXAMPLES: &str = "\
Examples:
  ibid serve                      serve the example documents on 127.0.0.1:8080
  ibid serve ~/notes ~/papers     serve your own files and folders
  ibid ask \"what is attention?\"   one answer with footnotes, in the terminal
  ibid search \"어텐션\" ~/notes     the passages an answer would draw on
  ibid add report.md ~/papers     add files, to a running server or without one
  ibid export notes notes.ibid    a collection as one file
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
    /// A GGUF file, a Hugging Face folder, or hf:OWNER/NAME in Hugging Face's cache, to answer
    /// with; may be given several times, the first being the default [default: the built-in model]
    #[arg(long, global = true, value_name = "[NAME=]PATH")]
    model: Vec<NamedPath>,
    /// A folder of GGUF files and Hugging Face folders to serve as well, by their names
    #[arg(long, global = true, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// What finds the same in other words: built-in, a Hugging Face folder of an embedder, or none,
    /// and search goes by words alone [default: built-in]
    #[arg(long, global = true, value_name = "PATH")]
    embedder: Option<PathBuf>,
    /// What tells whether a sentence answers the question: built-in, a Hugging Face folder of a
    /// cross-encoder, or none [default: built-in]
    #[arg(long, global = true, value_name = "PATH")]
    reader: Option<PathBuf>,
    /// A Hugging Face folder of a cross-encoder, to order what is found again [default: none]
    #[arg(long, global = true, value_name = "PATH")]
    reranker: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index documents and answer questions about them over HTTP
    Serve(serve::ServeArgs),
    /// Ask one question and print the answer with its footnotes
    Ask(ask::AskArgs),
    /// Print the passages that are found for a query
    Search(search::SearchArgs),
    /// Add files and folders to a collection, instead of what had their names before
    Add(documents::AddArgs),
    /// List the files of a collection and how they stand
    List(documents::ListArgs),
    /// Delete files: bytes, text, passages
    Remove(documents::RemoveArgs),
    /// Show the collections and how far indexing is
    Status(documents::StatusArgs),
    /// Write a collection to one file that can be imported elsewhere
    Export(portable::ExportArgs),
    /// Add the collection of an export
    Import(portable::ImportArgs),
    /// Copy the whole library to one file, also while a server runs
    Backup(portable::BackupArgs),
    /// Show the model that would answer; inspect and try out any model
    Models(models::ModelsArgs),
    /// Measure how fast a model reads and writes on this machine
    Bench(bench::BenchArgs),
    /// Measure search and answers on sets of questions
    Eval(eval::EvalArgs),
    /// Read files for a parent
    #[command(name = EXTRACT, hide = true)]
    Extract(extract::ExtractArgs),
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
            Command::Add(args) => documents::add(&self.config(None)?, args),
            Command::List(args) => documents::list(&self.config(None)?, args),
            Command::Remove(args) => documents::remove(&self.config(None)?, args),
            Command::Status(args) => documents::status(&self.config(None)?, args),
            Command::Export(args) => portable::export(&self.config(None)?, args),
            Command::Import(args) => portable::import(&self.config(None)?, args),
            Command::Backup(args) => portable::backup(&self.config(None)?, args),
            Command::Models(args) => args.run(|| self.config(None)),
            Command::Bench(args) => bench::bench(args),
            Command::Eval(args) => args.run(&self.config(None)?),
            Command::Extract(args) => extract::serve(args),
        }
    }

    fn config(&self, listen: Option<std::net::SocketAddr>) -> Result<Config, ConfigError> {
        let common = &self.common;
        let overrides = Overrides::new(listen, common.data_dir.clone(), common.model.clone())
            .with_models_dir(common.models_dir.clone())
            .with_encoders(RetrievalOverrides {
                embedder: common.embedder.clone(),
                reader: common.reader.clone(),
                reranker: common.reranker.clone(),
            });
        Config::load(common.config.as_deref(), overrides)
    }
}
