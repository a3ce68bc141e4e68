//! The ways of searching that are measured, and the models each needs.

use anyhow::bail;
use clap::ValueEnum;
use rag::{Encoders, Method};

/// A way of searching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// By words
    Lexical,
    /// By meaning; needs an embedder
    Dense,
    /// By words and by meaning; needs an embedder
    Hybrid,
    /// The best of all that, ordered again; needs a reranker
    Reranked,
}

impl Mode {
    /// The `chosen` ways, or all for which there are models.
    ///
    /// # Errors
    ///
    /// Names the first way whose model is missing, and the flag that brings it.
    pub(super) fn all(chosen: &[Mode], encoders: &Encoders) -> anyhow::Result<Vec<Mode>> {
        if chosen.is_empty() {
            let all = Mode::value_variants().iter().copied();
            return Ok(all.filter(|mode| mode.lacks(encoders).is_none()).collect());
        }
        for mode in chosen {
            if let Some((model, flag)) = mode.lacks(encoders) {
                bail!(
                    "{} search needs {model}: name it with {flag} PATH",
                    mode.name()
                );
            }
        }
        Ok(chosen.to_vec())
    }

    /// As it is called in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Lexical => "lexical",
            Mode::Dense => "dense",
            Mode::Hybrid => "hybrid",
            Mode::Reranked => "reranked",
        }
    }

    /// Whether vectors are part of it, if there are any.
    pub(super) fn reads_vectors(self) -> bool {
        self != Mode::Lexical
    }

    /// What searches in this way, of all that there is.
    pub(super) fn encoders(self, all: &Encoders) -> Encoders {
        let reranker = all.reranker.clone();
        Encoders {
            reranker: reranker.filter(|_| self == Mode::Reranked),
            ..all.clone()
        }
    }

    /// How passages are found in this way. Without an embedder a hybrid search goes by words.
    pub(super) fn method(self) -> Method {
        let mode = match self {
            Mode::Lexical => retrieval::Mode::Lexical,
            Mode::Dense => retrieval::Mode::Dense,
            Mode::Hybrid | Mode::Reranked => retrieval::Mode::Hybrid,
        };
        Method {
            mode,
            ..Method::default()
        }
    }

    fn lacks(self, encoders: &Encoders) -> Option<(&'static str, &'static str)> {
        match self {
            Mode::Dense | Mode::Hybrid if encoders.embedder.is_none() => {
                Some(("an embedder", "--embedder"))
            }
            Mode::Reranked if encoders.reranker.is_none() => Some(("a reranker", "--reranker")),
            _ => None,
        }
    }
}
