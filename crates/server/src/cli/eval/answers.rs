//! `ibid eval answers`: whether questions are answered rightly, through the whole pipeline.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use engine::{Engine, Message, Role, SamplingParams};
use rag::{
    AnswerEvent, AnsweredBy, CitationStyle, Encoders, Mode, Pipeline, Question, Signals, Support,
};
use serde_json::json;

use super::answers_report::{Report, Tally};
use super::documents::{Documents, Searchable};
use super::given::with_hard_contexts;
use super::items::{self, Item};
use super::lines;
use super::sample::sample;
use super::spans::{Said, Spans};
use crate::cli::measuring_bar::MeasuringBar;
use crate::config::Config;
use crate::startup;

const EXAMPLES: &str = "\
Examples:
  ibid eval answers questions.jsonl --answer quotes --limit 200
  ibid eval answers noise.jsonl.gz --curve             which evidence_floor to configure
  ibid eval answers law.jsonl --docs ~/law             questions over the files of a folder
  ibid eval answers a.jsonl b.jsonl --json --details said.jsonl

A line of a file is one of (packed with gzip or not):
  a context with its questions; all contexts of the file are searched
    {\"id\", \"lang\", \"title\", \"context\", \"qas\": [{\"id\", \"question\", \"answers\": […], \"unanswerable\"?}]}
  a question with the passages to answer it from
    {\"id\", \"lang\", \"query\", \"answer\": […], \"kind\": \"answer\"|\"reject\", \"docs\": [{\"title\", \"text\"}], \"gold\": [index]}
  a question over the files under --docs, or over those of them that it names
    {\"id\", \"lang\", \"question\", \"must\": [[…], …], \"must_not\": […]?, \"gold\": [file, …]?, \"docs\": [path, …]?, \"unanswerable\"?}

What is measured, each as a share from 0 to 1:
  em, f1              exact matches and overlap with the nearest right answer, by words; by
                      characters in Korean, Chinese, Japanese and Thai; a refusal counts as 0
  contains            answers that hold a right one
  refused right       refusals among the questions that cannot be answered
  refused wrong       refusals among those that can
  citation precision  citations that point at a right document
  citation recall     answerable questions for which a right document is cited
  span precision      citations of copied sentences whose quote holds the sentence
  span recall         copied sentences with such a citation
  accounted           sentences with a citation, or marked as having none
  passed              contains, or rightly refused
  ms                  milliseconds to the end of an answer, the median";

/// What `ibid eval answers` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AnswersArgs {
    /// Sets of questions
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The documents that questions over files are asked of
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
    /// Ask only so many questions of each file, chosen at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Which questions --limit chooses
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Who answers [default: the model, unless its card says that quoting answers better]
    #[arg(long, value_enum, value_name = "WHO")]
    answer: Option<Who>,
    /// Answer from the right context and the four wrong ones that look most like it
    #[arg(long)]
    given: bool,
    /// Print what each evidence_floor would refuse
    #[arg(long)]
    curve: bool,
    /// Write each question with its answer to a file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    details: Option<PathBuf>,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    /// The model
    Model,
    /// The documents, in quotes
    Quotes,
}

pub(super) fn measure(config: &Config, args: &AnswersArgs) -> anyhow::Result<()> {
    let engine = startup::load_engine(&config.model)?;
    let encoders = startup::load_encoders(&config.retrieval)?;
    let pipeline = startup::pipeline(config, Arc::clone(&engine))?;
    let mut measuring = Measuring {
        pipeline: pipeline.with_encoders(encoders.clone()),
        config,
        engine,
        encoders,
        mode: args.answer.map_or(Mode::Auto, |who| match who {
            Who::Model => Mode::Model,
            Who::Quotes => Mode::Quotes,
        }),
        open: None,
        details: args.details.as_ref().map(create).transpose()?,
    };
    let mut report = Report::new(args.json, args.curve);
    for file in &args.files {
        let in_file = || file.display().to_string();
        let items = items::items(&lines::read(file)?, args.docs.as_deref());
        let mut items = items.with_context(in_file)?;
        items = sample(items, args.limit.map(|limit| limit as usize), args.seed);
        if args.given {
            items = with_hard_contexts(items)?;
        }
        let tally = measuring.ask_all(&items).with_context(in_file)?;
        report.print(&lines::set_name(file), &tally)?;
    }
    Ok(())
}

fn create(path: &PathBuf) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(file))
}

struct Measuring<'a> {
    config: &'a Config,
    engine: Arc<dyn Engine>,
    encoders: Encoders,
    pipeline: Pipeline,
    mode: Mode,
    /// The documents that were asked last.
    open: Option<(Rc<Documents>, Searchable)>,
    details: Option<BufWriter<File>>,
}

/// What came of one question.
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) refused: bool,
    pub(super) evidence: f32,
    pub(super) signals: Signals,
    /// The documents cited, one for each citation.
    pub(super) cited: Vec<String>,
    /// What its sentences rest on.
    pub(super) spans: Spans,
    pub(super) milliseconds: f64,
}

impl Measuring<'_> {
    fn ask_all(&mut self, items: &[Item]) -> anyhow::Result<Tally> {
        let bar = MeasuringBar::new(items.len() as u64);
        let mut tally = Tally::default();
        for item in items {
            let outcome = self.ask(item)?;
            let passed = tally.add(item, &outcome);
            self.note(item, &outcome, passed)?;
            bar.advance();
        }
        Ok(tally)
    }

    fn ask(&mut self, item: &Item) -> anyhow::Result<Outcome> {
        let index = self.open(&item.documents)?;
        let question = Question {
            messages: vec![Message::new(Role::User, &item.question)],
            mode: self.mode,
            // Markers would not match the right answer.
            citations: CitationStyle::Fields,
            sampling: SamplingParams {
                seed: Some(0),
                ..SamplingParams::GREEDY
            },
            ..Question::default()
        };
        let started = Instant::now();
        let mut answer = self.pipeline.answer(&[index], question)?;
        let mut outcome = Outcome {
            text: String::new(),
            refused: answer.answered_by == AnsweredBy::Refusal,
            evidence: answer.evidence.map_or(0.0, |evidence| evidence.score),
            signals: answer
                .evidence
                .map_or_else(Signals::default, |evidence| evidence.signals),
            cited: Vec::new(),
            spans: Spans::default(),
            milliseconds: 0.0,
        };
        let mut said = Said {
            passages: answer.search_results.clone(),
            ..Said::default()
        };
        while let Some(event) = answer.next_blocking() {
            match event? {
                AnswerEvent::Text { piece, .. } => {
                    said.text.push_str(&piece.text);
                    said.unsupported.extend(piece.unsupported);
                    said.citations.extend(piece.citations);
                }
                AnswerEvent::Finished { support, .. } => said.support = support,
                _ => {}
            }
        }
        outcome.milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        let gave_up = |support: Support| support.withheld || support.declines();
        outcome.refused |= said.support.is_some_and(gave_up);
        if !outcome.refused {
            outcome.spans = Spans::of(&said);
        }
        let cited = said.citations.into_iter();
        outcome.cited = cited.map(|citation| citation.filename).collect();
        outcome.text = said.text;
        Ok(outcome)
    }

    fn open(&mut self, documents: &Rc<Documents>) -> anyhow::Result<Arc<retrieval::Index>> {
        match &self.open {
            Some((open, searchable)) if Rc::ptr_eq(open, documents) => {
                Ok(Arc::clone(&searchable.index))
            }
            _ => {
                let searchable = documents.open(self.config, &self.engine, &self.encoders)?;
                let index = Arc::clone(&searchable.index);
                self.open = Some((Rc::clone(documents), searchable));
                Ok(index)
            }
        }
    }

    fn note(&mut self, item: &Item, outcome: &Outcome, passed: bool) -> anyhow::Result<()> {
        let Some(details) = &mut self.details else {
            return Ok(());
        };
        let Signals {
            sentences,
            lead,
            names,
            meaning,
            reading,
        } = outcome.signals;
        let line = json!({
            "signals": {
                "sentences": sentences, "lead": lead, "names": names, "meaning": meaning, "reading": reading,
            },
            "id": item.id, "question": item.question, "unanswerable": item.unanswerable,
            "passed": passed, "refused": outcome.refused, "evidence": outcome.evidence,
            "answer": outcome.text, "cited": outcome.cited, "right": item.right,
        });
        writeln!(details, "{line}")?;
        Ok(())
    }
}
