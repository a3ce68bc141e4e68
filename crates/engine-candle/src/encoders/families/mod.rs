//! The families of encoders, one file each.

mod bert;
mod jina_bert;
mod modern_bert;
mod nomic_bert;
mod xlm_roberta;

use candle_core::Tensor;

use super::batch::Batch;
use super::head::Head;
use super::source::Source;
use crate::LoadError;

/// The layers of an encoder.
pub(super) trait Layers: Send + Sync {
    /// One state for each token and each place of padding, `[texts, width, hidden]`. Padding has
    /// no influence on the states of tokens.
    fn forward(&self, batch: &Batch) -> candle_core::Result<Tensor>;
}

/// An encoder, built.
pub(super) struct Stack {
    /// Its layers.
    pub(super) layers: Box<dyn Layers>,
    /// Numbers in a state.
    pub(super) hidden: usize,
    /// Tokens it knows.
    pub(super) vocab: usize,
    /// The most tokens of a text.
    pub(super) positions: usize,
    /// The token that pads.
    pub(super) padding: u32,
    /// It cannot tell padding from tokens.
    pub(super) one_length: bool,
}

/// How models of a family are read.
pub(super) struct Family {
    /// `model_type` in `config.json`.
    name: &'static str,
    /// Builds the layers.
    pub(super) stack: fn(&Source) -> Result<Stack, LoadError>,
    /// Builds the head that scores a pair.
    pub(super) head: Option<BuildHead>,
}

/// For states of `hidden` numbers.
type BuildHead = fn(&Source, hidden: usize) -> Result<Head, LoadError>;

const FAMILIES: [Family; 7] = [
    Family {
        name: ADAPTABLE,
        stack: bert::stack,
        head: Some(bert::head),
    },
    Family {
        name: jina_bert::NAME,
        stack: jina_bert::stack,
        head: None,
    },
    Family {
        name: "xlm-roberta",
        stack: xlm_roberta::stack,
        head: Some(xlm_roberta::head),
    },
    Family {
        name: "roberta",
        stack: xlm_roberta::stack,
        head: Some(xlm_roberta::head),
    },
    Family {
        name: "camembert",
        stack: xlm_roberta::stack,
        head: Some(xlm_roberta::head),
    },
    Family {
        name: "modernbert",
        stack: modern_bert::stack,
        head: Some(modern_bert::head),
    },
    Family {
        name: "nomic_bert",
        stack: nomic_bert::stack,
        head: None,
    },
];

/// The family whose matrices we read ourselves, and an adapter may change.
const ADAPTABLE: &str = "bert";

impl Family {
    /// The family a configuration names.
    pub(super) fn of(source: &Source) -> Result<&'static Self, LoadError> {
        let config = &source.config;
        let name = match config["position_embedding_type"].as_str() {
            // Jina calls its own architecture BERT.
            Some("alibi") => jina_bert::NAME,
            _ => config["model_type"].as_str().unwrap_or(""),
        };
        if source.is_adapted() && name != ADAPTABLE {
            let what = format!("an adapter to the encoder family {name:?} ({ADAPTABLE} is)");
            return Err(LoadError::Unsupported(what));
        }
        let known = FAMILIES.iter().find(|family| family.name == name);
        known.ok_or_else(|| {
            let names = FAMILIES.map(|family| family.name).join(", ");
            LoadError::Unsupported(format!("the encoder family {name:?} ({names} are)"))
        })
    }
}
