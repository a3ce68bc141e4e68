//! Everything of a model, put together from its files.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Card, SourceUnit};
use serde_json::Value;

use crate::LoadError;
use crate::decoder::Decoder;
use crate::encoder_decoder::{T5, is_t5};
use crate::files::{Gguf, ModelFiles, ModelSource, Weights};
use crate::serving::Pointers;
use crate::text::{ChatTemplate, ModelTokenizer, SpecialTokens, Text};

/// A model that can be talked to.
pub(crate) struct Model {
    pub(crate) body: Body,
    pub(crate) vocab: usize,
    pub(crate) text: Arc<Text>,
    /// Tokens that end the model's turn.
    pub(crate) end_tokens: Arc<[u32]>,
    /// Tokens that stand for sources; most models have none.
    pub(crate) pointers: Pointers,
    pub(crate) card: Card,
}

/// What runs.
pub(crate) enum Body {
    Decoder(Box<Decoder>),
    T5(Box<T5>),
}

impl Model {
    /// Reads, checks and builds all parts.
    pub(crate) fn open(source: &ModelSource) -> Result<Self, LoadError> {
        let files = ModelFiles::open(source)?;
        let text = text(&files)?;
        let mut end_tokens = end_tokens(&files, &text.tokenizer);
        let (body, vocab) = if is_t5(&files) {
            let sizes = T5::sizes(&files)?;
            check_vocabulary(&text.tokenizer, sizes.vocab)?;
            end_tokens.insert(sizes.end_token);
            (Body::T5(Box::new(T5::build(&files)?)), sizes.vocab)
        } else {
            let decoder = Decoder::build(&files)?;
            let vocab = decoder.vocab();
            check_vocabulary(&text.tokenizer, vocab)?;
            (Body::Decoder(Box::new(decoder)), vocab)
        };
        Ok(Self {
            body,
            vocab,
            pointers: pointers(&files.config, &text.tokenizer)?,
            text: Arc::new(text),
            end_tokens: end_tokens.into_iter().collect(),
            card: card(&files.config),
        })
    }
}

/// No text gives a token that the model does not know.
pub(crate) fn check_vocabulary(tokenizer: &ModelTokenizer, vocab: usize) -> Result<(), LoadError> {
    let largest_id = tokenizer.largest_id();
    match (largest_id as usize) < vocab {
        true => Ok(()),
        false => Err(LoadError::Config(format!(
            "the tokenizer has a token {largest_id}, and the model knows {vocab}"
        ))),
    }
}

/// How the model's text becomes tokens: its tokenizer and its chat template.
pub(crate) fn text(files: &ModelFiles) -> Result<Text, LoadError> {
    Ok(Text {
        tokenizer: tokenizer(files)?,
        template: ChatTemplate::compile(chat_template(files), special_tokens(files))?,
    })
}

/// The tokenizer of the files, or the one that a GGUF describes.
pub(crate) fn tokenizer(files: &ModelFiles) -> Result<ModelTokenizer, LoadError> {
    match (&files.tokenizer, &files.weights) {
        (Some(json), _) => ModelTokenizer::from_json(json),
        (None, Weights::Gguf(gguf)) => ModelTokenizer::from_gguf(gguf.content()),
        (None, Weights::Safetensors(_)) => Err(LoadError::Missing(
            "the model folder has no tokenizer.json".into(),
        )),
    }
}

/// The source of the chat template, wherever the files keep it.
pub(crate) fn chat_template(files: &ModelFiles) -> Option<String> {
    if let Some(template) = &files.chat_template {
        return Some(template.clone());
    }
    if let Weights::Gguf(gguf) = &files.weights {
        return gguf.string("tokenizer.chat_template").map(str::to_owned);
    }
    match files.tokenizer_config.get("chat_template")? {
        Value::String(template) => Some(template.clone()),
        // Several templates by name: `[{"name": "default", "template": "…"}, …]`.
        Value::Array(named) => {
            let default = named.iter().find(|one| one["name"] == "default")?;
            default["template"].as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// The names of the tokens with a part to play in templates.
pub(crate) fn special_tokens(files: &ModelFiles) -> SpecialTokens {
    let name = |key: &str| match &files.weights {
        Weights::Gguf(gguf) => gguf_token(gguf, key),
        Weights::Safetensors(_) => {
            let token = files.tokenizer_config.get(format!("{key}_token"))?;
            // Older files say more of a token than its name.
            let name = token.as_str().or_else(|| token["content"].as_str());
            name.map(str::to_owned)
        }
    };
    SpecialTokens {
        bos: name("bos"),
        eos: name("eos"),
        unk: name("unk"),
        pad: name("pad"),
    }
}

fn gguf_token(gguf: &Gguf, key: &str) -> Option<String> {
    let key = match key {
        "unk" => "unknown",
        "pad" => "padding",
        other => other,
    };
    let id = gguf.number(&format!("tokenizer.ggml.{key}_token_id"))?;
    gguf.token(id).map(str::to_owned)
}

/// Every token any of the files calls an end.
pub(crate) fn end_tokens(files: &ModelFiles, tokenizer: &ModelTokenizer) -> BTreeSet<u32> {
    let mut ids = BTreeSet::new();
    for config in [&files.config, &files.generation_config] {
        match &config["eos_token_id"] {
            Value::Array(several) => ids.extend(several.iter().filter_map(Value::as_u64)),
            one => ids.extend(one.as_u64()),
        }
    }
    if let Weights::Gguf(gguf) = &files.weights {
        let keys = ["eos", "eot", "eom"];
        ids.extend(
            keys.into_iter()
                .filter_map(|key| gguf.number(&format!("tokenizer.ggml.{key}_token_id"))),
        );
    }
    let by_name = special_tokens(files).eos;
    ids.extend(by_name.and_then(|name| tokenizer.id(&name)).map(u64::from));
    ids.into_iter()
        .filter_map(|id| u32::try_from(id).ok())
        .collect()
}

/// The tokens that stand for sources, by the names in the object `ibid` of `config.json`:
/// `{"pointers": ["<1>", …], "most_pointers": 3, "biases": {"<0>": -0.5, …}, "evidence": {"<0>": -1},
/// "nearness": 10}`.
fn pointers(config: &Value, tokenizer: &ModelTokenizer) -> Result<Pointers, LoadError> {
    let ours = &config["ibid"];
    let id = |name: &str| {
        let id = tokenizer.id(name);
        id.ok_or_else(|| LoadError::Config(format!("`ibid`: there is no token {name}")))
    };
    let names = ours["pointers"].as_array().into_iter().flatten();
    let numbers = |key: &str| {
        let numbers = ours[key].as_object().into_iter().flatten();
        let number = |(name, number): (&String, &Value)| Ok((id(name)?, within(number, key)?));
        numbers.map(number).collect::<Result<_, LoadError>>()
    };
    let most = ours["most_pointers"].as_u64();
    Ok(Pointers {
        sources: names
            .map(|name| id(name.as_str().unwrap_or_default()))
            .collect::<Result<_, _>>()?,
        biases: numbers("biases")?,
        evidence: numbers("evidence")?,
        nearness: match &ours["nearness"] {
            Value::Null => 0.0,
            number => within(number, "nearness")?,
        },
        most: most.map_or(usize::MAX, |most| most as usize),
    })
}

/// What may be added to a logit, under this key of the object `ibid`.
fn within(number: &Value, key: &str) -> Result<f32, LoadError> {
    let number = number.as_f64().filter(|number| number.abs() <= 100.0);
    let number = number.map(|number| number as f32);
    number.ok_or_else(|| LoadError::Config(format!("`ibid.{key}`: -100 to 100")))
}

/// The object `ibid` of `config.json`.
pub(crate) fn card(config: &Value) -> Card {
    let ours = &config["ibid"];
    let number = |key: &str| ours[key].as_u64().and_then(|n| usize::try_from(n).ok());
    Card {
        quotes_better: ours["quotes_better"].as_bool().unwrap_or(false),
        points: ours["pointers"]
            .as_array()
            .is_some_and(|names| !names.is_empty()),
        unit: match ours["sources_are"].as_str() {
            Some("sentences") => SourceUnit::Sentence,
            _ => SourceUnit::Passage,
        },
        max_sources: number("max_sources"),
        max_source_tokens: number("max_source_tokens"),
    }
}
