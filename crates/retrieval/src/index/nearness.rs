//! What BM25 does not see: that the words of a query stand near one another, and near the top.
//!
//! A passage that answers a question seldom scatters its words over the whole text. For the best
//! candidates the positions of the terms are read, and the weightiest window of the passage is
//! added to its score (Tao and Zhai 2007 compare such measures), as are the terms of its first
//! words, which say what it is about.

use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocSet, Searcher, Term};

use super::ranking::WeightedTerm;

/// Runs of a window: two or three sentences.
const WINDOW: u32 = 40;
/// What a window adds, of the worth of the distinct terms in it.
const WINDOW_SHARE: f32 = 0.5;

/// Runs that are the top of a passage, its title and headings among them.
const TOP: u32 = 20;
/// What the top adds, of what its terms would earn as a text of their own.
const TOP_SHARE: f32 = 0.2;

/// A question of one subject asks what it is, and the passage that opens with it says so: what the
/// first runs add then, and how many these are.
const OPENING: u32 = 3;
const OPENING_SHARE: f32 = 2.0;

/// BM25's k1, as in tantivy.
const K1: f32 = 1.2;

/// The most that is added, in units of the worth of all terms; the opening is extra.
pub(super) const MOST_PER_WORTH: f32 = WINDOW_SHARE + TOP_SHARE * (K1 + 1.0);

/// More positions of one term in one passage than this change nothing.
const MAX_POSITIONS: usize = 128;

/// A term of the query at a position of a passage.
#[derive(Clone, Copy)]
struct Place {
    position: u32,
    /// The place of the term among the terms.
    term: usize,
}

/// Adds to each score what the places of `terms` in the field are worth; `one_subject` when they are
/// forms of one word.
pub(super) fn add(
    searcher: &Searcher,
    field: Field,
    terms: &[WeightedTerm],
    one_subject: bool,
    found: &mut [(f32, DocAddress)],
) -> tantivy::Result<()> {
    let opening_share = if one_subject { OPENING_SHARE } else { 0.0 };
    found.sort_by_key(|(_, address)| *address);
    let worths: Vec<f32> = terms.iter().map(WeightedTerm::worth).collect();
    for of_segment in found.chunk_by_mut(|(_, a), (_, b)| a.segment_ord == b.segment_ord) {
        let places = places(searcher, field, terms, of_segment)?;
        for ((score, _), places) in of_segment.iter_mut().zip(places) {
            *score += WINDOW_SHARE * best_window(&places, &worths)
                + TOP_SHARE * top(&places, &worths, TOP)
                + opening_share * top(&places, &worths, OPENING);
        }
    }
    Ok(())
}

/// The places of the terms in each of the passages, which are of one segment and in its order.
fn places(
    searcher: &Searcher,
    field: Field,
    terms: &[WeightedTerm],
    found: &[(f32, DocAddress)],
) -> tantivy::Result<Vec<Vec<Place>>> {
    let mut places = vec![Vec::new(); found.len()];
    let Some((_, first)) = found.first() else {
        return Ok(places);
    };
    let inverted = searcher
        .segment_reader(first.segment_ord)
        .inverted_index(field)?;
    let mut positions = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let term = Term::from_field_text(field, &term.text);
        let option = IndexRecordOption::WithFreqsAndPositions;
        let Some(mut postings) = inverted.read_postings(&term, option)? else {
            continue;
        };
        for ((_, address), places) in found.iter().zip(&mut places) {
            let mut doc = postings.doc();
            if doc < address.doc_id {
                doc = postings.seek(address.doc_id);
            }
            if doc == address.doc_id {
                postings.positions(&mut positions);
                let positions = positions.iter().take(MAX_POSITIONS);
                places.extend(positions.map(|&position| Place { position, term: at }));
            }
        }
    }
    for places in &mut places {
        places.sort_by_key(|place| place.position);
    }
    Ok(places)
}

/// The most that the distinct terms of any window are worth together.
fn best_window(places: &[Place], worths: &[f32]) -> f32 {
    let mut counts = vec![0_u32; worths.len()];
    let mut first = 0;
    let (mut worth, mut best) = (0.0_f32, 0.0_f32);
    for place in places {
        counts[place.term] += 1;
        if counts[place.term] == 1 {
            worth += worths[place.term];
        }
        while places[first].position + WINDOW < place.position {
            let leaving = places[first].term;
            counts[leaving] -= 1;
            if counts[leaving] == 0 {
                worth -= worths[leaving];
            }
            first += 1;
        }
        best = best.max(worth);
    }
    best
}

/// What the terms in the first `runs` earn by BM25, if all tops are of one length.
fn top(places: &[Place], worths: &[f32], runs: u32) -> f32 {
    let mut counts = vec![0.0_f32; worths.len()];
    for place in places.iter().take_while(|place| place.position < runs) {
        counts[place.term] += 1.0;
    }
    let earned = counts.iter().zip(worths);
    earned
        .map(|(count, worth)| worth * count * (K1 + 1.0) / (count + K1))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: &[(u32, usize)]) -> Vec<Place> {
        let place = |&(position, term)| Place { position, term };
        all.iter().map(place).collect()
    }

    #[test]
    fn a_window_counts_each_term_once_and_none_that_left() {
        let worths = [1.0, 2.0, 4.0];
        let check = |all: &[(u32, usize)], expected: f32| {
            assert_eq!(best_window(&places(all), &worths), expected, "{all:?}");
        };
        check(&[], 0.0);
        check(&[(3, 0), (4, 0), (5, 1)], 3.0);
        check(&[(0, 0), (40, 1)], 3.0);
        check(&[(0, 0), (41, 1)], 2.0);
        check(&[(0, 2), (50, 0), (60, 1), (200, 2)], 4.0);
    }

    #[test]
    fn only_the_top_counts_as_such() {
        let worths = [1.0];
        assert_eq!(top(&places(&[(20, 0), (99, 0)]), &worths, TOP), 0.0);
        let once = top(&places(&[(0, 0)]), &worths, TOP);
        assert!((once - 1.0).abs() < 1e-6, "{once}");
    }
}
