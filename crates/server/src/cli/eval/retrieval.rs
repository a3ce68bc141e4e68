//! `ibid eval retrieval`: whether the right documents are found, how fast, and in how much disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use engine::Engine;
use rag::Encoders;
use retrieval::{Change, Index, MAX_QUERY_BYTES, Query};
use tempfile::TempDir;

use super::beir::{self, Collection, JudgedQuery};
use super::measures::{ndcg_at_10, recall_at_5, reciprocal_rank};
use super::mode::Mode;
use super::retrieval_report::{Figures, Report};
use super::sample::sample;
use super::vectors;
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
  ibid eval retrieval collections --embedder ~/models/all-MiniLM-L6-v2
                                                 by words, by meaning, and by both

A collection is a folder in the BEIR layout:
  corpus.jsonl   {\"_id\", \"title\", \"text\"} a line; may be packed as corpus.jsonl.gz
  queries.jsonl  {\"_id\", \"text\"} a line
  qrels.tsv      a header, then query id, document id and grade between tabs; above 0 is right

What is measured, over all queries that have a right document:
  ndcg@10   how high the right documents stand among the first ten, 0 to 1
  recall@5  the share of the right documents that are among the first five
  mrr       one over the rank of the first right document among the first ten, on average
  ms        milliseconds of one query: the median, and what 99 of 100 do not exceed
  index     MiB on disk, with the vectors in the modes that use them";

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

pub(super) fn measure(config: &Config, args: &RetrievalArgs) -> anyhow::Result<()> {
    let engine = args
        .split
        .then(|| startup::load_engine(&config.model))
        .transpose()?;
    let encoders = startup::load_search_encoders(&config.retrieval)?;
    let modes = Mode::all(&args.mode, &encoders)?;
    let mut report = Report::new(args.json);
    for folder in beir::folders(&args.folders)? {
        let mut collection = beir::read(&folder)?;
        collection.queries = sample(
            collection.queries,
            args.limit.map(|limit| limit as usize),
            args.seed,
        );
        let changes = changes(&collection, config, engine.as_ref());
        let mut indexed = Indexed::new(changes, &modes, &encoders)?;
        if engine.is_some() {
            indexed.depth = PASSAGES_DEPTH;
        }
        for mode in &modes {
            let searching = Searching {
                indexed: &indexed,
                encoders: mode.encoders(&encoders),
                mode: *mode,
            };
            let figures = searching.ask_all(&collection.queries)?;
            report.print(&collection.name, *mode, &figures)?;
        }
    }
    report.finish();
    Ok(())
}

/// The documents as they are indexed: whole, or cut into passages in the tokens of an engine.
fn changes(
    collection: &Collection,
    config: &Config,
    engine: Option<&Arc<dyn Engine>>,
) -> Vec<Change> {
    let texts = collection.texts.iter();
    match engine {
        Some(engine) => texts.map(|text| text.cut(config, engine)).collect(),
        None => texts.map(super::documents::Text::whole).collect(),
    }
}

/// A collection on disk, ready to be searched.
struct Indexed {
    index: [Arc<Index>; 1],
    depth: usize,
    word_bytes: u64,
    vector_bytes: u64,
    _folder: TempDir,
}

impl Indexed {
    fn new(changes: Vec<Change>, modes: &[Mode], encoders: &Encoders) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let (words, meanings) = (folder.path().join("words"), folder.path().join("vectors"));
        let index = Index::open(&words)?;
        let mut vector_bytes = 0;
        if let Some(embedder) = &encoders.embedder
            && modes.iter().any(|mode| mode.reads_vectors())
        {
            let vectors = vectors::of_passages(&changes, &**embedder, Some(&meanings))?;
            index.attach(Some(Arc::new(vectors)));
            vector_bytes = bytes_in(&meanings)?;
        }
        index.apply(changes, 1)?;
        Ok(Self {
            index: [Arc::new(index)],
            depth: DEPTH,
            word_bytes: bytes_in(&words)?,
            vector_bytes,
            _folder: folder,
        })
    }
}

/// A collection that is searched in one way.
struct Searching<'a> {
    indexed: &'a Indexed,
    encoders: Encoders,
    mode: Mode,
}

impl Searching<'_> {
    fn ask_all(&self, queries: &[JudgedQuery]) -> anyhow::Result<Figures> {
        let vector_bytes = self.indexed.vector_bytes;
        let mut figures = Figures {
            index_bytes: self.indexed.word_bytes
                + if self.mode.reads_vectors() {
                    vector_bytes
                } else {
                    0
                },
            ..Figures::default()
        };
        let bar = MeasuringBar::new(queries.len() as u64);
        for query in queries {
            let started = Instant::now();
            let documents = self.search(&query.text)?;
            let took = started.elapsed();
            figures.milliseconds.push(took.as_secs_f64() * 1000.0);
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

    /// The documents that are found, best first.
    fn search(&self, text: &str) -> anyhow::Result<Vec<String>> {
        let text = &text[..text.floor_char_boundary(MAX_QUERY_BYTES)];
        let query = Query::new(text, self.indexed.depth);
        let hits = self
            .encoders
            .search(&self.indexed.index, &query, self.mode.method())?;
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

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
