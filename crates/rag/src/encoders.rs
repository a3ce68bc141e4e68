//! Searching with all that is there: words, an embedder, a reranker.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Embedder, EngineError, Reranker, Side, fitting_pieces};
use retrieval::{Budget, Fusion, Hit, Index, LEAST_COVERAGE, Meaning, Mode, Query};

use crate::error::RagError;

/// The most passages that one search may put before the reranker.
pub const MAX_RERANK_CANDIDATES: usize = 200;

/// Models that help to find passages; each may be absent.
#[derive(Clone, Default)]
pub struct Encoders {
    /// Turns queries into vectors.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Tells of sentences whether they answer.
    pub reader: Option<Arc<dyn Reranker>>,
    /// Orders what was found again.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// How much of that it does.
    pub rerank: RerankSettings,
    /// How long a search may take, reranking aside; see [`Evidence::cut_short`](crate::Evidence).
    pub time: SearchTime,
    /// How different the passages for an answer are to be when the question does not say, see
    /// [`Method::diversity`].
    pub diversity: f32,
}

/// How long a search may take, reranking aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchTime(pub Duration);

impl SearchTime {
    /// The budget of a search that begins now.
    pub fn begin(self) -> Budget {
        Budget::of(self.0)
    }
}

impl Default for SearchTime {
    fn default() -> Self {
        Self(Duration::from_secs(2))
    }
}

/// How much a reranker does for one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RerankSettings {
    /// The passages it reads, the best ones, 1 to [`MAX_RERANK_CANDIDATES`].
    pub candidates: usize,
    /// It begins no further passage after this time.
    pub budget: Duration,
}

/// By what passages are found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Method {
    /// By words, by meaning, or both.
    pub mode: Mode,
    /// How words and meaning are put together.
    pub fusion: Fusion,
    /// How much it counts, 0 to 1, that the passages for an answer say different things; 0 takes
    /// the best ones. `None` leaves it to [`Encoders::diversity`].
    pub diversity: Option<f32>,
}

/// Passages that are reranked in one go; the clock is looked at in between.
const RERANKED_TOGETHER: usize = 4;

/// A query that leaves passages less than this part of what the reranker reads is not reranked:
/// they would be read in shreds, each with the whole query before it.
const LEAST_ROOM: usize = 4;

impl Default for RerankSettings {
    fn default() -> Self {
        Self {
            candidates: 30,
            budget: Duration::from_secs(1),
        }
    }
}

impl Encoders {
    /// The best passages for `query` in all `indexes`, best first, each passage once.
    ///
    /// # Errors
    ///
    /// [`RagError::Invalid`] for a search by meaning without an embedder,
    /// [`RagError::NotEmbedded`] while the vectors are still being made; else what search and
    /// models report.
    pub fn search(
        &self,
        indexes: &[Arc<Index>],
        query: &Query,
        method: Method,
    ) -> Result<Vec<Hit>, RagError> {
        let wanted = match self.reranker {
            Some(_) => query.top_k.max(self.rerank.candidates),
            None => query.top_k,
        };
        let wide = Query {
            top_k: wanted,
            ..query.clone()
        };
        let mut hits = Vec::new();
        match (method.mode, self.meaning(&query.text, method.mode)?) {
            (Mode::Lexical, _) | (Mode::Hybrid, None) => {
                for index in indexes {
                    hits.extend(index.search(&wide)?);
                }
            }
            (Mode::Hybrid, Some(meaning)) => {
                for index in indexes {
                    hits.extend(index.search_hybrid(&wide, &meaning, method.fusion)?);
                }
            }
            (Mode::Dense, None) => return Err(no_embedder()),
            (Mode::Dense, Some(meaning)) => {
                for index in indexes {
                    if !index.vectors().is_some_and(|vectors| vectors.is_complete()) {
                        return Err(RagError::NotEmbedded);
                    }
                    hits.extend(index.search_dense(&wide, &meaning)?);
                }
            }
        }
        let mut hits = merged(hits, wanted);
        if let Some(reranker) = &self.reranker {
            self.rerank(&**reranker, &query.text, &mut hits)?;
        }
        hits.truncate(query.top_k);
        Ok(hits)
    }

    /// What the embedder makes of a query; `None` without one, when it is not wanted or says
    /// nothing, or when more wait for it than may and words can do without.
    fn meaning(&self, text: &str, mode: Mode) -> Result<Option<Meaning>, RagError> {
        let Some(embedder) = self.embedder.as_ref().filter(|_| mode != Mode::Lexical) else {
            return Ok(None);
        };
        let coverage = embedder.coverage(text);
        if mode == Mode::Hybrid && coverage <= LEAST_COVERAGE {
            return Ok(None);
        }
        let fits = |piece: &str| embedder.count_tokens(piece) <= embedder.model().max_tokens;
        let pieces = fitting_pieces(text, &fits);
        if pieces.is_empty() {
            return Ok(None);
        }
        let vectors = match embedder.embed(&pieces, Side::Query) {
            Err(EngineError::Busy { .. }) if mode == Mode::Hybrid => return Ok(None),
            embedded => embedded?,
        };
        let mut vector = vec![0.0; embedder.model().dimensions];
        for piece in &vectors {
            vector.iter_mut().zip(piece).for_each(|(sum, x)| *sum += x);
        }
        Ok(Some(Meaning { vector, coverage }))
    }

    /// Puts the best hits in the order of the reranker's scores, as far as it comes within its
    /// time. Those it did not come to stay behind them in their order; all do when the query
    /// leaves it no room for passages.
    fn rerank(
        &self,
        reranker: &dyn Reranker,
        query: &str,
        hits: &mut [Hit],
    ) -> Result<(), RagError> {
        // Each text counts the tokens around it; a pair has hardly more around it than both.
        let most_tokens = reranker.max_tokens();
        let room = most_tokens.saturating_sub(reranker.count_tokens(query));
        if room < most_tokens / LEAST_ROOM {
            return Ok(());
        }
        let deadline = Instant::now() + self.rerank.budget;
        let most = hits.len().min(self.rerank.candidates);
        let mut read = 0;
        for group in hits[..most].chunks_mut(RERANKED_TOGETHER) {
            if read > 0 && Instant::now() >= deadline {
                break;
            }
            let texts: Vec<String> = group.iter().map(|hit| hit.passage.in_context()).collect();
            let scores = scores(reranker, query, room, &texts)?;
            for (hit, score) in group.iter_mut().zip(scores) {
                hit.score = probability(score);
            }
            read += group.len();
        }
        let (reranked, rest) = hits.split_at_mut(read);
        reranked.sort_by(|one, other| other.score.total_cmp(&one.score));
        // Scores go down along the list, also where two kinds of them meet.
        let mut least = reranked.last().map_or(1.0, |hit| hit.score);
        for hit in rest {
            least = least.min(hit.score);
            hit.score = least;
        }
        Ok(())
    }
}

/// The score of each passage: that of its best piece, where it does not fit whole.
fn scores(
    reranker: &dyn Reranker,
    query: &str,
    room: usize,
    passages: &[String],
) -> Result<Vec<f32>, EngineError> {
    let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
    match reranker.rerank(query, &texts) {
        Err(EngineError::PromptTooLong { .. }) => (),
        scored => return scored,
    }
    let best = |passage: &&str| -> Result<f32, EngineError> {
        let pieces = fitting_pieces(passage, &|piece| reranker.count_tokens(piece) <= room);
        let scores = reranker.rerank(query, &pieces)?;
        Ok(scores.into_iter().fold(f32::MIN, f32::max))
    };
    texts.iter().map(best).collect()
}

/// A reranker's score from 0 to 1, as its training means it.
pub fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

fn no_embedder() -> RagError {
    RagError::Invalid {
        param: "retrieval.mode",
        message: "a search by meaning alone needs an embedder: set retrieval.embedder in the \
                  configuration to \"built-in\" or a folder, or start without --embedder none"
            .into(),
    }
}

/// The best `top_k`, each passage once though it may be in several collections.
fn merged(mut hits: Vec<Hit>, top_k: usize) -> Vec<Hit> {
    hits.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    let mut best: Vec<Hit> = Vec::new();
    for hit in hits {
        let is_same = |other: &Hit| {
            other.passage.file_id == hit.passage.file_id && other.passage.start == hit.passage.start
        };
        if best.len() < top_k && !best.iter().any(is_same) {
            best.push(hit);
        }
    }
    best
}
