//! What a folder of sentence-transformers says beside the model: how vectors are made of states,
//! and what goes before queries and passages.
//!
//! Both ways of writing are read: that of versions up to 4 (`pooling_mode_mean_tokens: true`) and
//! that of later ones (`pooling_mode: "mean"`). A folder without these files is treated as
//! sentence-transformers treats it: mean of the states, not normalised, nothing before texts.

use std::path::{Component, Path};

use serde_json::Value;

use super::pooling::Pooling;
use crate::{LoadError, ModelSource};

/// How vectors are made, and of what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentenceFiles {
    /// Which states.
    pub(super) pooling: Pooling,
    /// Vectors get the length 1.
    pub(super) normalise: bool,
    /// The most tokens of a text, if said.
    pub(super) max_tokens: Option<usize>,
    /// Put before queries.
    pub(super) query_prefix: String,
    /// Put before passages.
    pub(super) passage_prefix: String,
}

/// What prompts for queries are called, the most telling name first.
const QUERY_PROMPTS: [&str; 3] = ["query", "search_query", "s2p_query"];

/// What prompts for passages are called.
const PASSAGE_PROMPTS: [&str; 4] = ["document", "passage", "corpus", "search_document"];

impl SentenceFiles {
    /// Reads the files beside a model.
    ///
    /// # Errors
    ///
    /// When they ask for something this engine would leave out.
    pub(super) fn read(source: &ModelSource) -> Result<Self, LoadError> {
        let modules = Modules::read(&source.json_beside("modules.json")?)?;
        let pooling = source.json_beside(&format!("{}/config.json", modules.pooling_folder))?;
        let transformer = source.json_beside("sentence_bert_config.json")?;
        if transformer["do_lower_case"] == true {
            return Err(LoadError::Unsupported(
                "a do_lower_case outside the tokenizer".into(),
            ));
        }
        let prompts = Prompts(source.json_beside("config_sentence_transformers.json")?);
        let files = Self {
            pooling: pooling_mode(&pooling)?,
            normalise: modules.normalise,
            max_tokens: transformer["max_seq_length"].as_u64().map(|n| n as usize),
            query_prefix: prompts.first_of(&QUERY_PROMPTS),
            passage_prefix: prompts.first_of(&PASSAGE_PROMPTS),
        };
        let has_prefix = !files.query_prefix.is_empty() || !files.passage_prefix.is_empty();
        if pooling["include_prompt"] == false && has_prefix {
            return Err(LoadError::Unsupported(
                "pooling without the prompt's tokens".into(),
            ));
        }
        Ok(files)
    }
}

/// The steps from a text to a vector.
struct Modules {
    pooling_folder: String,
    normalise: bool,
}

impl Modules {
    fn read(modules: &Value) -> Result<Self, LoadError> {
        let mut read = Self {
            pooling_folder: "1_Pooling".into(),
            normalise: false,
        };
        for module in modules.as_array().into_iter().flatten() {
            let path = module["path"].as_str().unwrap_or("");
            let kind = module["type"].as_str().unwrap_or("");
            match kind.rsplit('.').next().unwrap_or("") {
                "Transformer" if path.is_empty() => {}
                "Pooling" if is_plain_name(path) => read.pooling_folder = path.to_owned(),
                "Normalize" => read.normalise = true,
                _ => {
                    let what = format!("the module {kind:?} in {path:?} of modules.json");
                    return Err(LoadError::Unsupported(what));
                }
            }
        }
        Ok(read)
    }
}

/// A folder inside the model's, and not anywhere else.
fn is_plain_name(path: &str) -> bool {
    let mut components = Path::new(path).components();
    matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(_)), None)
    )
}

fn pooling_mode(config: &Value) -> Result<Pooling, LoadError> {
    let by_name = config["pooling_mode"].as_str();
    let flags = config.as_object().into_iter().flatten();
    let set = flags
        .filter(|(_, value)| **value == true)
        .filter_map(|(key, _)| key.strip_prefix("pooling_mode_"));
    let modes = by_name.into_iter().chain(set).collect::<Vec<_>>();
    match modes[..] {
        [] | ["mean" | "mean_tokens"] => Ok(Pooling::Mean),
        ["cls" | "cls_token"] => Ok(Pooling::First),
        ["lasttoken"] => Ok(Pooling::Last),
        _ => Err(LoadError::Unsupported(format!(
            "the pooling {}",
            modes.join(" with ")
        ))),
    }
}

/// `config_sentence_transformers.json`.
struct Prompts(Value);

impl Prompts {
    /// The first of these prompts that there is, or else the default one, or else nothing.
    fn first_of(&self, names: &[&str]) -> String {
        let default = self.0["default_prompt_name"].as_str();
        let mut names = names.iter().copied().chain(default);
        let prompt = names.find_map(|name| self.0["prompts"][name].as_str());
        prompt.unwrap_or("").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn poolings_have_two_spellings() {
        let check = |config: Value, expected: Option<Pooling>| {
            assert_eq!(pooling_mode(&config).ok(), expected, "{config}");
        };
        check(json!(null), Some(Pooling::Mean));
        check(json!({"pooling_mode": "cls"}), Some(Pooling::First));
        check(json!({"pooling_mode_lasttoken": true}), Some(Pooling::Last));
        check(
            json!({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}),
            Some(Pooling::Mean),
        );
        check(
            json!({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}),
            None,
        );
        check(json!({"pooling_mode": "max"}), None);
    }

    #[test]
    fn modules_that_would_be_left_out_are_refused() {
        let check = |kind: &str, path: &str, accepted: bool| {
            let modules = json!([{"type": kind, "path": path}]);
            assert_eq!(Modules::read(&modules).is_ok(), accepted, "{kind} {path}");
        };
        check("sentence_transformers.models.Transformer", "", true);
        check("sentence_transformers.models.Pooling", "1_Pooling", true);
        check(
            "sentence_transformers.models.Pooling",
            "../1_Pooling",
            false,
        );
        check(
            "sentence_transformers.models.Normalize",
            "2_Normalize",
            true,
        );
        check("sentence_transformers.models.Dense", "2_Dense", false);
    }

    #[test]
    fn prompts_have_several_names() {
        let check = |config: Value, expected: [&str; 2]| {
            let prompts = Prompts(config.clone());
            let found = [
                prompts.first_of(&QUERY_PROMPTS),
                prompts.first_of(&PASSAGE_PROMPTS),
            ];
            assert_eq!(found, expected, "{config}");
        };
        check(json!(null), ["", ""]);
        check(
            json!({"prompts": {"query": "q: ", "passage": "p: "}}),
            ["q: ", "p: "],
        );
        check(
            json!({"prompts": {"search_query": "q: ", "document": ""}}),
            ["q: ", ""],
        );
        check(
            json!({"prompts": {"both": "b: "}, "default_prompt_name": "both"}),
            ["b: ", "b: "],
        );
    }
}
