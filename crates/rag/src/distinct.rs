//! Passages that say the same thing once.

use std::sync::Arc;

use retrieval::{Hit, Index};

use crate::lexicon::{Lexicon, Vocabulary};

/// Passages share this part of their terms when they are copies but for a date or a number.
const COPY: f32 = 0.9;

/// So many times as many are found as are wanted, to choose different ones from.
pub const CHOICE: usize = 4;

/// `most` of the hits of a search in `indexes`, of which each says something else than those before
/// it: what it shares with one counts against it as much as `diversity` says, 0 to 1.
pub fn diverse_hits(
    indexes: &[Arc<Index>],
    hits: Vec<Hit>,
    most: usize,
    diversity: f32,
) -> Vec<Hit> {
    distinct(hits, &Lexicon::new(indexes), most, diversity)
}

/// The first `most` hits that are no copies of better ones. Copies take the model's room and the
/// reader's time, and say nothing new.
///
/// With `diversity` above 0, to 1, what a hit shares with those before it counts against it
/// (maximal marginal relevance, Carbonell and Goldstein 1998).
pub(crate) fn distinct(hits: Vec<Hit>, lexicon: &Lexicon, most: usize, diversity: f32) -> Vec<Hit> {
    let candidates = hits.into_iter().map(|hit| Candidate::new(hit, lexicon));
    let kept = match diversity > 0.0 {
        true => diverse(candidates.collect(), most, diversity),
        false => in_order(candidates, most),
    };
    kept.into_iter().map(|candidate| candidate.hit).collect()
}

/// The first ones that are no copies; no more are looked at than it takes.
fn in_order(candidates: impl Iterator<Item = Candidate>, most: usize) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let is_copy = |other: &Candidate| shared(&candidate.terms, &other.terms) >= COPY;
        if !kept.iter().any(is_copy) {
            kept.push(candidate);
        }
        if kept.len() >= most {
            break;
        }
    }
    kept
}

fn diverse(mut rest: Vec<Candidate>, most: usize, diversity: f32) -> Vec<Candidate> {
    let top = rest.first().map_or(0.0, |first| first.hit.score);
    let mut kept: Vec<Candidate> = Vec::new();
    while kept.len() < most {
        rest.retain(|candidate| candidate.shared < COPY);
        let worth = |candidate: &Candidate| {
            let relevance = candidate.hit.score / top.max(f32::MIN_POSITIVE);
            (1.0 - diversity) * relevance - diversity * candidate.shared
        };
        // Of equals the first.
        let backwards = (0..rest.len()).rev();
        let best = backwards.max_by(|a, b| worth(&rest[*a]).total_cmp(&worth(&rest[*b])));
        let Some(best) = best else { break };
        let next = rest.remove(best);
        for candidate in &mut rest {
            candidate.shared = candidate.shared.max(shared(&candidate.terms, &next.terms));
        }
        kept.push(next);
    }
    kept
}

/// A hit that is not chosen yet.
struct Candidate {
    hit: Hit,
    terms: Vocabulary,
    /// The most that it has in common with a hit that was chosen.
    shared: f32,
}

impl Candidate {
    fn new(hit: Hit, lexicon: &Lexicon) -> Self {
        Self {
            terms: lexicon.vocabulary(&hit.passage.text),
            hit,
            shared: 0.0,
        }
    }
}

/// The share of all terms that both have (Jaccard).
fn shared(one: &Vocabulary, other: &Vocabulary) -> f32 {
    let both = one.intersection(other).count();
    let all = one.len() + other.len() - both;
    if all == 0 {
        0.0
    } else {
        both as f32 / all as f32
    }
}
