//! T5 (Raffel et al. 2019, arXiv:1910.10683) and FLAN-T5: an encoder reads the prompt, a decoder
//! writes the answer and looks back at what was read.
//!
//! candle-transformers has these models too, but its decoder places tokens by the encoder's rule
//! (wrong beyond eight tokens), multiplies by the factor it should divide by, and computes the
//! keys of the prompt again for every token.

mod attention;
mod config;
mod feed_forward;
mod positions;
mod stack;

use candle_core::{Device, Result, Tensor, bail};
use candle_nn::{Linear, Module};
use engine::EngineError;

use crate::LoadError;
use crate::files::{ModelFiles, ModelSource, Weights};
use attention::KeysValues;
use config::Config;
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
pub struct Reading {
    /// For each layer of the decoder, keys and values of the prompt.
    prompt: Vec<KeysValues>,
    /// For each layer of the decoder, keys and values of the answer.
    answer: Vec<Option<KeysValues>>,
}

impl T5 {
    /// Loads the weights of a model folder, without what is needed to talk to it.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, or the model is of a kind that is not supported.
    pub fn load(source: &ModelSource) -> std::result::Result<Self, LoadError> {
        let files = ModelFiles::open(source)?;
        let config = Config::read(&files.config)?;
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

    /// The token that an answer begins with, before its first own.
    pub fn start_token(&self) -> u32 {
        self.config.start_token
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
