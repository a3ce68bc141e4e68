//! Words and meaning put together: one order and one score from two.

use crate::meaning::LEAST_COVERAGE;
use crate::query::Hit;

/// How the two are put together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fusion {
    /// Both scores on one scale, added up with weights that were measured.
    #[default]
    Calibrated,
    /// Reciprocal rank fusion: by the places in the two orders alone.
    ReciprocalRank {
        /// What a place in the order by meaning counts, at least 0.
        embedding_weight: f32,
        /// What a place in the order by words counts, at least 0.
        text_weight: f32,
    },
}

/// A passage that either way found.
pub(crate) struct Candidate {
    /// With the score of its words, 0 when they were not found.
    pub(crate) hit: Hit,
    /// Its place in the order by words, from 0.
    pub(crate) word_rank: Option<usize>,
    /// Its place in the order by meaning, from 0.
    pub(crate) dense_rank: Option<usize>,
    /// How far its cosine lies above the collection's mean, in standard deviations.
    pub(crate) surprise: Option<f32>,
}

/// The constant of reciprocal rank fusion, after Cormack et al. 2009.
const RANK_CONSTANT: f32 = 60.0;

/// What meaning counts beside words, when the model knows the query's language.
const DENSE_WEIGHT: f32 = 0.4;

/// The surprise that counts as a half.
const HALF: f32 = 4.0;
const SLOPE: f32 = 1.5;

/// Hits in the order of their fused scores.
pub(crate) fn fuse(candidates: Vec<Candidate>, fusion: Fusion, coverage: f32) -> Vec<Hit> {
    let weight = DENSE_WEIGHT * trust(coverage);
    let least = candidates.iter().filter_map(|candidate| candidate.surprise);
    let least = likeness(least.fold(f32::MAX, f32::min));
    let score = |candidate: &Candidate| match fusion {
        Fusion::Calibrated => {
            // A passage without a vector is taken for the least alike of the candidates.
            let alike = candidate.surprise.map_or(least, likeness);
            (1.0 - weight) * candidate.hit.score + weight * alike
        }
        Fusion::ReciprocalRank {
            embedding_weight,
            text_weight,
        } => {
            let embedding_weight = embedding_weight * trust(coverage);
            let share = |rank: Option<usize>| {
                rank.map_or(0.0, |rank| RANK_CONSTANT / (RANK_CONSTANT + rank as f32))
            };
            let sum = embedding_weight * share(candidate.dense_rank)
                + text_weight * share(candidate.word_rank);
            sum / (embedding_weight + text_weight).max(f32::MIN_POSITIVE)
        }
    };
    let mut scored: Vec<_> = candidates
        .into_iter()
        .map(|candidate| {
            let score = score(&candidate).clamp(0.0, 1.0);
            Hit {
                score,
                ..candidate.hit
            }
        })
        .collect();
    sort(&mut scored);
    scored
}

/// Hits in the order of their likeness in meaning.
pub(crate) fn by_meaning(candidates: Vec<Candidate>) -> Vec<Hit> {
    let mut hits: Vec<_> = candidates
        .into_iter()
        .map(|candidate| Hit {
            score: candidate.surprise.map_or(0.0, likeness),
            ..candidate.hit
        })
        .collect();
    sort(&mut hits);
    hits
}

fn sort(hits: &mut [Hit]) {
    hits.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score
            .then_with(|| a.passage.file_id.cmp(&b.passage.file_id))
            .then(a.passage.start.cmp(&b.passage.start))
    });
}

/// How alike in meaning passage and query are, 0 to 1.
fn likeness(surprise: f32) -> f32 {
    1.0 / (1.0 + (-(surprise - HALF) / SLOPE).exp())
}

/// How much a vector says of a query of which the model has words for this share.
fn trust(coverage: f32) -> f32 {
    ((coverage - LEAST_COVERAGE) / (1.0 - LEAST_COVERAGE)).clamp(0.0, 1.0)
}
