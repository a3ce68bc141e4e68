//! Many texts through the layers, and one vector back for each.

use engine::EngineError;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde_json::Value;

use super::EncoderSettings;
use super::batch::{Batch, BatchLimits};
use super::families::{Family, Stack};
use super::pooling::Pooling;
use super::source::Source;
use super::tokens::{TokenSequence, Tokens};
use super::turns::{Turns, Urgency};
use crate::LoadError;
use crate::files::{Adapter, ModelFiles, ModelSource};

/// An encoder and its tokenizer.
pub(super) struct Encoder {
    /// Makes the tokens that [`vectors`](Self::vectors) takes.
    pub(super) tokens: Tokens,
    stack: Stack,
    max_tokens: usize,
    limits: BatchLimits,
    threads: ThreadPool,
    /// One batch at a time, so that many callers need no more memory than one.
    turns: Turns,
}

/// What an encoder is opened with.
pub(super) struct Opened {
    /// The encoder.
    pub(super) encoder: Encoder,
    /// Where it came from, for reading a head.
    pub(super) source: Source,
    /// Its family.
    pub(super) family: &'static Family,
}

impl Encoder {
    /// Reads the encoder of a model folder. `said_tokens` is what sentence-transformers' files
    /// allow a text; where they say nothing, the tokenizer's limit counts.
    pub(super) fn open(
        source: &ModelSource,
        settings: &EncoderSettings,
        said_tokens: Option<usize>,
    ) -> Result<Opened, LoadError> {
        settings.check()?;
        if let ModelSource::Path(path) = source
            && !path.is_dir()
        {
            let path = path.display();
            return Err(LoadError::Missing(format!("{path} is not a model folder")));
        }
        let files = ModelFiles::open(source)?;
        let tokenizer = files
            .tokenizer
            .ok_or_else(|| LoadError::Missing("the model folder has no tokenizer.json".into()))?;
        let most_tokens = said_tokens
            .or_else(|| longest_for_tokenizer(&files.tokenizer_config))
            .map_or(settings.max_tokens, |most| most.min(settings.max_tokens));
        let adapter = Adapter::beside(source)?;
        let source = Source::new(files.config, files.weights, adapter, most_tokens);
        let family = Family::of(&source)?;
        let stack = (family.stack)(&source)?;
        let max_tokens = stack.positions.min(most_tokens);
        let encoder = Self {
            tokens: Tokens::from_json(&tokenizer, max_tokens)?,
            max_tokens,
            limits: BatchLimits {
                tokens: settings.batch_tokens,
                one_length: stack.one_length,
            },
            threads: threads(settings)?,
            turns: Turns::new(settings.queue),
            stack,
        };
        encoder.check_vocabulary()?;
        Ok(Opened {
            encoder,
            source,
            family,
        })
    }

    /// Numbers in a vector.
    pub(super) fn width(&self) -> usize {
        self.stack.hidden
    }

    /// The most tokens of one text.
    pub(super) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The pooled states of each text, in order.
    ///
    /// # Errors
    ///
    /// [`EngineError::Busy`] when too many callers wait; a failure when the model gives what is
    /// not a number.
    pub(super) fn vectors(
        &self,
        texts: &[TokenSequence],
        pooling: Pooling,
        urgency: Urgency,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let place = self.turns.enter(urgency)?;
        let lengths = texts.iter().map(|text| text.ids.len()).collect::<Vec<_>>();
        let mut vectors = vec![Vec::new(); texts.len()];
        for places in self.limits.plan(&lengths) {
            let batch = places
                .iter()
                .map(|&place| &texts[place])
                .collect::<Vec<_>>();
            let pooled = {
                let _turn = place.turn();
                self.threads.install(|| self.forward(&batch, pooling))
            };
            let pooled = pooled.map_err(|error| EngineError::Failed(error.to_string()))?;
            for (place, vector) in places.into_iter().zip(pooled) {
                vectors[place] = vector;
            }
        }
        if !vectors.iter().flatten().all(|x| x.is_finite()) {
            return Err(EngineError::Failed(
                "the model's vectors are not numbers".into(),
            ));
        }
        Ok(vectors)
    }

    /// One batch: the layers, then each text's states without those of its padding.
    fn forward(
        &self,
        texts: &[&TokenSequence],
        pooling: Pooling,
    ) -> candle_core::Result<Vec<Vec<f32>>> {
        let batch = Batch::pad(texts, self.stack.padding)?;
        let states = self.stack.layers.forward(&batch)?;
        let (_, _, hidden) = states.dims3()?;
        let states = states.flatten_from(1)?.to_vec2::<f32>()?;
        let pool = |(states, text): (&Vec<f32>, &&TokenSequence)| {
            pooling.pool(&states[..text.ids.len() * hidden], hidden)
        };
        Ok(states.iter().zip(texts).map(pool).collect())
    }

    fn check_vocabulary(&self) -> Result<(), LoadError> {
        let largest = self.tokens.largest_id();
        let vocab = self.stack.vocab;
        if (largest as usize) < vocab && (self.stack.padding as usize) < vocab {
            return Ok(());
        }
        Err(LoadError::Config(format!(
            "the tokenizer has a token {largest}, and the model knows {vocab}"
        )))
    }
}

/// Many write an astronomic number here, a fraction, which means none.
fn longest_for_tokenizer(tokenizer_config: &Value) -> Option<usize> {
    let longest = tokenizer_config["model_max_length"].as_u64()?;
    usize::try_from(longest).ok().filter(|&longest| longest > 0)
}

fn threads(settings: &EncoderSettings) -> Result<ThreadPool, LoadError> {
    let physical_cores = candle_core::utils::get_num_threads();
    ThreadPoolBuilder::new()
        .num_threads(settings.threads.unwrap_or(physical_cores))
        .thread_name(|index| format!("encode-{index}"))
        .build()
        .map_err(|error| LoadError::Worker(error.to_string()))
}
