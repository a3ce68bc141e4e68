//! A tiny decoder that recites: after each token it always says the same next one.

use std::path::Path;

use engine_candle::{CandleEngine, Settings};
use serde_json::{Value, json};

use crate::models::{TinyModel, Weights};

/// What comes after the last piece.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The token that ends the turn.
    EndOfTurn,
    /// The first piece again.
    Again,
}

const TEMPLATE: &str = "{{ messages[0].content }}<s>";

/// Tokens before those of single bytes.
const SPECIAL: [&str; 2] = ["<s>", "</s>"];
const BEGIN: usize = 0;
const END: usize = 1;

/// An engine whose answer to every prompt is these pieces, one token each. Pieces are bytes, not
/// always whole characters, and no two are equal.
pub(crate) fn engine(pieces: &[&[u8]], ending: Ending, settings: Settings) -> CandleEngine {
    engine_with(TEMPLATE, pieces, ending, settings)
}

/// The same with another chat template.
pub(crate) fn engine_with(
    template: &str,
    pieces: &[&[u8]],
    ending: Ending,
    settings: Settings,
) -> CandleEngine {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let vocabulary = vocabulary(pieces);
    write_tokenizer(folder.path(), &vocabulary, template);
    let place = |piece: &&[u8]| {
        let name = spelt(piece);
        let place = vocabulary.iter().position(|token| *token == name);
        place.expect("every piece is in the vocabulary")
    };
    let mut chain = vec![BEGIN];
    chain.extend(pieces.iter().map(place));
    chain.push(match ending {
        Ending::EndOfTurn => END,
        Ending::Again => chain[1],
    });
    let source = model(&chain, vocabulary.len()).write_folder(folder.path(), 1);
    CandleEngine::load(source, settings).expect("the recital loads")
}

/// Layers that add nothing between an embedding that tells tokens apart and a head that knows
/// what follows each.
fn model(chain: &[usize], vocab: usize) -> TinyModel {
    let config = json!({
        "model_type": "llama",
        "hidden_size": vocab,
        "intermediate_size": 2,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "head_dim": 2,
        "vocab_size": vocab,
        "max_position_embeddings": 4096,
    });
    let mut weights = Weights::new();
    for (part, rows, columns) in [
        ("self_attn.q_proj", 2, vocab),
        ("self_attn.k_proj", 2, vocab),
        ("self_attn.v_proj", 2, vocab),
        ("self_attn.o_proj", vocab, 2),
        ("mlp.gate_proj", 2, vocab),
        ("mlp.up_proj", 2, vocab),
        ("mlp.down_proj", vocab, 2),
    ] {
        let zeros = (vec![rows, columns], vec![0.0; rows * columns]);
        weights.insert(format!("model.layers.0.{part}.weight"), zeros);
    }
    for norm in [
        "model.layers.0.input_layernorm",
        "model.layers.0.post_attention_layernorm",
        "model.norm",
    ] {
        weights.insert(format!("{norm}.weight"), (vec![vocab], vec![1.0; vocab]));
    }
    let same = (0..vocab).map(|token| (token, token));
    let links = chain.windows(2).map(|pair| (pair[1], pair[0]));
    let table = |ones: Vec<(usize, usize)>| {
        let mut values = vec![0.0; vocab * vocab];
        for (row, column) in ones {
            values[row * vocab + column] = 1.0;
        }
        (vec![vocab, vocab], values)
    };
    weights.insert("model.embed_tokens.weight".into(), table(same.collect()));
    weights.insert("lm_head.weight".into(), table(links.collect()));
    TinyModel { config, weights }
}

fn vocabulary(pieces: &[&[u8]]) -> Vec<String> {
    let special = SPECIAL.iter().map(|name| (*name).to_owned());
    let bytes = (0..=u8::MAX).map(|byte| spelt(&[byte]));
    let longer = pieces.iter().filter(|piece| piece.len() > 1);
    let longer = longer.map(|piece| spelt(piece));
    special.chain(bytes).chain(longer).collect()
}

fn write_tokenizer(folder: &Path, vocabulary: &[String], template: &str) {
    let places = vocabulary.iter().zip(0..);
    let vocab = places.map(|(token, id)| (token.clone(), Value::from(id)));
    let special = SPECIAL.iter().enumerate().map(|(id, name)| {
        json!({
            "id": id, "content": name, "special": true, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        })
    });
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": special.collect::<Vec<_>>(),
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": vocab.collect::<serde_json::Map<_, _>>(),
            "merges": [],
        },
    });
    let config = json!({
        "eos_token": SPECIAL[END],
        "chat_template": template,
    });
    for (file, json) in [
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", config),
    ] {
        std::fs::write(folder.join(file), json.to_string()).expect("the file can be written");
    }
}

/// Bytes in the letters that byte-level vocabularies spell them with: printable ones stand for
/// themselves, others are counted from U+0100 on.
fn spelt(bytes: &[u8]) -> String {
    let printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let letter = |&byte: &u8| match printable(&byte) {
        true => char::from(byte),
        false => {
            let before = (0..byte).filter(|byte| !printable(byte)).count() as u32;
            char::from_u32(256 + before).expect("it is a letter of Latin Extended-A")
        }
    };
    bytes.iter().map(letter).collect()
}
