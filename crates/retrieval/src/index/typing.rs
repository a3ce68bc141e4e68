//! A second try for words that occur nowhere: they may be typing errors.

use tantivy::Term;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Occur, Query};
use tantivy::schema::Field;

use crate::analysis::{Kind, Token};

/// Shorter words have too many neighbours.
const MIN_CHARS: usize = 5;

/// From this length on two errors are forgiven.
const CHARS_FOR_TWO: usize = 8;

/// Each costs a walk through the dictionary of terms.
const MAX_WORDS: usize = 8;

/// Passages with a word that differs from one of the query's by a letter or two; `None` when no
/// word is long enough to tell. Words with digits in them are names and numbers: one that is
/// nearly right is another one.
pub(super) fn nearly(body: Field, tokens: &[Token]) -> Option<BooleanQuery> {
    let long = tokens.iter().filter(|token| {
        let is_whole = matches!(token.kind, Kind::Word | Kind::Surface | Kind::Bare);
        let is_exact = token.term.text.chars().any(char::is_numeric);
        is_whole && !is_exact && token.term.text.chars().count() >= MIN_CHARS
    });
    let clauses: Vec<(Occur, Box<dyn Query>)> = long
        .take(MAX_WORDS)
        .map(|token| {
            let two = token.term.text.chars().count() >= CHARS_FOR_TWO;
            let term = Term::from_field_text(body, &token.term.text);
            let fuzzy = FuzzyTermQuery::new(term, if two { 2 } else { 1 }, true);
            let fuzzy: Box<dyn Query> = Box::new(fuzzy);
            (Occur::Should, fuzzy)
        })
        .collect();
    (!clauses.is_empty()).then(|| BooleanQuery::new(clauses))
}
