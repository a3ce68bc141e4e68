//! How a request wants tokens to be chosen.

use engine::SamplingParams;

use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// The most tokens that can be asked for; the model's context and vocabulary end sooner.
pub(super) const MAX_TOKENS: i64 = u32::MAX as i64;

/// The most tokens whose logits a request may change, as OpenAI has it.
const MAX_BIASES: usize = 300;

pub(super) fn read_sampling(body: &Object<'_>) -> Result<SamplingParams, ApiError> {
    let greedy = SamplingParams::GREEDY;
    let number = |name, range, default: f32| -> Result<f32, ApiError> {
        let given = body.optional(name, |place| place.number(range))?;
        Ok(given.map_or(default, |number| number as f32))
    };
    let above_zero = |name, most, default: f32| -> Result<f32, ApiError> {
        let given = body.optional(name, |place| read_above_zero(place, most))?;
        Ok(given.unwrap_or(default))
    };
    let top_k = body.optional("top_k", |place| place.integer(1..=MAX_TOKENS))?;
    // Any 64 bits make a seed, and OpenAI's are signed.
    let seed = body.optional("seed", |place| place.integer(i64::MIN..=i64::MAX))?;
    Ok(SamplingParams {
        temperature: number("temperature", 0.0..=2.0, greedy.temperature)?,
        top_p: above_zero("top_p", 1.0, greedy.top_p)?,
        top_k: top_k.map(|k| k as usize),
        min_p: number("min_p", 0.0..=1.0, greedy.min_p)?,
        frequency_penalty: number("frequency_penalty", -2.0..=2.0, greedy.frequency_penalty)?,
        presence_penalty: number("presence_penalty", -2.0..=2.0, greedy.presence_penalty)?,
        repetition_penalty: above_zero("repetition_penalty", 2.0, greedy.repetition_penalty)?,
        seed: seed.map(i64::cast_unsigned),
    })
}

/// OpenAI's map from token ids, as strings, to what is added to their logits.
pub(super) fn read_logit_bias(place: &Place<'_>) -> Result<Vec<(u32, f32)>, ApiError> {
    let biases: Vec<_> = place.object()?.places().collect();
    if biases.len() > MAX_BIASES {
        let why = format!("may hold at most {MAX_BIASES} tokens");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let read = |(token, bias): &(&str, Place<'_>)| {
        let id = token.parse().map_err(|_| {
            let why = "must be named by the number of a token";
            bias.refuse(ErrorKind::InvalidValue, why)
        })?;
        Ok((id, bias.number(-100.0..=100.0)? as f32))
    };
    biases.iter().map(read).collect()
}

fn read_above_zero(place: &Place<'_>, most: f64) -> Result<f32, ApiError> {
    let number = place.number(0.0..=most)? as f32;
    if number == 0.0 {
        return Err(place.out_of_range("above 0"));
    }
    Ok(number)
}
