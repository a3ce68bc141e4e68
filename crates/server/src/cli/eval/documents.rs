//! What is searched for one question or many, and making an index of it.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use engine::Engine;
use rag::Encoders;
use retrieval::{Change, Index, Passage, PassageSettings, SourceDocument};

use super::vectors;
use crate::cli::search::{Opened, Patience, opened};
use crate::config::Config;

/// A document of a set of questions.
#[derive(Debug)]
pub(super) struct Text {
    /// What the set calls it.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: String,
}

/// What a question is to be answered from. Questions that share the value share the index.
pub(super) enum Documents {
    /// Texts that the set itself brings.
    Texts(Vec<Rc<Text>>),
    /// Files and folders.
    Paths(Vec<PathBuf>),
}

/// Documents that can be searched, for as long as this lives.
pub(super) struct Searchable {
    pub(super) index: Arc<Index>,
    _library: Option<Opened>,
}

impl Documents {
    /// Indexes the documents as the server would.
    pub(super) fn open(
        &self,
        config: &Config,
        engine: &Arc<dyn Engine>,
        encoders: &Encoders,
    ) -> anyhow::Result<Searchable> {
        match self {
            Documents::Texts(texts) => {
                let index = Index::in_memory()?;
                let cut = |text: &Rc<Text>| text.cut(config, engine);
                let changes: Vec<Change> = texts.iter().map(cut).collect();
                if let Some(embedder) = &encoders.embedder {
                    let vectors = vectors::of_passages(&changes, &**embedder, None)?;
                    index.attach(Some(Arc::new(vectors)));
                }
                index.apply(changes, 1)?;
                Ok(Searchable {
                    index: Arc::new(index),
                    _library: None,
                })
            }
            Documents::Paths(paths) => {
                let library = opened(config, paths, engine, encoders, Patience::Long)?;
                Ok(Searchable {
                    index: library.library.index(library::DEFAULT_COLLECTION)?,
                    _library: Some(library),
                })
            }
        }
    }
}

impl Text {
    /// The text in passages, as the server cuts documents.
    pub(super) fn cut(&self, config: &Config, engine: &Arc<dyn Engine>) -> Change {
        let source = SourceDocument {
            file_id: &self.id,
            filename: &self.id,
            title: &self.title,
            text: &self.text,
            headings: &[],
            pages: &[],
            markdown: false,
        };
        let settings = PassageSettings {
            max_tokens: config.passages.tokens,
            overlap_tokens: config.passages.overlap_tokens,
            count_tokens: &|text| engine.count_tokens(text),
        };
        Change::Upsert {
            file_id: self.id.clone(),
            passages: retrieval::split(&source, &settings),
        }
    }

    /// The text as one passage, as search collections are judged.
    pub(super) fn whole(&self) -> Change {
        Change::Upsert {
            file_id: self.id.clone(),
            passages: vec![Passage {
                file_id: self.id.clone(),
                filename: String::new(),
                title: self.title.clone(),
                page: None,
                page_breaks: Vec::new(),
                gap: String::new(),
                heading: None,
                start: 0,
                end: self.text.len(),
                start_char: 0,
                text: self.text.clone(),
            }],
        }
    }
}
