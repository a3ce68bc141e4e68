//! A byte-level BPE `tokenizer.json` in the keys that llama.cpp knows.

use std::collections::BTreeSet;

use candle_core::quantized::gguf_file::Value;
use serde_json::Value as Json;

use super::metadata::Metadata;
use crate::files::ModelFiles;
use crate::model::{chat_template, end_tokens, special_tokens};
use crate::text::ModelTokenizer;

/// What llama.cpp calls the rules for splitting text into words, by the pattern in the file.
const PRE_TOKENIZERS: [(&str, &str); 2] = [
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "llama-bpe",
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "qwen2",
    ),
];

/// Kinds of tokens as the format numbers them.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;

/// The keys, or why there is no way to say them.
pub(super) fn of_folder(files: &ModelFiles, vocab: usize) -> Result<Metadata, String> {
    let bytes = files.tokenizer.as_ref();
    let bytes = bytes.ok_or("the folder has no tokenizer.json")?;
    let json = serde_json::from_slice::<Json>(bytes).map_err(|error| error.to_string())?;
    let model = &json["model"];
    if model["type"] != "BPE" || model["byte_fallback"] == true {
        return Err("its tokenizer is not a byte-level BPE".into());
    }
    let pre = pre_tokenizer(&json["pre_tokenizer"])?;
    let (tokens, types) = tokens(&json, vocab)?;
    let string = |text: &str| Value::String(text.to_owned());
    let mut metadata = Metadata::from([
        ("tokenizer.ggml.model".into(), string("gpt2")),
        ("tokenizer.ggml.pre".into(), string(pre)),
        ("tokenizer.ggml.tokens".into(), Value::Array(tokens)),
        ("tokenizer.ggml.token_type".into(), Value::Array(types)),
        ("tokenizer.ggml.merges".into(), Value::Array(merges(model)?)),
    ]);
    let tokenizer = ModelTokenizer::from_json(bytes).map_err(|error| error.to_string())?;
    metadata.extend(special_ids(files, &tokenizer));
    let begins = files.tokenizer_config["add_bos_token"].as_bool();
    let begins = begins.unwrap_or_else(|| begins_with_special(&json["post_processor"]));
    metadata.insert("tokenizer.ggml.add_bos_token".into(), Value::Bool(begins));
    if let Some(template) = chat_template(files) {
        metadata.insert("tokenizer.chat_template".into(), Value::String(template));
    }
    Ok(metadata)
}

/// The name of the rules: those of a pattern we know, followed by bytes.
fn pre_tokenizer(json: &Json) -> Result<&'static str, String> {
    let steps = match json["type"].as_str() {
        Some("Sequence") => json["pretokenizers"].as_array().map_or(&[][..], |all| all),
        _ => std::slice::from_ref(json),
    };
    let unknown = || "its rules for splitting text into words have no name in GGUF".to_owned();
    match steps {
        [split, bytes] if split["type"] == "Split" && bytes["type"] == "ByteLevel" => {
            let pattern = split["pattern"]["Regex"].as_str().unwrap_or_default();
            let known = PRE_TOKENIZERS.iter().find(|(known, _)| *known == pattern);
            known.map(|(_, name)| *name).ok_or_else(unknown)
        }
        [bytes] if bytes["type"] == "ByteLevel" && bytes["use_regex"] != false => Ok("gpt-2"),
        [digits, bytes] if digits["type"] == "Digits" && bytes["type"] == "ByteLevel" => {
            match digits["individual_digits"] == true {
                true => Ok("smollm"),
                false => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

/// Names and kinds of all tokens the model has a row for.
fn tokens(json: &Json, vocab: usize) -> Result<(Vec<Value>, Vec<Value>), String> {
    let unused = |id: usize| (format!("[PAD{id}]"), UNUSED);
    let mut tokens = (0..vocab).map(unused).collect::<Vec<_>>();
    let mut set = |id: Option<u64>, name: &str, kind: i32| {
        let place = id.and_then(|id| tokens.get_mut(id as usize));
        let place = place.ok_or("its tokenizer has more tokens than the model")?;
        *place = (name.to_owned(), kind);
        Ok::<_, String>(())
    };
    for (name, id) in json["model"]["vocab"].as_object().into_iter().flatten() {
        set(id.as_u64(), name, NORMAL)?;
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        let kind = match added["special"] == true {
            true => CONTROL,
            false => USER_DEFINED,
        };
        let name = added["content"].as_str().unwrap_or_default();
        set(added["id"].as_u64(), name, kind)?;
    }
    let (names, kinds): (Vec<_>, Vec<_>) = tokens.into_iter().unzip();
    let names = names.into_iter().map(Value::String).collect();
    Ok((names, kinds.into_iter().map(Value::I32).collect()))
}

/// Pairs as one string each, which is how older files have them too.
fn merges(model: &Json) -> Result<Vec<Value>, String> {
    let merges = model["merges"].as_array().into_iter().flatten();
    let merges = merges.map(|merge| match (merge.as_str(), merge.as_array()) {
        (Some(pair), _) => Ok(Value::String(pair.to_owned())),
        (None, Some(pair)) => match &pair[..] {
            [Json::String(a), Json::String(b)] if !a.contains(' ') && !b.contains(' ') => {
                Ok(Value::String(format!("{a} {b}")))
            }
            _ => Err("a merge of its tokenizer is not of two words".to_owned()),
        },
        _ => Err("its tokenizer's merges cannot be read".to_owned()),
    });
    merges.collect()
}

/// The tokens with a part to play. A model may end its turn in more ways than one; the format
/// knows three.
fn special_ids(files: &ModelFiles, tokenizer: &ModelTokenizer) -> Metadata {
    let names = special_tokens(files);
    let id = |name: &Option<String>| name.as_deref().and_then(|name| tokenizer.id(name));
    let mut ends = end_tokens(files, tokenizer);
    let eos = id(&names.eos).or_else(|| ends.first().copied());
    eos.map(|eos| ends.remove(&eos));
    let mut others = BTreeSet::into_iter(ends);
    let ids = [
        ("bos", id(&names.bos)),
        ("eos", eos),
        ("eot", others.next()),
        ("eom", others.next()),
        ("unknown", id(&names.unk)),
        ("padding", id(&names.pad)),
    ];
    let found = ids.into_iter().filter_map(|(name, id)| {
        let key = format!("tokenizer.ggml.{name}_token_id");
        Some((key, Value::U32(id?)))
    });
    found.collect()
}

/// A text is begun with a control token.
fn begins_with_special(post_processor: &Json) -> bool {
    let steps = match post_processor["processors"].as_array() {
        Some(steps) => &steps[..],
        None => std::slice::from_ref(post_processor),
    };
    let mut steps = steps.iter();
    steps.any(|step| step["single"][0].get("SpecialToken").is_some())
}
