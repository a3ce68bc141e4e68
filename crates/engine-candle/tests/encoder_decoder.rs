//! T5 against the reference. `fixtures/make_encoder_decoders.py` says how the models and the
//! expected numbers were made.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use engine::{Engine, Event, Message, Prompt, Request, Role, Sharing, contract};
use engine_candle::inspect::Inspection;
use engine_candle::{CandleEngine, LoadError, ModelSource, Settings, T5};
use serde::Deserialize;

const MODELS: [&str; 2] = ["t5", "flan-t5"];

/// How far a logit may be from the reference's.
const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Expected {
    prompt: Vec<u32>,
    /// What the model answers when the most likely token is always taken.
    answer: Vec<u32>,
    /// The logits before each token of the answer.
    logits: Vec<Vec<f32>>,
}

#[test]
fn answers_and_logits_are_the_references() {
    for name in MODELS {
        let (model, expected) = (model(name), expected(name));
        let mut reading = model.read(&expected.prompt).expect("the prompt is good");
        let mut token = model.start_token();
        for (step, wanted) in expected.logits.iter().enumerate() {
            let logits = model
                .decode(&[token], &mut reading)
                .expect("the token is good");
            assert_close(&format!("{name}, step {step}"), &logits, wanted);
            token = most_likely(&logits);
            assert_eq!(token, expected.answer[step], "{name}, step {step}");
        }
    }
}

#[test]
fn gguf_files_hold_the_same_models() {
    for name in MODELS {
        let expected = expected(name);
        let file = fixture(&format!("{name}.gguf"));
        let model = T5::load(&ModelSource::Path(file)).expect("the file is good");
        let mut reading = model.read(&expected.prompt).expect("the prompt is good");
        let start = [model.start_token()];
        let logits = model.decode(&start, &mut reading);
        let logits = logits.expect("the token is good");
        assert_close(name, &logits, &expected.logits[0]);
    }
}

#[test]
fn files_tell_what_the_models_need() {
    for (file, tokenizer) in [
        ("t5", "Unigram from tokenizer.json"),
        ("flan-t5.gguf", "t5 (default) from GGUF"),
    ] {
        let told = Inspection::open(&ModelSource::Path(fixture(file))).expect("the file is good");
        assert_eq!(
            (told.family.as_str(), told.tokenizer.as_str()),
            ("t5", tokenizer)
        );
        assert_eq!(
            told.loaded_bytes(),
            4 * told.parameters(),
            "{file}: all in f32"
        );
        assert!(
            told.kv_bytes_per_token > 0 && told.context >= 512,
            "{told:?}"
        );
    }
}

#[test]
fn the_contract_is_kept() {
    for file in ["flan-t5", "flan-t5.gguf"] {
        contract::check(&engine(file));
    }
}

#[test]
fn a_text_is_as_likely_as_the_model_says() {
    for name in MODELS {
        let engine = engine(name);
        let prompt = Prompt {
            messages: vec![Message::new(Role::User, "what does ibid mean?")],
            ..Prompt::default()
        };
        let scores = engine.score(&prompt, "it means the same place", &Sharing::default());
        let scores = scores.expect("it is taken");
        assert!(scores.len() > 3, "{scores:?}");
        let model = model(name);
        let mut tokens = engine.prompt_tokens(&prompt).expect("it is tokenised");
        tokens.push(1);
        let mut reading = model.read(&tokens).expect("the prompt is good");
        let mut last = model.start_token();
        for score in scores {
            let logits = model.decode(&[last], &mut reading);
            let logits = logits.expect("the token is good");
            last = score.id;
            let total = logits.iter().map(|logit| logit.exp()).sum::<f32>().ln();
            assert_close(name, &[score.logprob], &[logits[last as usize] - total]);
        }
    }
}

#[test]
fn an_answer_is_what_the_model_says() {
    let question = "what does ibid mean?";
    for name in MODELS {
        let engine = engine(name);
        let message = Message::new(Role::User, question);
        let prompt = Prompt {
            messages: vec![message],
            ..Prompt::default()
        };
        let tokens = engine.prompt_tokens(&prompt).expect("it is tokenised");
        let model = model(name);
        let end = 1;
        let read = model.read(&[&tokens[..], &[end]].concat());
        let mut reading = read.expect("the prompt is good");
        let mut token = model.start_token();
        let expected = iter::repeat_with(|| {
            let logits = model.decode(&[token], &mut reading);
            token = most_likely(&logits.expect("the token is good"));
            token
        });
        let expected = expected.take(12).collect::<Vec<_>>();
        let request = Request {
            prompt,
            max_tokens: Some(12),
            ..Request::default()
        };
        let mut stream = engine.generate(request).expect("there is room");
        let mut answer = Vec::new();
        while let Some(event) = stream.next_blocking() {
            if let Event::Token(token) = event.expect("no error") {
                answer.push(token.id);
            }
        }
        assert_eq!(answer, expected[..answer.len()], "{name}");
        assert!(answer.len() == 12 || answer.last() == Some(&end), "{name}");
        let gguf = self::engine(&format!("{name}.gguf"));
        assert_eq!(gguf.content_tokens(question), Ok(tokens), "{name}");
    }
}

fn engine(name: &str) -> CandleEngine {
    let settings = Settings {
        threads: Some(1),
        queue: 4,
        ..Settings::default()
    };
    let engine = CandleEngine::load(ModelSource::Path(fixture(name)), settings);
    engine.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn an_answer_may_be_continued_by_several_tokens_at_once() {
    for name in MODELS {
        let (model, expected) = (model(name), expected(name));
        let answer = iter::once(model.start_token()).chain(expected.answer.iter().copied());
        let answer = answer.take(expected.logits.len()).collect::<Vec<_>>();
        let last = expected.logits.last().expect("there are some");
        for first_part in [1, 5, answer.len()] {
            let mut reading = model.read(&expected.prompt).expect("the prompt is good");
            let parts = [&answer[..first_part], &answer[first_part..]];
            let mut logits = Vec::new();
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                logits = model
                    .decode(part, &mut reading)
                    .expect("the tokens are good");
            }
            assert_close(&format!("{name}, {first_part} first"), &logits, last);
        }
    }
}

#[test]
fn tokens_outside_the_vocabulary_are_an_error() {
    let model = model("t5");
    assert!(model.read(&[1 << 20]).is_err());
    assert!(model.read(&[]).is_err());
    let mut reading = model.read(&[5, 1]).expect("the prompt is good");
    assert!(model.decode(&[1 << 20], &mut reading).is_err());
    assert!(model.decode(&[], &mut reading).is_err());
}

#[test]
fn descriptions_that_do_not_fit_are_refused() {
    let check = |old: &str, new: &str| {
        let copy = tempfile::tempdir().expect("there is room for a small folder");
        let weights = "model.safetensors";
        fs::copy(fixture("t5").join(weights), copy.path().join(weights)).expect("it is there");
        let config = fs::read_to_string(fixture("t5").join("config.json")).expect("it is there");
        assert!(config.contains(old), "no {old}");
        let config = config.replace(old, new);
        fs::write(copy.path().join("config.json"), config).expect("it is ours");
        let refused = T5::load(&ModelSource::Path(copy.path().to_owned())).err();
        let named = matches!(
            refused,
            Some(LoadError::Config(_) | LoadError::Unsupported(_) | LoadError::Missing(_))
        );
        assert!(named, "{new}: {refused:?}");
    };
    check("\"model_type\": \"t5\"", "\"model_type\": \"bart\"");
    check("\"num_heads\": 4", "\"num_heads\": 0");
    check("\"num_layers\": 2", "\"num_layers\": 3");
    check("\"relu\"", "\"gated-tanh\"");
    check("_num_buckets\": 32", "_num_buckets\": 2");
}

fn model(name: &str) -> T5 {
    let loaded = T5::load(&ModelSource::Path(fixture(name)));
    loaded.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn expected(name: &str) -> Expected {
    let file = fs::read(fixture(name).join("expected.json")).expect("every fixture has one");
    serde_json::from_slice(&file).expect("the script wrote it")
}

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join("encoder-decoders").join(name)
}

fn most_likely(logits: &[f32]) -> u32 {
    let best = (0..).zip(logits).max_by(|(_, x), (_, y)| x.total_cmp(y));
    best.expect("there are logits").0
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let pairs = found.iter().zip(expected);
    let furthest = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(furthest <= TOLERANCE, "{what}: {furthest} off");
}
