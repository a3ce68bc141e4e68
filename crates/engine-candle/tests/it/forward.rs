//! The decoder's logits are those of the plain reference, from every kind of file.

use candle_core::quantized::GgmlDType;
use engine_candle::{Asks, Chunk, Decoder, ModelSource};

use crate::models::{LLAMA, QWEN2, TinyModel, VOCAB, Variant, bundled_folder, bundled_weights};
use crate::reference;

/// Some tokens; longer than a page of keys and values.
pub(crate) fn tokens(count: usize) -> Vec<u32> {
    (0..count)
        .map(|i| (i * i * 7 + i * 3 + 5) as u32 % VOCAB as u32)
        .collect()
}

/// The logits after the last token, read in one chunk.
pub(crate) fn last_logits(decoder: &Decoder, tokens: &[u32]) -> Vec<f32> {
    last_logits_of_chunks(decoder, [tokens])
}

/// The logits after the last token of a sequence that is read in these chunks.
pub(crate) fn last_logits_of_chunks<'a>(
    decoder: &Decoder,
    chunks: impl IntoIterator<Item = &'a [u32]>,
) -> Vec<f32> {
    let mut cache = decoder.new_cache();
    let (mut read, mut last) = (0, Vec::new());
    for tokens in chunks {
        let chunk = Chunk {
            tokens,
            cache: &mut cache,
            asks: Asks::Logits,
        };
        let mut logits = decoder.forward(&mut [chunk]).expect("it computes");
        last = logits.remove(0);
        read += tokens.len();
        assert_eq!(cache.len(), read);
    }
    last
}

#[test]
fn logits_agree_with_the_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    for variant in [LLAMA, QWEN2] {
        let model = TinyModel::new(variant);
        let tokens = tokens(40);
        let expected = reference::logits(&model, &tokens);
        let sources = [
            model.write_folder(folder.path(), 1),
            model.write_folder(folder.path(), 3),
            model.write_gguf(&folder.path().join("model.gguf"), GgmlDType::F32),
        ];
        for source in sources {
            let decoder = Decoder::load(&source).expect("it loads");
            // Few rows and many go through different kernels.
            for count in [1, 2, 16, 17, 40] {
                let got = last_logits(&decoder, &tokens[..count]);
                let distance = distance(&got, &expected[count - 1]);
                assert!(
                    distance < 1e-3,
                    "{} from {source:?}, {count} tokens: off by {distance}",
                    variant.family
                );
            }
        }
    }
}

#[test]
fn the_bundled_model_agrees_with_the_reference() {
    let decoder = Decoder::load(&ModelSource::Path(bundled_folder())).expect("it loads");
    let tokens = [1, 3, 600, 700, 4, 800, 5];
    let expected = reference::logits(&bundled_weights(), &tokens);
    let distance = distance(&last_logits(&decoder, &tokens), &expected[6]);
    assert!(distance < 1e-3, "off by {distance}");
}

#[test]
fn quantised_weights_give_nearly_the_same_logits() {
    let wide = Variant {
        hidden: 256,
        ..LLAMA
    };
    let model = TinyModel::new(wide);
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = tokens(70);
    let check = |dtype: GgmlDType, least: f64| {
        let source = model.write_gguf(&folder.path().join("model.gguf"), dtype);
        let decoder = Decoder::load(&source).expect("it loads");
        for count in [1, 12, 70] {
            let expected = reference::logits(&model, &tokens[..count]);
            let got = last_logits(&decoder, &tokens[..count]);
            let cosine = cosine(&got, expected.last().expect("there are tokens"));
            assert!(cosine > least, "{dtype:?}, {count} tokens: cosine {cosine}");
        }
    };
    check(GgmlDType::F16, 0.99999);
    check(GgmlDType::Q8_0, 0.999);
    check(GgmlDType::Q6K, 0.995);
    check(GgmlDType::Q5K, 0.985);
    check(GgmlDType::Q4K, 0.95);
    check(GgmlDType::Q4_0, 0.95);
}

#[test]
fn linear_and_llama3_rope_scaling_are_read() {
    let mut model = TinyModel::new(LLAMA);
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = tokens(9);
    let plain = Decoder::load(&model.write_folder(folder.path(), 1)).expect("it loads");
    let plain = last_logits(&plain, &tokens);
    model.config["rope_scaling"] = serde_json::json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    });
    let scaled = Decoder::load(&model.write_folder(folder.path(), 1)).expect("it loads");
    assert_ne!(last_logits(&scaled, &tokens), plain);
    model.config["rope_scaling"] = serde_json::json!({"type": "linear", "factor": 1.0});
    let unscaled = Decoder::load(&model.write_folder(folder.path(), 1)).expect("it loads");
    assert_eq!(last_logits(&unscaled, &tokens), plain);
}

#[test]
fn a_token_outside_the_vocabulary_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let source: ModelSource = TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    let decoder = Decoder::load(&source).expect("it loads");
    for tokens in [&[VOCAB as u32][..], &[]] {
        let chunk = Chunk {
            tokens,
            cache: &mut decoder.new_cache(),
            asks: Asks::Logits,
        };
        assert!(decoder.forward(&mut [chunk]).is_err(), "{tokens:?}");
    }
}

fn distance(got: &[f32], expected: &[f64]) -> f64 {
    let differences = got
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    differences.fold(0.0, f64::max)
}

fn cosine(got: &[f32], expected: &[f64]) -> f64 {
    let (mut product, mut a, mut b) = (0.0, 0.0, 0.0);
    for (got, expected) in got.iter().zip(expected) {
        let got = f64::from(*got);
        product += got * expected;
        a += got * got;
        b += expected * expected;
    }
    product / (a * b).sqrt()
}
