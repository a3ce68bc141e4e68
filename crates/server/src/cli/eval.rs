//! `ibid eval`: how well passages are found and questions are answered, on sets of questions.

mod answers;
mod answers_report;
mod beir;
mod documents;
mod given;
mod items;
mod lines;
mod measures;
mod mode;
mod retrieval;
mod retrieval_report;
mod sample;
mod spans;
mod text_measures;
mod vectors;

use clap::{Args, Subcommand};

use crate::config::Config;

/// What `ibid eval` understands.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: EvalCommand,
}

#[derive(Debug, Subcommand)]
enum EvalCommand {
    /// How well the right documents are found, on collections in the BEIR layout
    Retrieval(retrieval::RetrievalArgs),
    /// How well questions are answered, through the whole pipeline
    Answers(answers::AnswersArgs),
}

impl EvalArgs {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        match &self.command {
            EvalCommand::Retrieval(args) => retrieval::measure(config, args),
            EvalCommand::Answers(args) => answers::measure(config, args),
        }
    }
}
