//! One committed state of an index, and searching in it.

use tantivy::query::BooleanQuery;
use tantivy::schema::Value;
use tantivy::{DocAddress, Searcher, TantivyDocument};

use super::best::best;
use super::filter::Filter;
use super::nearness;
use super::ranking::{self, Ranking};
use super::schema::{Fields, language_code};
use super::storage::{Stamp, damage, storage_error};
use super::typing;
use crate::analysis::{Analyzer, Asked, Kind, Language, Sounds, Term, Token};
use crate::budget::Budget;
use crate::error::RetrievalError;
use crate::passage::Passage;
use crate::query::{Hit, Query};

/// Languages by which a query is stemmed: the most common ones of the collection.
const MAX_LANGUAGES: usize = 3;

/// A language with a smaller share of the passages than one in this many is an accident.
const MIN_LANGUAGE_SHARE: u64 = 20;

/// At least so many passages are looked at closely, and so many more than asked for: those that
/// hold the query's words near one another may come from further down.
const LEAST_CANDIDATES: usize = 50;
const CANDIDATE_MARGIN: usize = 20;

/// So many are fetched when each has to be read to see whether it is wanted.
const LEAST_CANDIDATES_TO_READ: usize = 1000;

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
            analyzer: Analyzer {
                latin,
                sounds: Sounds::None,
            },
        })
    }

    pub(super) fn search(&self, query: &Query) -> Result<Vec<Hit>, RetrievalError> {
        let tokens = self.tokens(&query.text, Sounds::OfQuery);
        let ranking = Ranking::new(&self.searcher, self.fields, &tokens).map_err(storage_error)?;
        let filter = Filter::new(&self.analyzer, self.fields, query);
        let candidates =
            |words| self.candidates(words, &filter, query.top_k, query.budget.as_ref());
        let mut found = candidates(ranking.query())?;
        if found.is_empty()
            && let Some(near) = typing::nearly(self.fields.body, &tokens)
        {
            found = candidates(near)?;
        }
        nearness::add(
            &self.searcher,
            self.fields.body,
            ranking.terms(),
            is_one_subject(&tokens),
            &mut found,
        )
        .map_err(storage_error)?;
        for (score, _) in &mut found {
            *score = (*score / SCORE_STEP).round() * SCORE_STEP;
        }
        found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let mut hits: Vec<Hit> = Vec::new();
        for (score, address) in found {
            // Equals of the last one that is wanted are read too: which of them is wanted is
            // decided by what is stored.
            let last = hits.get(query.top_k - 1).map_or(score, |hit| hit.bm25);
            if score < last {
                break;
            }
            let hit = self.hit(&ranking, score, address)?;
            if filter.allows(&hit.passage) {
                hits.push(hit);
            }
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

    /// Whether a passage holds the phrases that `query` wants and none of the words it excludes.
    pub(super) fn allows(&self, query: &Query, passage: &Passage) -> bool {
        Filter::new(&self.analyzer, self.fields, query).allows(passage)
    }

    /// The passages that match best by words alone, with their scores.
    fn candidates(
        &self,
        words: BooleanQuery,
        filter: &Filter,
        top_k: usize,
        budget: Option<&Budget>,
    ) -> Result<Vec<(f32, DocAddress)>, RetrievalError> {
        let least = if filter.reads_passages() {
            LEAST_CANDIDATES_TO_READ
        } else {
            LEAST_CANDIDATES
        };
        let most = least.max(top_k + CANDIDATE_MARGIN);
        best(&self.searcher, &filter.around(words), most, budget).map_err(storage_error)
    }

    pub(super) fn terms(&self, text: &str) -> Vec<Term> {
        let tokens = self.tokens(text, Sounds::OfPassage).into_iter();
        let telling = tokens.filter(|token| is_telling(token.kind));
        telling.map(|token| token.term).collect()
    }

    pub(super) fn asked(&self, question: &str) -> Vec<Asked> {
        let tokens = self.tokens(question, Sounds::OfQuery);
        // A dictionary that cannot be read will fail the search.
        let wanted = ranking::wanted(&self.searcher, self.fields, &tokens).unwrap_or_default();
        let telling = wanted.into_iter().filter(|token| is_telling(token.kind));
        let asked = telling.map(|token| Asked {
            otherwise: matches!(token.kind, Kind::Sound | Kind::Written),
            term: token.term.clone(),
        });
        asked.collect()
    }

    fn tokens(&self, text: &str, sounds: Sounds) -> Vec<Token> {
        let analyzer = Analyzer {
            sounds,
            ..self.analyzer.clone()
        };
        analyzer.tokens(text)
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
        Ok(Hit {
            passage,
            score: ranking.share(bm25),
            bm25,
            cosine: None,
        })
    }
}

/// What only inflection or grammar adds would keep two wordings of one fact apart.
fn is_telling(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Surface | Kind::Inflected | Kind::Ending | Kind::Everyday
    )
}

/// A run with more terms is no word, but a sentence in a script without spaces.
const MOST_TERMS_OF_A_WORD: usize = 8;

/// Whether a question has one word that carries meaning: "What is X?"
fn is_one_subject(tokens: &[Token]) -> bool {
    let telling = tokens.iter().filter(|token| token.kind != Kind::Everyday);
    let positions: Vec<u32> = telling.map(|token| token.position).collect();
    let is_one = positions.windows(2).all(|pair| pair[0] == pair[1]);
    is_one && (1..=MOST_TERMS_OF_A_WORD).contains(&positions.len())
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
