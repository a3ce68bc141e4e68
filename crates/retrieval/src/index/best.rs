//! The best passages for a query, found segment after segment.
//!
//! Tantivy's own collector begins every segment anew. Here what was found in one is the mark that
//! passages of the next have to reach, so that most of them are skipped unread; and the clock is
//! looked at in between.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{DocAddress, Score, Searcher};

use crate::budget::Budget;

/// A passage with its score, ordered by it; of equals the first is the best.
#[derive(PartialEq)]
struct Scored(Score, Reverse<DocAddress>);

impl Eq for Scored {}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_score = self.0.total_cmp(&other.0);
        by_score.then_with(|| self.1.cmp(&other.1))
    }
}

/// The `most` best passages, in no order. When the budget is spent, those of the segments that were
/// looked at until then.
pub(super) fn best(
    searcher: &Searcher,
    query: &dyn Query,
    most: usize,
    budget: Option<&Budget>,
) -> tantivy::Result<Vec<(Score, DocAddress)>> {
    let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
    let mut found = BinaryHeap::with_capacity(most + 1);
    // The largest one sets the highest mark.
    let mut segments: Vec<_> = (0..).zip(searcher.segment_readers()).collect();
    segments.sort_by_key(|(_, reader)| Reverse(reader.max_doc()));
    for (segment, _) in segments {
        if budget.is_some_and(Budget::is_spent) {
            break;
        }
        add_segment(searcher, &*weight, segment, most, &mut found)?;
    }
    let scored = found.into_iter();
    Ok(scored
        .map(|Reverse(Scored(score, Reverse(at)))| (score, at))
        .collect())
}

fn add_segment(
    searcher: &Searcher,
    weight: &dyn Weight,
    segment: u32,
    most: usize,
    found: &mut BinaryHeap<Reverse<Scored>>,
) -> tantivy::Result<()> {
    let reader = searcher.segment_reader(segment);
    let deleted = reader.alive_bitset();
    let mark = |found: &BinaryHeap<Reverse<Scored>>| match found.peek() {
        Some(Reverse(Scored(worst, _))) if found.len() >= most => *worst,
        _ => Score::MIN,
    };
    weight.for_each_pruning(mark(found), reader, &mut |doc, score| {
        if deleted.is_none_or(|alive| alive.is_alive(doc)) {
            let address = DocAddress::new(segment, doc);
            found.push(Reverse(Scored(score, Reverse(address))));
            if found.len() > most {
                found.pop();
            }
        }
        mark(found)
    })
}
