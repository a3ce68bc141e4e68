//! Which passages go into a prompt, and how much of them.

use engine::SourceUnit;

use super::{Draft, NO_ROOM, OVERHEAD};
use crate::error::RagError;
use crate::ledger::Dropped;
use crate::narrow::narrow;
use crate::rank::ranked;
use crate::search::Found;
use crate::sources::{Source, Sources};

impl Draft<'_> {
    /// Adds the passages that were `found`, best first, as far as they fit.
    pub(crate) fn add_passages(&mut self, found: &Found) -> Result<(), RagError> {
        let model = self.engine.model();
        let most = model.card.max_sources.unwrap_or(usize::MAX);
        if !model.reads_documents {
            let template = self.template_tokens(found)?;
            self.free = self.free.saturating_sub(template);
        }
        match model.card.unit {
            SourceUnit::Passage => self.add_whole_passages(found, most),
            SourceUnit::Sentence => self.add_sentences(found, most),
        }
        if self.sources.is_empty() {
            self.add_part_of_best(found)?;
        }
        Ok(())
    }

    fn add_whole_passages(&mut self, found: &Found, most: usize) {
        for hit in &found.hits {
            let source = Source::from(hit);
            if self.sources.len() >= most {
                self.drop_passage(
                    &source,
                    &format!("the model follows at most {most} sources"),
                );
            } else if let Some(source) = self.narrowed_to_card(source, found) {
                self.add_passage(source);
            }
        }
    }

    /// The best sentences of all passages, best first. What is left of the passages is dropped.
    /// Where whole sources become the answer, they are of one language, that of the best.
    fn add_sentences(&mut self, found: &Found, most: usize) {
        let passages: Sources = found.hits.iter().map(Source::from).collect();
        let mut used = vec![0; passages.len()];
        let mut sentences = ranked(found, &passages);
        if self.engine.model().card.points
            && let Some(best) = sentences.first().map(|best| best.language(&passages))
        {
            sentences.retain(|sentence| sentence.language(&passages) == best);
        }
        for sentence in sentences.into_iter().take(most) {
            let source = passages.numbered_as(sentence.n).narrowed_to(&sentence.span);
            let source = Source {
                meaning: sentence.meaning(),
                ..source
            };
            if let Some(source) = self.narrowed_to_card(source, found) {
                used[sentence.n - 1] += self.engine.count_tokens(&source.passage.text);
                self.add_passage(source);
            }
        }
        for ((_, passage), used) in passages.numbered().zip(used) {
            let tokens = self.engine.count_tokens(&passage.passage.text);
            self.ledger.dropped.push(Dropped {
                what: format!("the rest of {}", passage.describe()),
                tokens: tokens.saturating_sub(used),
                why: format!("the model reads at most {most} sentences, the best ones"),
            });
        }
    }

    /// Tokens of the words around the sources. There are none without a source, so an empty one
    /// stands for all.
    fn template_tokens(&self, found: &Found) -> Result<usize, RagError> {
        let Some(hit) = found.hits.first() else {
            return Ok(0);
        };
        let empty = Source::from(hit).narrowed_to(&(0..0));
        let own = self.tokens_of(&empty);
        let words = self.wording.write("", &[empty].into_iter().collect())?;
        Ok(self.engine.count_tokens(&words).saturating_sub(own))
    }

    fn add_passage(&mut self, source: Source) {
        match self.free.checked_sub(self.tokens_of(&source) + OVERHEAD) {
            Some(free) => {
                self.free = free;
                self.sources.push(source);
            }
            None => self.drop_passage(&source, NO_ROOM),
        }
    }

    /// Leaves out what the card says is too much of one source; `None` when nothing remains.
    fn narrowed_to_card(&mut self, source: Source, found: &Found) -> Option<Source> {
        let most = self.engine.model().card.max_source_tokens;
        let limit = most.unwrap_or(usize::MAX);
        if self.engine.count_tokens(&source.passage.text) <= limit {
            return Some(source);
        }
        let why = format!("the model follows at most {limit} tokens of a source");
        let narrowed = self.narrowed(&source, limit, found, &why);
        if narrowed.is_none() {
            self.drop_passage(&source, &why);
        }
        narrowed
    }

    /// Not one passage fits whole: better a part of the best one than nothing.
    fn add_part_of_best(&mut self, found: &Found) -> Result<(), RagError> {
        let Some(best) = found.hits.first().map(Source::from) else {
            return Ok(());
        };
        let title = self.engine.count_tokens(&best.document().title);
        let limit = self.free.saturating_sub(title + OVERHEAD);
        let Some(narrowed) = self.narrowed(&best, limit, found, NO_ROOM) else {
            let smallest = self.tokens_of(&best) + OVERHEAD;
            return Err(self.too_long(self.room() - self.free + smallest));
        };
        self.sources.push(narrowed);
        Ok(())
    }

    fn narrowed(
        &mut self,
        source: &Source,
        limit: usize,
        found: &Found,
        why: &str,
    ) -> Option<Source> {
        let count = |text: &str| self.engine.count_tokens(text);
        let narrowed = narrow(source, limit, found, count)?;
        let tokens = count(&source.passage.text).saturating_sub(count(&narrowed.passage.text));
        let whole = source.describe();
        self.ledger.dropped.retain(|dropped| dropped.what != whole);
        self.ledger.dropped.push(Dropped {
            what: format!("part of {whole}"),
            tokens,
            why: why.into(),
        });
        Some(narrowed)
    }
}
