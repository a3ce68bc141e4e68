//! `ibid eval retrieval`: whether the right documents are found, how fast, and in how much disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use engine::Engine;
use retrieval::{Index, MAX_QUERY_BYTES, Query};
use tempfile::TempDir;

use super::beir::{self, Collection, JudgedQuery};
use super::measures::{ndcg_at_10, recall_at_5, reciprocal_rank};
use super::retrieval_report::{Figures, Report};
use super::sample::sample;
use crate::cli::measuring_bar::MeasuringBar;
use crate::config::Config;
use crate::startup;

/// How many documents of a ranking are looked at.
const DEPTH: usize = 10;

/// So many passages are found when a document has several, to see [`DEPTH`] documents.
const PASSAGES_DEPTH: usize = 50;

const EXAMPLES: &str = "\
Examples:
  ibid eval retrieval my-collection              one collection
  ibid eval retrieval collections --json > a     every collection in the folder, to compare
  ibid eval retrieval collections --limit 200    a quick look: 200 queries of each, always the same
  ibid eval retrieval my-collection --split      documents cut into passages, as the server does

A collection is a folder in the BEIR layout:
  corpus.jsonl   {\"_id\", \"title\", \"text\"} a line; may be packed as corpus.jsonl.gz
  queries.jsonl  {\"_id\", \"text\"} a line
  qrels.tsv      a header, then query id, document id and grade between tabs; above 0 is right

What is measured, over all queries that have a right document:
  ndcg@10   how high the right documents stand among the first ten, 0 to 1
  recall@5  the share of the right documents that are among the first five
  mrr       one over the rank of the first right document among the first ten, on average
  ms        milliseconds of one query: the median, and what 99 of 100 do not exceed
  index     MiB on disk";

/// What `ibid eval retrieval` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RetrievalArgs {
    /// Collections in the BEIR layout, or folders of them
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Ways of searching to measure [default: all that are configured]
    #[arg(long, value_enum, value_name = "MODE", value_delimiter = ',')]
    mode: Vec<Mode>,
    /// Ask only so many queries of each collection, chosen at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Which queries --limit chooses
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Cut documents into passages as configured; a document is as good as its best passage
    #[arg(long)]
    split: bool,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// A way of searching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// By words
    Lexical,
}

impl Mode {
    /// As it is called in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Lexical => "lexical",
        }
    }
}

pub(super) fn measure(config: &Config, args: &RetrievalArgs) -> anyhow::Result<()> {
    let engine = args
        .split
        .then(|| startup::load_engine(&config.model))
        .transpose()?;
    let modes = match &args.mode[..] {
        [] => &[Mode::Lexical][..],
        chosen => chosen,
    };
    let mut report = Report::new(args.json);
    for folder in beir::folders(&args.folders)? {
        let mut collection = beir::read(&folder)?;
        collection.queries = sample(
            collection.queries,
            args.limit.map(|limit| limit as usize),
            args.seed,
        );
        let indexed = Indexed::new(&collection, config, engine.as_ref())?;
        for mode in modes {
            let bar = MeasuringBar::new(collection.queries.len() as u64);
            let figures = ask(&indexed, *mode, &collection.queries, &bar)?;
            drop(bar);
            report.print(&collection.name, *mode, &figures)?;
        }
    }
    report.finish();
    Ok(())
}

/// A collection on disk, ready to be searched.
struct Indexed {
    index: Index,
    bytes: u64,
    depth: usize,
    _folder: TempDir,
}

impl Indexed {
    fn new(
        collection: &Collection,
        config: &Config,
        engine: Option<&Arc<dyn Engine>>,
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let index = Index::open(folder.path())?;
        let texts = collection.texts.iter();
        let changes = match engine {
            Some(engine) => texts.map(|text| text.cut(config, engine)).collect(),
            None => texts.map(super::documents::Text::whole).collect(),
        };
        index.apply(changes, 1)?;
        Ok(Self {
            bytes: bytes_in(folder.path())?,
            depth: if engine.is_some() {
                PASSAGES_DEPTH
            } else {
                DEPTH
            },
            index,
            _folder: folder,
        })
    }

    /// The documents that are found, best first.
    fn search(&self, mode: Mode, text: &str) -> anyhow::Result<Vec<String>> {
        let text = &text[..text.floor_char_boundary(MAX_QUERY_BYTES)];
        let query = Query::new(text, self.depth);
        let hits = match mode {
            Mode::Lexical => self.index.search(&query)?,
        };
        let mut documents: Vec<String> = Vec::new();
        for hit in hits {
            if !documents.contains(&hit.passage.file_id) {
                documents.push(hit.passage.file_id);
            }
        }
        documents.truncate(DEPTH);
        Ok(documents)
    }
}

fn ask(
    indexed: &Indexed,
    mode: Mode,
    queries: &[JudgedQuery],
    bar: &MeasuringBar,
) -> anyhow::Result<Figures> {
    let mut figures = Figures {
        index_bytes: indexed.bytes,
        ..Figures::default()
    };
    for query in queries {
        let started = Instant::now();
        let documents = indexed.search(mode, &query.text)?;
        figures
            .milliseconds
            .push(started.elapsed().as_secs_f64() * 1000.0);
        let grade = |document: &String| query.grades.get(document).copied().unwrap_or(0.0);
        let found: Vec<f64> = documents.iter().map(grade).collect();
        let right: Vec<f64> = query.grades.values().copied().collect();
        figures.ndcg.push(ndcg_at_10(&found, &right));
        figures.recall.push(recall_at_5(&found, &right));
        figures.reciprocal_rank.push(reciprocal_rank(&found));
        bar.advance();
    }
    Ok(figures)
}

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
