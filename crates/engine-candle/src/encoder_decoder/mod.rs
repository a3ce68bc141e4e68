//! T5 (Raffel et al. 2019, arXiv:1910.10683) and FLAN-T5: an encoder reads the prompt, a decoder
//! writes the answer and looks back at what was read.
//!
//! candle-transformers has these models too, but its decoder places tokens by the encoder's rule
//! (wrong beyond eight tokens), multiplies by the factor it should divide by, and computes the
//! keys of the prompt again for every token.

mod attention;
mod config;
mod config_gguf;
mod feed_forward;
mod network;
mod positions;
mod stack;

use candle_core::{Device, Result, Tensor, bail};
use candle_nn::{Linear, Module};
use engine::EngineError;

use crate::LoadError;
use crate::files::{ModelFiles, ModelSource, Weights};
use attention::KeysValues;
use config::Config;
pub(crate) use network::EncoderDecoder;
use stack::{Memory, Stack};

/// An encoder and a decoder that share their embedding.
pub struct T5 {
    config: Config,
    embedding: Tensor,
    encoder: Stack,
    decoder: Stack,
    head: Linear,
    /// What the decoder's states are multiplied with before the head.
    head_scale: f64,
}

/// A prompt that was read, and the answer so far.
#[derive(Clone)]
pub struct Reading {
    /// For each layer of the decoder, keys and values of the prompt.
    prompt: Vec<KeysValues>,
    /// For each layer of the decoder, keys and values of the answer.
    answer: Vec<Option<KeysValues>>,
}

/// What an engine needs to know of a T5.
pub(crate) struct Sizes {
    pub(crate) vocab: usize,
    /// Tokens of prompt and answer.
    pub(crate) context: usize,
    /// Keys and values are kept in f32.
    pub(crate) kv_bytes_per_token: usize,
    pub(crate) end_token: u32,
}

/// The files are of a T5.
pub(crate) fn is_t5(files: &ModelFiles) -> bool {
    match &files.weights {
        Weights::Gguf(gguf) => gguf.string("general.architecture") == Some("t5"),
        Weights::Safetensors(_) => files.config["model_type"] == "t5",
    }
}

impl T5 {
    /// Loads the weights of a model folder, without what is needed to talk to it.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, or the model is of a kind that is not supported.
    pub fn load(source: &ModelSource) -> std::result::Result<Self, LoadError> {
        Self::build(&ModelFiles::open(source)?)
    }

    /// Loads the weights from files that were found.
    pub(crate) fn build(files: &ModelFiles) -> std::result::Result<Self, LoadError> {
        let config = Config::read(files)?;
        let weights = &files.weights;
        let shape = [config.vocab, config.hidden];
        let embedding = weights.tensor("shared.weight", &shape)?;
        let head = match weights.has("lm_head.weight") {
            true => weights.tensor("lm_head.weight", &shape)?,
            false => embedding.clone(),
        };
        let head_scale = match config.scale_head {
            true => (config.hidden as f64).powf(-0.5),
            false => 1.0,
        };
        Ok(Self {
            encoder: Stack::load(weights, &config, stack::Kind::Encoder)?,
            decoder: Stack::load(weights, &config, stack::Kind::Decoder)?,
            embedding,
            head: Linear::new(head, None),
            head_scale,
            config,
        })
    }

    /// The sizes that others need to know, without the weights.
    pub(crate) fn sizes(files: &ModelFiles) -> std::result::Result<Sizes, LoadError> {
        let config = Config::read(files)?;
        Ok(Sizes {
            vocab: config.vocab,
            context: config.context,
            kv_bytes_per_token: config.kv_numbers() * size_of::<f32>(),
            end_token: config.end_token,
        })
    }

    /// The token that an answer begins with, before its first own.
    pub fn start_token(&self) -> u32 {
        self.config.start_token
    }

    /// Tokens it is run with at most, prompt and answer together.
    pub(crate) fn context(&self) -> usize {
        self.config.context
    }

    /// Reads a prompt of at least one token, with the end token that its tokenizer adds. Memory
    /// grows with the square of its length.
    ///
    /// # Errors
    ///
    /// When there is no token, or one that is not in the vocabulary.
    pub fn read(&self, prompt: &[u32]) -> std::result::Result<Reading, EngineError> {
        let states = self.encode(prompt).map_err(failed)?;
        let prompt = self.decoder.keys_values_of_prompt(&states);
        Ok(Reading {
            prompt: prompt.map_err(failed)?,
            answer: vec![None; self.config.decoder_layers],
        })
    }

    /// Continues the answer by `tokens`, at least one, and returns the logits after the last.
    ///
    /// # Errors
    ///
    /// When there is no token, or one that is not in the vocabulary.
    pub fn decode(
        &self,
        tokens: &[u32],
        reading: &mut Reading,
    ) -> std::result::Result<Vec<f32>, EngineError> {
        self.next(tokens, reading).map_err(failed)
    }

    fn encode(&self, prompt: &[u32]) -> Result<Tensor> {
        self.encoder.forward(self.embed(prompt)?, None)
    }

    fn next(&self, tokens: &[u32], reading: &mut Reading) -> Result<Vec<f32>> {
        let memory = Memory {
            prompt: &reading.prompt,
            answer: &mut reading.answer,
        };
        let states = self.decoder.forward(self.embed(tokens)?, Some(memory))?;
        let last = states.narrow(0, tokens.len() - 1, 1)?;
        let logits = self.head.forward(&(last * self.head_scale)?)?;
        logits.squeeze(0)?.to_vec1()
    }

    /// `[tokens, hidden]`
    fn embed(&self, tokens: &[u32]) -> Result<Tensor> {
        if tokens.is_empty() {
            bail!("there are no tokens");
        }
        let tokens = Tensor::new(tokens, &Device::Cpu)?;
        self.embedding.index_select(&tokens, 0)
    }
}

/// A layer without bias.
fn linear(
    weights: &Weights,
    name: &str,
    shape: [usize; 2],
) -> std::result::Result<Linear, LoadError> {
    let weight = weights.tensor(&format!("{name}.weight"), &shape)?;
    Ok(Linear::new(weight, None))
}

fn failed(error: candle_core::Error) -> EngineError {
    EngineError::Failed(error.to_string())
}
