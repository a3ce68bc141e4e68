//! The sections `[[profiles]]`.

use serde::{Deserialize, Serialize};

use super::SupportPolicy;

/// How answers from collections of some field are made. What is absent is left to `[answer]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileConfig {
    /// What it is called; one of the shipped names takes its place.
    pub name: String,
    /// What the model is told before everything else.
    #[serde(default)]
    pub instruction: LocalisedConfig,
    /// What every answer ends with.
    #[serde(default)]
    pub disclaimer: LocalisedConfig,
    /// As in `[answer]`.
    pub evidence_floor: Option<f32>,
    /// As in `[answer]`.
    pub citation_floor: Option<f32>,
    /// As in `[answer]`.
    pub citation_density: Option<f32>,
    /// As in `[answer]`.
    pub support: Option<SupportPolicy>,
    /// Who may answer; anybody when it is empty.
    #[serde(default)]
    pub answers: Vec<Speaker>,
}

/// A text in English and Korean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalisedConfig {
    /// In English, and for all other languages.
    pub en: String,
    /// In Korean; the English one when empty.
    pub ko: String,
}

/// Who may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The model.
    Model,
    /// The documents, in quotes.
    Quotes,
}

impl From<&ProfileConfig> for rag::Profile {
    fn from(config: &ProfileConfig) -> Self {
        let localised = |text: &LocalisedConfig| rag::Localised {
            en: text.en.clone(),
            ko: text.ko.clone(),
        };
        let speaker = |speaker: &Speaker| match speaker {
            Speaker::Model => rag::Mode::Model,
            Speaker::Quotes => rag::Mode::Quotes,
        };
        Self {
            name: config.name.clone(),
            instruction: localised(&config.instruction),
            disclaimer: localised(&config.disclaimer),
            evidence_floor: config.evidence_floor,
            citation_floor: config.citation_floor,
            citation_density: config.citation_density,
            support: config.support.map(Into::into),
            answers: config.answers.iter().map(speaker).collect(),
        }
    }
}
