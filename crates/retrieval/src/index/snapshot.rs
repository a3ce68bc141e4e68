//! One committed state of an index, and searching in it.

use tantivy::collector::TopDocs;
use tantivy::schema::Value;
use tantivy::{DocAddress, Searcher, TantivyDocument};

use super::ranking::{self, Ranking};
use super::schema::{Fields, language_code};
use super::storage::{Stamp, damage, storage_error};
use crate::analysis::{Analyzer, Kind, Language, Term};
use crate::error::RetrievalError;
use crate::passage::Passage;
use crate::query::{Hit, Query};

/// Languages by which a query is stemmed: the most common ones of the collection.
const MAX_LANGUAGES: usize = 3;

/// A language with a smaller share of the passages than one in this many is an accident.
const MIN_LANGUAGE_SHARE: u64 = 20;

/// So many more passages than asked for are ranked, for the order of equal scores at the cut.
const TIE_MARGIN: usize = 32;

/// Scores closer than this are equal: they differ by the order in which floats were added.
const SCORE_STEP: f32 = 1e-4;

pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) generation: u64,
    fields: Fields,
    analyzer: Analyzer,
}

impl Snapshot {
    pub(super) fn new(
        searcher: Searcher,
        fields: Fields,
        stamp: Stamp,
    ) -> Result<Snapshot, RetrievalError> {
        let latin = languages(&searcher, fields)?;
        Ok(Snapshot {
            searcher,
            generation: stamp.generation,
            fields,
            analyzer: Analyzer { latin },
        })
    }

    pub(super) fn search(&self, query: &Query) -> Result<Vec<Hit>, RetrievalError> {
        let tokens = self.analyzer.tokens(&query.text);
        let ranking = Ranking::new(&self.searcher, self.fields, &tokens).map_err(storage_error)?;
        let collector = TopDocs::with_limit(query.top_k + TIE_MARGIN).order_by_score();
        let found = self
            .searcher
            .search(&ranking.query(), &collector)
            .map_err(storage_error)?;
        let mut hits = Vec::with_capacity(found.len());
        for (bm25, address) in found {
            hits.push(self.hit(&ranking, bm25, address)?);
        }
        hits.sort_by(|a, b| {
            let by_score = b.bm25.total_cmp(&a.bm25);
            let by_file = || a.passage.file_id.cmp(&b.passage.file_id);
            by_score
                .then_with(by_file)
                .then(a.passage.start.cmp(&b.passage.start))
        });
        hits.truncate(query.top_k);
        Ok(hits)
    }

    pub(super) fn terms(&self, text: &str) -> Vec<Term> {
        let tokens = self.analyzer.tokens(text).into_iter();
        // What only inflection or grammar adds would keep two wordings of one fact apart.
        let telling = |kind| !matches!(kind, Kind::Surface | Kind::Ending | Kind::Everyday);
        tokens
            .filter(|token| telling(token.kind))
            .map(|token| token.term)
            .collect()
    }

    pub(super) fn idf(&self, term: &str) -> f32 {
        let count = ranking::document_count(&self.searcher);
        let term = tantivy::Term::from_field_text(self.fields.body, term);
        // A term dictionary that cannot be read will fail the next search; here, unknown is rare.
        ranking::idf(self.searcher.doc_freq(&term).unwrap_or(0), count)
    }

    fn hit(
        &self,
        ranking: &Ranking,
        bm25: f32,
        address: DocAddress,
    ) -> Result<Hit, RetrievalError> {
        let document: TantivyDocument = self.searcher.doc(address).map_err(storage_error)?;
        let stored = document.get_first(self.fields.passage);
        let json = stored
            .as_ref()
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        let passage: Passage = serde_json::from_str(json)
            .map_err(|error| damage(format!("a stored passage is unreadable: {error}")))?;
        let bm25 = (bm25 / SCORE_STEP).round() * SCORE_STEP;
        Ok(Hit {
            passage,
            score: ranking.share(bm25),
            bm25,
        })
    }
}

/// The languages of the collection, most common first; English for an empty one.
fn languages(searcher: &Searcher, fields: Fields) -> Result<Vec<Language>, RetrievalError> {
    let mut counted = Vec::new();
    for language in Language::all_latin() {
        let code = language_code(Some(language));
        let term = tantivy::Term::from_field_text(fields.language, code);
        let count = searcher.doc_freq(&term).map_err(storage_error)?;
        if count > 0 && count * MIN_LANGUAGE_SHARE >= searcher.num_docs() {
            counted.push((count, language));
        }
    }
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counted.truncate(MAX_LANGUAGES);
    if searcher.num_docs() == 0 {
        return Ok(vec![Language::English]);
    }
    Ok(counted.into_iter().map(|(_, language)| language).collect())
}
