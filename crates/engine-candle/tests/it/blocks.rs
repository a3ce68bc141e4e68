//! Sources that are read independently of each other.

use engine_candle::{Decoder, ModelSource};
use serde_json::json;

use crate::forward::{last_logits, last_logits_of_chunks, tokens};
use crate::models::{LLAMA, TinyModel};

const OPENS: u32 = 90;
const CLOSES: u32 = 91;

fn decoder(blocks: bool) -> Decoder {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = TinyModel::new(LLAMA);
    if blocks {
        model.config["ibid"] = json!({ "block_attention": { "opens": [OPENS], "closes": CLOSES } });
    }
    Decoder::load(&model.write_folder(folder.path(), 1)).expect("it loads")
}

/// A beginning of two tokens, sources of these tokens, and a question.
fn prompt(sources: &[&[u32]]) -> Vec<u32> {
    let mut prompt = vec![1, 2];
    for source in sources {
        prompt.push(OPENS);
        prompt.extend(*source);
    }
    prompt.extend([CLOSES, 5, 6, 7]);
    prompt
}

#[test]
fn the_order_of_sources_does_not_matter() {
    let tokens = tokens(70);
    let (a, b) = (&tokens[..40], &tokens[40..65]);
    let off = |blocks| {
        let decoder = decoder(blocks);
        let logits = [[a, b], [b, a]].map(|order| last_logits(&decoder, &prompt(&order)));
        let pairs = logits[0].iter().zip(&logits[1]);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(off(true) < 1e-4, "off by {}", off(true));
    assert!(off(false) > 1e-2, "without blocks, off by {}", off(false));
}

/// Its positions are then those of any other text.
#[test]
fn a_single_source_is_read_like_any_text() {
    let tokens = tokens(50);
    let logits = [true, false].map(|blocks| last_logits(&decoder(blocks), &prompt(&[&tokens])));
    assert_eq!(logits[0], logits[1]);
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let decoder = decoder(true);
    let tokens = tokens(80);
    let prompt = prompt(&[&tokens[..33], &tokens[33..40], &tokens[40..]]);
    let whole = last_logits(&decoder, &prompt);
    for size in [1, 7, 32, 64] {
        let cut = last_logits_of_chunks(&decoder, prompt.chunks(size));
        assert!(cut == whole, "chunks of {size}");
    }
}

#[test]
fn a_wrong_description_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = TinyModel::new(LLAMA);
    model.config["ibid"] = json!({ "block_attention": { "opens": [OPENS] } });
    let source: ModelSource = model.write_folder(folder.path(), 1);
    let error = Decoder::load(&source).err().expect("refused").to_string();
    assert!(error.contains("`ibid.block_attention`"), "{error}");
}
