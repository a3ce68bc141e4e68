//! What is wrong with a configuration whose parts can be read.

use super::{Config, ConfigError};

impl Config {
    /// The configuration itself, if all numbers are in their ranges and all names known.
    pub(super) fn checked(self) -> Result<Config, ConfigError> {
        for model in [&self.model].into_iter().chain(&self.models) {
            within("model.workers", model.workers, 1, 64)?;
            within("model.running", model.running, 1, 256)?;
            within("model.queue", model.queue, 1, 4096)?;
            within("model.queue_tokens", model.queue_tokens, 1, 1 << 30)?;
            within("model.max_wait_s", model.max_wait_s, 1, 3600)?;
            within("model.kv_bytes", model.kv_bytes, 1_000_000, 1 << 44)?;
        }
        if self.models.iter().any(|model| model.path.is_none()) {
            return Err(ConfigError::NoPath);
        }
        within("passages.tokens", self.passages.tokens, 32, 4096)?;
        within(
            "passages.overlap_tokens",
            self.passages.overlap_tokens,
            0,
            self.passages.tokens / 2,
        )?;
        let retrieval = &self.retrieval;
        within("retrieval.encoder_queue", retrieval.encoder_queue, 1, 4096)?;
        within(
            "retrieval.rerank_candidates",
            retrieval.rerank_candidates,
            1,
            rag::MAX_RERANK_CANDIDATES,
        )?;
        within("retrieval.rerank_ms", retrieval.rerank_ms, 1, 60_000)?;
        within("retrieval.diversity", retrieval.diversity, 0.0, 1.0)?;
        within("answer.top_k", self.answer.top_k, 1, 50)?;
        within(
            "answer.evidence_floor",
            self.answer.evidence_floor,
            0.0,
            1.0,
        )?;
        within(
            "answer.citation_floor",
            self.answer.citation_floor,
            0.0,
            1.0,
        )?;
        within("answer.meaning_floor", self.answer.meaning_floor, 0.0, 2.0)?;
        within(
            "answer.citation_density",
            self.answer.citation_density,
            0.0,
            1.0,
        )?;
        self.check_profiles()?;
        within("answer.max_tokens", self.answer.max_tokens, 1, 1_000_000)?;
        within("answer.quote_sentences", self.answer.quote_sentences, 1, 20)?;
        within(
            "limits.body_bytes",
            self.limits.body_bytes,
            1_000,
            1_000_000_000,
        )?;
        within(
            "limits.upload_bytes",
            self.limits.upload_bytes,
            1_000,
            1_000_000_000,
        )?;
        within("limits.connections", self.limits.connections, 1, 65_536)?;
        within("limits.drain_s", self.limits.drain_s, 0, 3600)?;
        Ok(self)
    }

    /// Thresholds are in their range, and collections name profiles that there are.
    fn check_profiles(&self) -> Result<(), ConfigError> {
        for profile in &self.profiles {
            for (key, value) in [
                ("profiles.evidence_floor", profile.evidence_floor),
                ("profiles.citation_floor", profile.citation_floor),
                ("profiles.citation_density", profile.citation_density),
            ] {
                within(key, value.unwrap_or(0.0), 0.0, 1.0)?;
            }
        }
        let shipped = rag::Profile::shipped().into_iter();
        let configured = self.profiles.iter().map(|profile| profile.name.clone());
        let known = shipped.map(|profile| profile.name).chain(configured);
        let known = known.collect::<Vec<_>>();
        for collection in &self.collections {
            if let Some(wanted) = &collection.profile
                && !known.contains(wanted)
            {
                return Err(ConfigError::NoProfile {
                    collection: collection.name.clone(),
                    profile: wanted.clone(),
                    known: known.join(", "),
                });
            }
        }
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), ConfigError> {
    if value >= least && value <= most {
        return Ok(());
    }
    let (value, least, most) = (value.to_string(), least.to_string(), most.to_string());
    Err(ConfigError::OutOfRange {
        key,
        value,
        least,
        most,
    })
}
