//! Embedders and rerankers against the reference. `fixtures/make_encoders.py` says how the
//! models and the expected numbers were made.
#![cfg(feature = "encoders")]

mod encoder_files;

use std::fs;
use std::path::Path;

use encoder_files::{EMBEDDER, fixture};
use engine::{Embedder, EngineError, Reranker, Side};
use engine_candle::encoders::{CandleEmbedder, CandleReranker, EmbedderSettings, EncoderSettings};
use engine_candle::{LoadError, ModelSource};
use serde::Deserialize;

const EMBEDDERS: [&str; 5] = [
    "bert",
    "xlm-roberta",
    "modernbert",
    "nomic-bert",
    "jina-bert",
];
const RERANKERS: [&str; 3] = [
    "bert-reranker",
    "xlm-roberta-reranker",
    "modernbert-reranker",
];

/// How far a number may be from the reference's.
const TOLERANCE: f32 = 1e-3;

/// How far a number may be from itself in another batch.
const ROUNDING: f32 = 1e-5;

#[derive(Deserialize)]
struct ExpectedVectors {
    texts: Vec<String>,
    vectors: Sides,
}

#[derive(Deserialize)]
struct Sides {
    query: Vec<Vec<f32>>,
    passage: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct ExpectedScores {
    query: String,
    passages: Vec<String>,
    scores: Vec<f32>,
}

#[test]
fn vectors_are_the_references() {
    for name in EMBEDDERS {
        let expected = expected::<ExpectedVectors>(name);
        let texts = strs(&expected.texts);
        let embedder = embedder(name, EncoderSettings::default());
        let check = |side: Side, expected: &[Vec<f32>]| {
            let vectors = embedder.embed(&texts, side).expect("the texts are short");
            assert_close(&format!("{name} {side:?}"), &vectors, expected, TOLERANCE);
        };
        check(Side::Query, &expected.vectors.query);
        check(Side::Passage, &expected.vectors.passage);
        assert_eq!(embedder.model().dimensions, expected.vectors.query[0].len());
    }
}

#[test]
fn a_text_may_come_as_its_tokens() {
    let embedder = embedder("bert", EncoderSettings::default());
    let unknown: &[u32] = &[u32::MAX];
    let refused = embedder.embed_tokens(&[unknown]);
    assert!(matches!(
        refused,
        Err(EngineError::InvalidRequest { param: "input", .. })
    ));
    let tokens: &[u32] = &[5, 6, 7];
    let vectors = embedder
        .embed_tokens(&[tokens, tokens])
        .expect("they are known");
    assert_eq!(vectors.len(), 2);
    assert_close("twice", &vectors[..1], &vectors[1..], ROUNDING);
    let long = vec![5; 100_000];
    let refused = embedder.embed_tokens(&[&long]);
    assert!(matches!(refused, Err(EngineError::PromptTooLong { .. })));
}

#[test]
fn a_model_tells_what_it_has_words_for() {
    let embedder = embedder("bert", EncoderSettings::default());
    let expected = expected::<ExpectedVectors>("bert");
    let known = embedder.coverage(&expected.texts[0]);
    let foreign = embedder.coverage("ᎠᏂᏴᏫᏯ ᏅᏙ");
    assert!(known > 0.5 && foreign < 0.5, "{known} {foreign}");
    assert_eq!(embedder.coverage("… !"), 1.0);
}

/// The first numbers of vectors by the package that the built-in embedder was cut from.
#[test]
fn the_built_in_embedder_is_the_published_one() {
    let embedder = CandleEmbedder::open(
        &ModelSource::Embedded(EMBEDDER),
        EmbedderSettings::default(),
    );
    let embedder = embedder.expect("the built-in embedder loads");
    let check = |side, text: &str, expected: [f32; 6]| {
        let vectors = embedder.embed(&[text], side).expect("the text is short");
        let first = vec![vectors[0][..6].to_vec()];
        assert_close(text, &first, &[expected.to_vec()], 2e-3);
    };
    check(
        Side::Query,
        "집주인이 월세를 올릴 수 있나요?",
        [0.04808, -0.03329, -0.08109, -0.06153, 0.06139, -0.00311],
    );
    check(
        Side::Passage,
        "Paris is the capital city of France.",
        [0.01243, -0.01458, 0.01375, -0.08327, 0.06441, -0.00636],
    );
}

#[test]
fn descriptions_in_other_words_say_the_same() {
    let check = |name: &str, description: &str| {
        let folder = edited(name, &[]);
        let described = fixture(name).join(description);
        fs::copy(described, folder.path().join("config.json")).expect("fixtures have it");
        let embed = |folder: &Path| {
            let embedder = CandleEmbedder::load(folder, EmbedderSettings::default());
            let embedder = embedder.unwrap_or_else(|error| panic!("{name}: {error}"));
            let vectors = embedder.embed(&["lava and ash fell"], Side::Query);
            vectors.expect("the text is short")
        };
        let expected = embed(edited(name, &[]).path());
        assert_close(name, &embed(folder.path()), &expected, 0.0);
    };
    check("modernbert", "config-published.json");
    check("nomic-bert", "config-native.json");
}

/// The models would show it if a key of their description were overlooked.
#[test]
fn descriptions_matter() {
    let check = |name: &str, old: &str, new: &str| {
        let embed = |edits: &[(&str, &str)]| {
            let folder = edited(name, edits);
            let embedder = CandleEmbedder::load(folder.path(), EmbedderSettings::default());
            let embedder = embedder.unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = "lava and ash fell over the mountain and the lazy dog runs away";
            let mut vectors = embedder.embed(&[text], Side::Query).expect("it fits");
            vectors.remove(0)
        };
        let (before, after) = (embed(&[]), embed(&[(old, new)]));
        let pairs = before.iter().zip(&after);
        let furthest = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(furthest > 10.0 * TOLERANCE, "{name} with {new}: {furthest}");
    };
    check(
        "bert",
        "\"num_attention_heads\": 4",
        "\"num_attention_heads\": 2",
    );
    check(
        "bert",
        "\"layer_norm_eps\": 1e-12",
        "\"layer_norm_eps\": 0.1",
    );
    check(
        "bert",
        "\"hidden_act\": \"gelu\"",
        "\"hidden_act\": \"relu\"",
    );
    check("xlm-roberta", "\"pad_token_id\": 1", "\"pad_token_id\": 0");
    check(
        "modernbert",
        "\"local_attention\": 8",
        "\"local_attention\": 64",
    );
    check(
        "modernbert",
        "\"rope_theta\": 160000.0",
        "\"rope_theta\": 100.0",
    );
    check(
        "modernbert",
        "\"rope_theta\": 10000.0",
        "\"rope_theta\": 100.0",
    );
    check(
        "nomic-bert",
        "\"rotary_emb_base\": 1000",
        "\"rotary_emb_base\": 10",
    );
    check(
        "jina-bert",
        "\"num_hidden_layers\": 2",
        "\"num_hidden_layers\": 1",
    );
}

#[test]
fn scores_are_the_references() {
    for name in RERANKERS {
        let expected = expected::<ExpectedScores>(name);
        let passages = strs(&expected.passages);
        let reranker = reranker(name, EncoderSettings::default());
        let scores = reranker.rerank(&expected.query, &passages);
        let scores = scores.expect("the passages are short");
        assert_close(name, &[scores], &[expected.scores], TOLERANCE);
    }
}

#[test]
fn a_text_has_one_vector_whatever_stands_beside_it() {
    for name in EMBEDDERS {
        let texts = expected::<ExpectedVectors>(name).texts;
        let embedder = embedder(name, EncoderSettings::default());
        let together = embedder
            .embed(&strs(&texts), Side::Passage)
            .expect("they are short");
        let alone = texts.iter().map(|text| {
            let mut vectors = embedder.embed(&[text], Side::Passage).expect("it is short");
            vectors.remove(0)
        });
        assert_close(name, &alone.collect::<Vec<_>>(), &together, ROUNDING);

        let smallest_batches = EncoderSettings {
            batch_tokens: 1,
            ..EncoderSettings::default()
        };
        let embedder = self::embedder(name, smallest_batches);
        let apart = embedder
            .embed(&strs(&texts), Side::Passage)
            .expect("they are short");
        assert_close(name, &apart, &together, ROUNDING);
    }
}

#[test]
fn a_pair_has_one_score_whatever_stands_beside_it() {
    for name in RERANKERS {
        let expected = expected::<ExpectedScores>(name);
        let reranker = reranker(name, EncoderSettings::default());
        let rerank = |passages: &[&str]| {
            let scores = reranker.rerank(&expected.query, passages);
            scores.expect("the passages are short")
        };
        let together = rerank(&strs(&expected.passages));
        let alone = expected
            .passages
            .iter()
            .map(|passage| rerank(&[passage])[0]);
        assert_close(name, &[alone.collect()], &[together], ROUNDING);
    }
}

#[test]
fn nothing_is_cut_silently() {
    let check = |name: &str, max_tokens: usize, expected: usize| {
        let settings = EncoderSettings {
            max_tokens,
            ..EncoderSettings::default()
        };
        let embedder = embedder(name, settings);
        let context = embedder.model().max_tokens;
        assert_eq!(context, expected, "{name}");
        let mut text = "fox".to_owned();
        while embedder.count_tokens(&format!("{text} fox")) <= context {
            text.push_str(" fox");
        }
        let fits = embedder.embed(&[&text], Side::Passage);
        assert!(fits.is_ok(), "{name}: {fits:?}");
        text.push_str(" fox");
        let prompt = embedder.count_tokens(&text);
        let refused = embedder.embed(&["fox", &text], Side::Passage);
        assert_eq!(
            refused,
            Err(EngineError::PromptTooLong { prompt, context }),
            "{name}"
        );
    };
    // `max_seq_length` is 32, and there are 48 positions.
    check("bert", 2048, 32);
    check("bert", 9, 9);
    // Of 98 positions two come before the first token.
    check("xlm-roberta", 2048, 96);
    check("modernbert", 2048, 128);
    check("nomic-bert", 2048, 48);
    check("jina-bert", 2048, 48);
    check("jina-bert", 20, 20);
}

#[test]
fn a_pair_that_is_too_long_is_refused() {
    let reranker = reranker("bert-reranker", EncoderSettings::default());
    let refused = reranker.rerank("fox", &["fox", &"fox ".repeat(50)]);
    let too_long = matches!(
        refused,
        Err(EngineError::PromptTooLong {
            prompt: 53..,
            context: 48
        })
    );
    assert!(too_long, "{refused:?}");
}

#[test]
fn text_cannot_produce_control_tokens() {
    let check = |name: &str, control: &str| {
        let embedder = embedder(name, EncoderSettings::default());
        let around = embedder.count_tokens("");
        let count = embedder.count_tokens(control);
        assert!(count > around + 1, "{name}: {control} is {count} tokens");
    };
    check("bert", "[SEP]");
    check("xlm-roberta", "</s>");
    check("modernbert", "[CLS]");
}

#[test]
fn prefixes_can_be_set() {
    let load = |prefix: Option<&str>| {
        let settings = EmbedderSettings {
            query_prefix: prefix.map(str::to_owned),
            ..EmbedderSettings::default()
        };
        CandleEmbedder::load(&fixture("bert"), settings).expect("the fixture is good")
    };
    let fox = |embedder: CandleEmbedder, text: &str| {
        let mut vectors = embedder.embed(&[text], Side::Query).expect("it is short");
        vectors.remove(0)
    };
    let (of_the_model, ours, none) = (load(None), load(Some("query: ")), load(Some("")));
    let expected = fox(none, "query: fox");
    assert_close(
        "of the model",
        &[fox(of_the_model, "fox")],
        std::slice::from_ref(&expected),
        0.0,
    );
    assert_close("ours", &[fox(ours, "fox")], &[expected], 0.0);
}

#[test]
fn nothing_in_nothing_out() {
    let embedder = embedder("bert", EncoderSettings::default());
    assert_eq!(embedder.embed(&[], Side::Query), Ok(vec![]));
    let reranker = reranker("bert-reranker", EncoderSettings::default());
    assert_eq!(reranker.rerank("fox", &[]), Ok(vec![]));
}

#[test]
fn models_that_would_be_misread_are_refused() {
    let check = |name: &str, edits: &[(&str, &str)], expected: fn(&LoadError) -> bool| {
        let folder = edited(name, edits);
        let refused = CandleEmbedder::load(folder.path(), EmbedderSettings::default()).err();
        assert!(
            refused.as_ref().is_some_and(expected),
            "{name} {edits:?}: {refused:?}"
        );
    };
    let unsupported = |error: &LoadError| matches!(error, LoadError::Unsupported(_));
    let config = |error: &LoadError| matches!(error, LoadError::Config(_));
    check(
        "bert",
        &[("\"model_type\": \"bert\"", "\"model_type\": \"bart\"")],
        unsupported,
    );
    check(
        "bert",
        &[("\"num_attention_heads\": 4", "\"num_attention_heads\": 0")],
        config,
    );
    check(
        "bert",
        &[("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")],
        config,
    );
    check(
        "bert",
        &[("\"vocab_size\": 148", "\"vocab_size\": 149")],
        config,
    );
    check(
        "modernbert",
        &[(
            "\"hidden_activation\": \"gelu\"",
            "\"hidden_activation\": \"relu\"",
        )],
        unsupported,
    );
    check(
        "modernbert",
        &[("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4")],
        config,
    );
    check("nomic-bert", &[("\"swiglu\"", "\"gelu\"")], unsupported);
    check("jina-bert", &[("\"geglu\"", "\"reglu\"")], unsupported);
}

#[test]
fn an_embedder_is_no_reranker() {
    for name in EMBEDDERS {
        let refused = CandleReranker::load(&fixture(name), EncoderSettings::default());
        assert!(refused.is_err(), "{name}");
    }
}

#[test]
fn settings_have_ranges() {
    let check = |settings: EncoderSettings, name: &str| {
        let refused = CandleReranker::load(&fixture("bert-reranker"), settings).err();
        let named =
            matches!(&refused, Some(LoadError::Setting { name: found, .. }) if *found == name);
        assert!(named, "{refused:?}");
    };
    let settings = EncoderSettings::default;
    check(
        EncoderSettings {
            threads: Some(0),
            ..settings()
        },
        "threads",
    );
    check(
        EncoderSettings {
            batch_tokens: 0,
            ..settings()
        },
        "batch_tokens",
    );
    check(
        EncoderSettings {
            max_tokens: 1,
            ..settings()
        },
        "max_tokens",
    );
}

/// A copy of a fixture with its `config.json` edited.
fn edited(name: &str, edits: &[(&str, &str)]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("there is room for a small folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(fixture(name).join(file), copy.path().join(file)).expect("fixtures have it");
    }
    let path = copy.path().join("config.json");
    let mut config = fs::read_to_string(&path).expect("it was copied");
    for (old, new) in edits {
        assert!(config.contains(old), "{name} has no {old}");
        config = config.replace(old, new);
    }
    fs::write(path, config).expect("it is ours");
    copy
}

fn embedder(name: &str, encoder: EncoderSettings) -> CandleEmbedder {
    let settings = EmbedderSettings {
        encoder,
        ..EmbedderSettings::default()
    };
    CandleEmbedder::load(&fixture(name), settings).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn reranker(name: &str, settings: EncoderSettings) -> CandleReranker {
    let loaded = CandleReranker::load(&fixture(name), settings);
    loaded.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn expected<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let file = fs::read(fixture(name).join("expected.json")).expect("every fixture has one");
    serde_json::from_slice(&file).expect("the script wrote it")
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn assert_close(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (text, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}");
        let pairs = found.iter().zip(expected);
        let furthest = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(
            furthest <= tolerance,
            "{what}, text {text}: {furthest} off\n{found:?}\n{expected:?}"
        );
    }
}
