//! `ibid ask`: one question, one answer with its footnotes, in the terminal.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::{FinishReason, Message, Role};
use rag::{Answer, AnswerEvent, Citation, CitationStyle, Mode, Question, Support};

use crate::cli::search::{Patience, opened};
use crate::config::Config;
use crate::startup;

/// What `ibid ask` understands.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// What you want to know
    question: String,
    /// Files and folders to answer from [default: what the library holds, or the examples]
    paths: Vec<PathBuf>,
    /// Who speaks: the model, or the documents in quotes
    #[arg(long, value_enum, default_value_t = Speaker::Auto)]
    answer: Speaker,
    /// Passages that are looked up
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=50))]
    top_k: Option<u16>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Speaker {
    /// The model, unless its card says that quoting answers better
    Auto,
    Model,
    Quotes,
}

impl From<Speaker> for Mode {
    fn from(speaker: Speaker) -> Self {
        match speaker {
            Speaker::Auto => Mode::Auto,
            Speaker::Model => Mode::Model,
            Speaker::Quotes => Mode::Quotes,
        }
    }
}

pub(super) fn ask(config: &Config, args: &AskArgs) -> anyhow::Result<()> {
    let engine = startup::load_engine(&config.model)?;
    let encoders = startup::load_encoders(&config.retrieval)?;
    let library = opened(config, &args.paths, &engine, &encoders, Patience::Short)?;
    let index = library.library.index(library::DEFAULT_COLLECTION)?;
    let question = Question {
        messages: vec![Message::new(Role::User, args.question.clone())],
        mode: args.answer.into(),
        citations: CitationStyle::Inline,
        top_k: args.top_k.map(usize::from),
        ..Question::default()
    };
    let pipeline = startup::pipeline(config, engine)?.with_encoders(encoders);
    let answer = pipeline.answer(&[index], question)?;
    print(answer)
}

/// Prints the answer as it comes, then its footnotes.
fn print(mut answer: Answer) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut footnotes = Vec::new();
    let mut unsupported = None;
    while let Some(event) = answer.next_blocking() {
        match event? {
            AnswerEvent::Text { piece, .. } => {
                write!(out, "{}", piece.text)?;
                out.flush()?;
                footnotes.extend(piece.citations);
            }
            AnswerEvent::Finished {
                finish_reason,
                support,
                ..
            } => {
                if finish_reason == FinishReason::Length {
                    write!(out, " […cut at the token limit]")?;
                }
                unsupported = support.and_then(unsupported_note);
            }
            AnswerEvent::ToolCall { .. } | AnswerEvent::Done { .. } => (),
        }
    }
    writeln!(out, "\n")?;
    if let Some(note) = unsupported {
        writeln!(out, "{note}\n")?;
    }
    for citation in &footnotes {
        print_footnote(&mut out, citation)?;
    }
    Ok(())
}

/// What to be careful about, if anything.
fn unsupported_note(support: Support) -> Option<String> {
    let without = support.unsupported();
    let sentences = support.sentences;
    (without > 0 && !support.withheld)
        .then(|| format!("({without} of {sentences} sentences without a source)"))
}

fn print_footnote(out: &mut impl Write, citation: &Citation) -> io::Result<()> {
    let Citation {
        n,
        filename,
        start,
        end,
        quote,
        ..
    } = citation;
    let page = citation
        .page
        .map(|page| format!(", page {page}"))
        .unwrap_or_default();
    let heading = citation
        .heading
        .as_deref()
        .map(|heading| format!(", {heading}"))
        .unwrap_or_default();
    writeln!(
        out,
        "[{n}] {filename}{page}{heading}, characters {start}–{end}"
    )?;
    writeln!(
        out,
        "    “{}”",
        quote.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}
