//! Which passages may be found at all, whatever their score.

use tantivy::Term;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::schema::Fields;
use crate::analysis::{Analyzer, Kind, Token, folded};
use crate::passage::Passage;

/// What a query says of files, phrases and excluded words.
pub(super) struct Filter {
    clauses: Vec<(Occur, Box<dyn Query>)>,
    /// As [`folded`]; the index only tells which passages may hold them.
    phrases: Vec<String>,
    excluded_phrases: Vec<String>,
}

impl Filter {
    pub(super) fn new(analyzer: &Analyzer, fields: Fields, query: &crate::Query) -> Filter {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        if let Some(files) = &query.files {
            let term = |file: &String| Term::from_field_text(fields.file_id, file);
            clauses.push((
                Occur::Must,
                unscored(TermSetQuery::new(files.iter().map(term))),
            ));
        }
        for phrase in &query.phrases {
            for run in runs(&analyzer.tokens(phrase)) {
                clauses.push((Occur::Must, unscored(holds(fields.body, run))));
            }
        }
        let is_phrase = |text: &&String| text.trim().contains(char::is_whitespace);
        for word in query.excluded.iter().filter(|text| !is_phrase(text)) {
            let all = runs(&analyzer.tokens(word))
                .map(|run| (Occur::Must, holds(fields.body, run)))
                .collect::<Vec<_>>();
            if !all.is_empty() {
                clauses.push((Occur::MustNot, Box::new(BooleanQuery::new(all))));
            }
        }
        Filter {
            clauses,
            phrases: query.phrases.iter().map(|text| folded(text)).collect(),
            excluded_phrases: query
                .excluded
                .iter()
                .filter(is_phrase)
                .map(|text| folded(text))
                .collect(),
        }
    }

    /// Passages have to be read before it is known whether they may be found.
    pub(super) fn reads_passages(&self) -> bool {
        !self.phrases.is_empty() || !self.excluded_phrases.is_empty()
    }

    /// The query for `words`, among the passages that may be found.
    pub(super) fn around(&self, words: BooleanQuery) -> BooleanQuery {
        if self.clauses.is_empty() {
            return words;
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(words))];
        let filters = self.clauses.iter();
        clauses.extend(filters.map(|(occur, query)| (*occur, query.box_clone())));
        BooleanQuery::new(clauses)
    }

    /// Whether the text, or what stands above it, holds the phrases that are wanted and none that
    /// is not.
    pub(super) fn allows(&self, passage: &Passage) -> bool {
        if !self.reads_passages() {
            return true;
        }
        let heading = passage.heading.as_deref().unwrap_or_default();
        let text = folded(&format!("{}\n{heading}\n{}", passage.title, passage.text));
        self.phrases.iter().all(|phrase| text.contains(phrase))
            && !self
                .excluded_phrases
                .iter()
                .any(|phrase| text.contains(phrase))
    }
}

fn unscored(query: impl Query) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

/// The tokens of each run.
fn runs(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.chunk_by(|a, b| a.position == b.position)
}

/// Passages that hold the run in any of its forms; or, of a run that is indexed in pairs and may
/// stand within a longer one, all of its pairs.
fn holds(body: Field, run: &[Token]) -> Box<dyn Query> {
    let is_pair = |token: &&Token| matches!(token.kind, Kind::Gram | Kind::Ending);
    let (occur, tokens): (_, Vec<&Token>) = match run.iter().any(|token| is_pair(&token)) {
        true => (Occur::Must, run.iter().filter(is_pair).collect()),
        false => (Occur::Should, run.iter().collect()),
    };
    let clause = |token: &Token| -> (Occur, Box<dyn Query>) {
        let term = Term::from_field_text(body, &token.term.text);
        (
            occur,
            Box::new(TermQuery::new(term, IndexRecordOption::Basic)),
        )
    };
    Box::new(BooleanQuery::new(tokens.into_iter().map(clause).collect()))
}
