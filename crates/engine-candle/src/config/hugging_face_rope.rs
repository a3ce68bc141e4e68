//! Rotary positions in `config.json`: `rope_scaling` of old, `rope_parameters` of today.

use serde::Deserialize;

use super::family::Family;
use super::hugging_face::Raw;
use super::rope::{RopeConfig, RopeScaling, longrope_magnitude, yarn_magnitude};
use crate::LoadError;

/// One object for all layers, or one for each kind of layer.
#[derive(Deserialize)]
pub(crate) struct RopeParameters {
    full_attention: Option<Parameters>,
    sliding_attention: Option<Parameters>,
    #[serde(flatten)]
    all: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    rope_type: Option<String>,
    /// What `rope_type` was called; some files have both.
    #[serde(rename = "type")]
    old_type: Option<String>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    attention_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    short_factor: Option<Vec<f64>>,
    long_factor: Option<Vec<f64>>,
}

/// The rotations of the family's layers: the one of all layers; where layers with a window turn
/// differently, theirs is the second.
pub(crate) fn ropes(raw: &Raw, family: &Family) -> Result<Vec<RopeConfig>, LoadError> {
    let unset = Parameters::default();
    let parameters = raw.rope_scaling.as_ref().or(raw.rope_parameters.as_ref());
    let all = parameters.map_or(&unset, |one| {
        one.full_attention.as_ref().unwrap_or(&one.all)
    });
    let mut ropes = vec![rope(raw, all, raw.rope_theta.unwrap_or(family.rope_theta))?];
    if let Some(theta) = family.local_rope_theta {
        let local = parameters.and_then(|one| one.sliding_attention.as_ref());
        let theta = raw.rope_local_base_freq.unwrap_or(theta);
        ropes.push(rope(raw, local.unwrap_or(&unset), theta)?);
    }
    Ok(ropes)
}

fn rope(raw: &Raw, parameters: &Parameters, theta: f64) -> Result<RopeConfig, LoadError> {
    let rotated = parameters
        .partial_rotary_factor
        .or(raw.partial_rotary_factor);
    if rotated.is_some_and(|rotated| rotated != 1.0) {
        let what = "a partial_rotary_factor other than 1";
        return Err(LoadError::Unsupported(what.into()));
    }
    let plain = RopeConfig::plain(parameters.rope_theta.unwrap_or(theta));
    let kind = parameters.rope_type.as_ref();
    let kind = kind.or(parameters.old_type.as_ref()).map(String::as_str);
    let required = |name: &str, value: Option<f64>| {
        value.ok_or_else(|| {
            let kind = kind.unwrap_or_default();
            LoadError::Config(format!("config.json: {kind} rope scaling has no {name}"))
        })
    };
    match kind {
        None | Some("default") => Ok(plain),
        Some("linear") => Ok(RopeConfig {
            scaling: RopeScaling::Linear(required("factor", parameters.factor)?),
            ..plain
        }),
        Some("llama3") => Ok(RopeConfig {
            scaling: RopeScaling::Llama3 {
                factor: required("factor", parameters.factor)?,
                low_freq_factor: required("low_freq_factor", parameters.low_freq_factor)?,
                high_freq_factor: required("high_freq_factor", parameters.high_freq_factor)?,
                original_context: required(
                    "original_max_position_embeddings",
                    parameters.original_max_position_embeddings,
                )?,
            },
            ..plain
        }),
        Some("yarn") => {
            let factor = required("factor", parameters.factor)?;
            Ok(yarn(raw, parameters, factor, plain))
        }
        Some("longrope" | "su") => longrope(raw, parameters, plain),
        Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
    }
}

fn yarn(raw: &Raw, parameters: &Parameters, factor: f64, plain: RopeConfig) -> RopeConfig {
    let magnitude = match (parameters.mscale, parameters.mscale_all_dim) {
        (Some(one), Some(all)) => yarn_magnitude(factor, one) / yarn_magnitude(factor, all),
        _ => yarn_magnitude(factor, 1.0),
    };
    RopeConfig {
        scaling: RopeScaling::Yarn {
            factor,
            original_context: parameters
                .original_max_position_embeddings
                .unwrap_or(raw.max_position_embeddings as f64),
            beta_fast: parameters.beta_fast.unwrap_or(32.0),
            beta_slow: parameters.beta_slow.unwrap_or(1.0),
            truncate: parameters.truncate.unwrap_or(true),
        },
        magnitude: parameters.attention_factor.unwrap_or(magnitude),
        ..plain
    }
}

/// A model that is run with more than its original context uses the long factors from the first
/// token on: keys made with the short ones could not be compared with later queries.
fn longrope(
    raw: &Raw,
    parameters: &Parameters,
    plain: RopeConfig,
) -> Result<RopeConfig, LoadError> {
    let context = raw.max_position_embeddings as f64;
    let original = parameters
        .original_max_position_embeddings
        .or(raw.original_max_position_embeddings)
        .unwrap_or(context);
    let (name, divisors) = match context > original {
        true => ("long_factor", &parameters.long_factor),
        false => ("short_factor", &parameters.short_factor),
    };
    let divisors = divisors
        .clone()
        .ok_or_else(|| LoadError::Config(format!("config.json: longrope scaling has no {name}")))?;
    let factor = parameters.factor.unwrap_or(context / original);
    let magnitude = longrope_magnitude(factor, original);
    Ok(RopeConfig {
        divisors: Some(divisors),
        magnitude: parameters.attention_factor.unwrap_or(magnitude),
        ..plain
    })
}
