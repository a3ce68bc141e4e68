//! From the terms of a query to a weighted sum of BM25.
//!
//! Every term is looked for in every field, and the sum of it all is one flat disjunction of term
//! queries, because that is the form in which tantivy can skip passages that cannot win.
//! The weights were chosen on 28 public question sets in thirteen languages (`ibid eval retrieval`);
//! none of them is critical, halving or doubling one moves little.

use std::collections::HashMap;

use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::nearness::MOST_PER_WORTH;
use super::schema::Fields;
use crate::analysis::{Kind, Token};

/// More terms than this would make a query slow and no better; the weightiest are kept.
const MAX_TERMS: usize = 64;

/// BM25's bound for one term in units of its idf: k1 + 1, with tantivy's k1.
const SATURATION: f32 = 2.2;

/// The body holds title and headings too, as the context a passage is read in. Meeting them in
/// their own fields is worth this much more.
const TITLE_BOOST: f32 = 0.6;
const HEADING_BOOST: f32 = 0.4;
const FILENAME_BOOST: f32 = 0.1;

/// A run of n pairs has n votes, so that one long word would outvote several short ones. Each pair
/// counts n to the power of minus this: 0 would give every pair a full vote, 1 every run.
const RUN_LENGTH_DISCOUNT: f32 = 0.35;

/// A query's terms, weighed against one state of an index.
pub(super) struct Ranking {
    clauses: Vec<Clause>,
    /// Heaviest first.
    terms: Vec<WeightedTerm>,
    /// The most that a body earns which holds every term without end, all of them together.
    reach: f32,
}

struct Clause {
    term: Term,
    weight: f32,
}

/// A distinct term of a query.
pub(super) struct WeightedTerm {
    pub(super) text: String,
    weight: f32,
    idf: f32,
    is_sound: bool,
}

impl WeightedTerm {
    /// What the term earns where it stands once in a passage of average length.
    pub(super) fn worth(&self) -> f32 {
        self.weight * self.idf
    }
}

impl Ranking {
    pub(super) fn new(
        searcher: &Searcher,
        fields: Fields,
        tokens: &[Token],
    ) -> tantivy::Result<Ranking> {
        let terms = weightiest(searcher, fields, tokens)?;
        let mut clauses = Vec::new();
        for term in &terms {
            for (field, boost) in boosts(fields, term.is_sound) {
                clauses.extend(clause(searcher, field, boost, term)?);
            }
        }
        // A word that another script may hold counts by its own letters alone.
        let words = terms.iter().filter(|term| !term.is_sound);
        let worth: f32 = words.map(WeightedTerm::worth).sum();
        Ok(Ranking {
            clauses,
            terms,
            reach: worth * (SATURATION + MOST_PER_WORTH),
        })
    }

    /// The query's terms, heaviest first.
    pub(super) fn terms(&self) -> &[WeightedTerm] {
        &self.terms
    }

    pub(super) fn query(&self) -> BooleanQuery {
        let clauses = self.clauses.iter().map(|clause| {
            let term = TermQuery::new(clause.term.clone(), IndexRecordOption::WithFreqs);
            let boosted: Box<dyn Query> = Box::new(BoostQuery::new(Box::new(term), clause.weight));
            (Occur::Should, boosted)
        });
        BooleanQuery::new(clauses.collect())
    }

    /// The documented score of a passage, see [`crate::Hit::score`].
    pub(super) fn share(&self, bm25: f32) -> f32 {
        if self.reach > 0.0 {
            (bm25 / self.reach).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// Passages that the statistics count, which includes those deleted but not yet merged away.
pub(super) fn document_count(searcher: &Searcher) -> u64 {
    let segments = searcher.segment_readers().iter();
    segments.map(|segment| u64::from(segment.max_doc())).sum()
}

/// BM25's inverse document frequency, above 0 for every term.
pub(super) fn idf(frequency: u64, count: u64) -> f32 {
    let absent = count.saturating_sub(frequency) as f32;
    (1.0 + (absent + 0.5) / (frequency as f32 + 0.5)).ln()
}

/// What a term of one kind counts. The pairs of a Korean run count in full where they lie within its
/// stem and less where they reach into its ending, which every other word shares: that keeps the
/// pairs of one word together without demanding all of them.
fn weight(kind: Kind) -> f32 {
    match kind {
        Kind::Word | Kind::Gram => 1.0,
        Kind::Stem => 0.8,
        Kind::Sound | Kind::Written => 0.6,
        Kind::Bare | Kind::Compound | Kind::Part => 0.5,
        Kind::Ending => 0.4,
        Kind::Surface => 0.3,
        Kind::Everyday => 0.15,
        // Its stem and its pairs say it better.
        Kind::Inflected => 0.0,
    }
}

fn boosts(fields: Fields, is_sound: bool) -> Vec<(Field, f32)> {
    if is_sound {
        return vec![(fields.sounds, 1.0)];
    }
    vec![
        (fields.body, 1.0),
        (fields.title, TITLE_BOOST),
        (fields.heading, HEADING_BOOST),
        (fields.filename, FILENAME_BOOST),
    ]
}

/// The distinct terms, heaviest first; one that the query repeats counts as often.
fn weightiest(
    searcher: &Searcher,
    fields: Fields,
    tokens: &[Token],
) -> tantivy::Result<Vec<WeightedTerm>> {
    let count = document_count(searcher);
    let pairs = pairs_of_runs(tokens);
    let mut weights: HashMap<(&str, bool), f32> = HashMap::new();
    for token in wanted(searcher, fields, tokens)? {
        let discount = match (token.kind, pairs.get(&token.position)) {
            (Kind::Gram, Some(pairs)) => pairs.powf(-RUN_LENGTH_DISCOUNT),
            _ => 1.0,
        };
        let is_sound = token.kind == Kind::Sound;
        let total = weights.entry((&token.term.text, is_sound)).or_default();
        *total += weight(token.kind) * discount;
    }
    let mut terms = Vec::with_capacity(weights.len());
    for ((text, is_sound), weight) in weights {
        let field = if is_sound { fields.sounds } else { fields.body };
        let frequency = searcher.doc_freq(&Term::from_field_text(field, text))?;
        if is_sound && frequency == 0 {
            continue;
        }
        terms.push(WeightedTerm {
            text: text.to_owned(),
            weight,
            idf: idf(frequency, count),
            is_sound,
        });
    }
    terms.sort_by(|a, b| {
        let by_weight = (b.weight * b.idf).total_cmp(&(a.weight * a.idf));
        by_weight.then_with(|| a.text.cmp(&b.text))
    });
    terms.truncate(MAX_TERMS);
    Ok(terms)
}

/// The terms that are looked for.
pub(super) fn wanted<'a>(
    searcher: &Searcher,
    fields: Fields,
    tokens: &'a [Token],
) -> tantivy::Result<Vec<&'a Token>> {
    let frequencies = frequencies(searcher, fields, tokens)?;
    let mut wanted = Vec::with_capacity(tokens.len());
    for token in tokens {
        let own = frequencies.get(&token.position).copied().unwrap_or(0);
        if is_wanted(searcher, fields, token, own)? {
            wanted.push(token);
        }
    }
    Ok(wanted)
}

/// Whether a term is looked for; `own` passages hold the word at its position as it was asked for.
///
/// What a word sounds like could only put what is alike before what is the same; and what written
/// texts say instead is looked for where these texts say it more often.
fn is_wanted(
    searcher: &Searcher,
    fields: Fields,
    token: &Token,
    own: u64,
) -> tantivy::Result<bool> {
    match token.kind {
        Kind::Sound => Ok(own == 0),
        Kind::Written => {
            let term = Term::from_field_text(fields.body, &token.term.text);
            Ok(searcher.doc_freq(&term)? > own)
        }
        kind => Ok(weight(kind) > 0.0),
    }
}

/// How many passages hold the word at each position, in the most common of its forms.
fn frequencies(
    searcher: &Searcher,
    fields: Fields,
    tokens: &[Token],
) -> tantivy::Result<HashMap<u32, u64>> {
    let mut frequencies: HashMap<u32, u64> = HashMap::new();
    let is_word = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Stem | Kind::Bare);
    for token in tokens.iter().filter(is_word) {
        let term = Term::from_field_text(fields.body, &token.term.text);
        let frequency = searcher.doc_freq(&term)?;
        let most = frequencies.entry(token.position).or_default();
        *most = frequency.max(*most);
    }
    Ok(frequencies)
}

/// How many pairs the run at each position has.
fn pairs_of_runs(tokens: &[Token]) -> HashMap<u32, f32> {
    let mut pairs = HashMap::new();
    for token in tokens.iter().filter(|token| token.kind == Kind::Gram) {
        *pairs.entry(token.position).or_default() += 1.0;
    }
    pairs
}

/// `None` for a term that the field does not hold.
fn clause(
    searcher: &Searcher,
    field: Field,
    boost: f32,
    term: &WeightedTerm,
) -> tantivy::Result<Option<Clause>> {
    let weight = term.weight * boost;
    let term = Term::from_field_text(field, &term.text);
    let occurs = searcher.doc_freq(&term)? > 0;
    Ok(occurs.then_some(Clause { term, weight }))
}
