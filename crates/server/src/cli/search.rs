//! `ibid search`: the passages that are found for a query.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use engine::Engine;
use library::Library;
use rag::{Encoders, Method};
use retrieval::{Hit, Mode, Query};
use tempfile::TempDir;

use crate::cli::progress::IndexingBar;
use crate::config::Config;
use crate::{sources, startup};

/// What `ibid search` understands.
#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// Words to look for; "words in quotes" must stand so, a -word must not
    query: String,
    /// Files and folders to search [default: what the library holds, or the examples]
    paths: Vec<PathBuf>,
    /// Passages to print
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=200))]
    top_k: u16,
    /// By what passages are found; dense needs an embedder
    #[arg(long, value_enum, default_value_t = SearchMode::Hybrid)]
    mode: SearchMode,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SearchMode {
    /// By words and by meaning; by words where there is no embedder
    Hybrid,
    /// By words
    Lexical,
    /// By meaning
    Dense,
}

impl From<SearchMode> for Method {
    fn from(mode: SearchMode) -> Self {
        Self {
            mode: match mode {
                SearchMode::Hybrid => Mode::Hybrid,
                SearchMode::Lexical => Mode::Lexical,
                SearchMode::Dense => Mode::Dense,
            },
            ..Self::default()
        }
    }
}

pub(super) fn search(config: &Config, args: &SearchArgs) -> anyhow::Result<()> {
    let engine = startup::load_engine(&config.model)?;
    let encoders = startup::load_search_encoders(&config.retrieval)?;
    let opened = opened(config, &args.paths, &engine, &encoders, Patience::Short)?;
    let query = Query::with_operators(&args.query, args.top_k.into());
    let index = opened.library.index(library::DEFAULT_COLLECTION)?;
    let hits = encoders.search(&[index], &query, args.mode.into())?;
    if hits.is_empty() {
        println!("nothing was found; try other words");
    }
    for (n, hit) in hits.iter().enumerate() {
        print_hit(n + 1, hit);
    }
    Ok(())
}

fn print_hit(n: usize, hit: &Hit) {
    let passage = &hit.passage;
    let heading = passage
        .heading
        .as_deref()
        .map(|heading| format!(", {heading}"))
        .unwrap_or_default();
    let page = passage
        .page
        .map(|page| format!(", page {page}"))
        .unwrap_or_default();
    let end = passage.start_char + passage.text.chars().count();
    println!(
        "{n}. {:.2}  {}{page}{heading}, characters {}–{end}",
        hit.score, passage.filename, passage.start_char
    );
    for line in passage.text.lines().filter(|line| !line.trim().is_empty()) {
        println!("   {line}");
    }
    println!();
}

/// A library that is ready to be asked, and the folder it lives in if that is to vanish with it.
pub(super) struct Opened {
    pub(super) library: Arc<Library>,
    _folder: Option<TempDir>,
}

/// How long it may take to open a library that is thrown away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Somebody waits for one answer: many passages get no vectors for it from the embedder that
    /// nobody named.
    Short,
    /// All is to be as on a server.
    Long,
}

/// So many passages are embedded in a few seconds.
const FEW_PASSAGES: u64 = 100;

/// The user's library; or, when paths are given, one that holds just those and is thrown away.
pub(super) fn opened(
    config: &Config,
    paths: &[PathBuf],
    engine: &Arc<dyn Engine>,
    encoders: &Encoders,
    patience: Patience,
) -> anyhow::Result<Opened> {
    let folder = (!paths.is_empty()).then(TempDir::new).transpose()?;
    let data_dir = match &folder {
        Some(folder) => folder.path().to_owned(),
        None => startup::data_dir(config)?,
    };
    let extractor = startup::extractor()?;
    let library = startup::open_library_with(config, &data_dir, engine, extractor, encoders)?;
    let bar = IndexingBar::new();
    let max_file_bytes = config.limits.upload_bytes as u64;
    sources::sync(&library, paths, max_file_bytes, &mut |progress| {
        bar.show(&progress);
    })?;
    // Nobody would come back to find the vectors of a library that is thrown away.
    if folder.is_some() {
        let passages = library.index(library::DEFAULT_COLLECTION)?.passage_count();
        let is_named = config.retrieval.embedder() != Some(None);
        if patience == Patience::Long || is_named || passages <= FEW_PASSAGES {
            library.wait_until_embedded(&mut |files| bar.show_embedding(files))?;
        } else {
            bar.note(&format!(
                "{passages} passages are looked up by their words; ibid serve finds them by their \
                 meaning too"
            ));
        }
    }
    Ok(Opened {
        library,
        _folder: folder,
    })
}
