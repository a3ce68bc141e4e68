//! Each family of models against the reference implementation.
//!
//! `fixtures/make_decoders.py` made a tiny random model of each family and wrote down the logits
//! that the reference computes after every token. Ours must agree however the tokens arrive: as
//! whole prompts, one at a time, or in pieces beside other sequences.

mod decoder_runs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use decoder_runs::{Expected, WAYS};
use engine_candle::{Asks, Chunk, Decoder, ModelSource};
use serde_json::{Value, json};

/// Agreement in f32. The reference agrees with itself, token by token, to a tenth of this.
const EXACT: f32 = 1e-3;

/// Quantised kernels round what goes into a matrix to 8 bits as well.
const QUANTISED: f32 = 0.5;

/// A folder in `fixtures/decoders` and the GGUF files in it.
const FAMILIES: &[(&str, &[&str])] = &[
    ("llama-2", &["F32.gguf", "Q8_0.gguf"]),
    ("llama-3", &["BF16.gguf"]),
    ("llama-yarn", &["BF16.gguf"]),
    ("llama-linear", &[]),
    ("llama-bias", &[]),
    ("mistral", &[]),
    ("smollm2", &[]),
    ("smollm3", &["BF16.gguf"]),
    ("qwen2", &["F32.gguf"]),
    ("qwen2-window", &[]),
    ("qwen3", &["F16.gguf"]),
    ("gemma2", &["BF16.gguf"]),
    ("gemma2-scale", &[]),
    ("gemma3", &["BF16.gguf"]),
    ("phi3", &[]),
    ("phi3.5", &["BF16.gguf"]),
    ("granite3", &["BF16.gguf"]),
];

#[test]
fn families_agree_with_the_reference() {
    let wrong = FAMILIES
        .iter()
        .flat_map(|(family, ggufs)| each_form(family, ggufs, check))
        .collect::<Vec<_>>();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn other_sequences_change_no_bit() {
    for (family, _) in FAMILIES {
        let decoder = Decoder::load(&ModelSource::Path(fixture(family))).expect("it loads");
        let expected = expected(family, "expected.json");
        let alone = expected
            .iter()
            .map(|one| in_pieces(&decoder, &[&one.tokens], &[1]).remove(0))
            .collect::<Vec<_>>();
        let sequences = expected.iter().map(|one| &*one.tokens).collect::<Vec<_>>();
        for lens in [[1, 1], [1, 7], [5, 1], [9, 7]] {
            let batched = in_pieces(&decoder, &sequences, &lens);
            for (batched, alone) in batched.iter().zip(&alone) {
                let same = batched.iter().all(|(end, row)| alone[end] == *row);
                assert!(same, "{family} in pieces of {lens:?}");
            }
        }
    }
}

#[test]
fn descriptions_that_make_no_sense_are_refused() {
    let check = |family: &str, key: &str, value: Value, expected: &str| {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = publish(family, folder.path()).join("config.json");
        let config = fs::read(&path).expect("it was copied");
        let mut config = serde_json::from_slice::<Value>(&config).expect("it is well-formed");
        config[key] = value;
        fs::write(&path, config.to_string()).expect("it can be written");
        let error = Decoder::load(&ModelSource::Path(folder.path().to_owned())).err();
        let error = error.map_or("it loads".to_owned(), |error| error.to_string());
        assert!(error.contains(expected), "{family}, {key}: {error}");
    };
    check("mistral", "sliding_window", json!(0), "window of 0");
    check("qwen2", "layer_types", json!(["full_attention"]), "layer 1");
    check("qwen2", "layer_types", json!(["linear"]), "linear");
    check("gemma2", "hidden_activation", json!("relu"), "relu");
    check("gemma2", "final_logit_softcapping", json!(-1), "cap");
    check("granite3", "logits_scaling", json!(0), "scaling");
    check("phi3", "partial_rotary_factor", json!(0.5), "partial");
    for factors in [json!([]), json!([1.0])] {
        let scaling = json!({"type": "longrope", "long_factor": factors});
        check("phi3.5", "rope_scaling", scaling, "rope factors");
    }
    let scaling = json!({"type": "longrope", "long_factor": [1, 1, 1, 1, 1, 1, 1, 0]});
    check("phi3.5", "rope_scaling", scaling, "above 0");
    let scaling = json!({"type": "yarn", "factor": 4, "beta_fast": 0});
    check("llama-yarn", "rope_scaling", scaling, "above 0");
    let scaling = json!({"type": "dynamic", "factor": 4});
    check("llama-yarn", "rope_scaling", scaling, "dynamic");
}

#[test]
fn every_fixture_is_tested() {
    let folders = fs::read_dir(fixture("")).expect("there are fixtures");
    let mut found = folders
        .map(|folder| folder.expect("it can be listed").file_name())
        .map(|name| name.into_string().expect("names are plain"))
        .collect::<Vec<_>>();
    let mut listed = FAMILIES
        .iter()
        .map(|(family, _)| *family)
        .collect::<Vec<_>>();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

/// Calls `check` with the source, the family, and the file that describes the model: as the
/// reference writes it, as published folders say it, and as GGUF. Returns what went wrong.
fn each_form(
    family: &str,
    ggufs: &[&str],
    check: impl Fn(ModelSource, &str, &str) -> Result<(), String>,
) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let published = publish(family, folder.path());
    let folders = [
        (fixture(family), "config.json"),
        (published, "config-published.json"),
    ];
    let files = ggufs.iter().map(|gguf| (fixture(family).join(gguf), *gguf));
    folders
        .into_iter()
        .chain(files)
        .filter_map(|(path, form)| check(ModelSource::Path(path), family, form).err())
        .collect()
}

fn check(source: ModelSource, family: &str, form: &str) -> Result<(), String> {
    let (expected, tolerance) = match form {
        "Q8_0.gguf" => ("expected-Q8_0.json", QUANTISED),
        _ => ("expected.json", EXACT),
    };
    let expected = self::expected(family, expected);
    let decoder = Decoder::load(&source);
    let decoder = decoder.map_err(|error| format!("{family} {form}: {error}"))?;
    for (way, run) in WAYS {
        for (ours, theirs) in run(&decoder, &expected).iter().zip(&expected) {
            let (position, difference) = worst(ours, &theirs.logits);
            if difference > tolerance {
                return Err(format!(
                    "{family} {form}, {way}: off by {difference} at position {position} of {}",
                    theirs.tokens.len()
                ));
            }
        }
    }
    Ok(())
}

/// Runs the sequences side by side, each in pieces of so many tokens. Returns the logits after
/// each piece, by how much of the sequence was then read.
fn in_pieces(
    decoder: &Decoder,
    sequences: &[&[u32]],
    lens: &[usize],
) -> Vec<BTreeMap<usize, Vec<f32>>> {
    let mut caches = sequences
        .iter()
        .map(|_| decoder.new_cache())
        .collect::<Vec<_>>();
    let mut logits = vec![BTreeMap::new(); sequences.len()];
    loop {
        let mut batch = Vec::new();
        let mut ends = Vec::new();
        for (index, cache) in caches.iter_mut().enumerate() {
            let rest = &sequences[index][cache.len()..];
            let tokens = &rest[..lens[index].min(rest.len())];
            if !tokens.is_empty() {
                ends.push((index, cache.len() + tokens.len()));
                batch.push(Chunk {
                    tokens,
                    cache,
                    asks: Asks::Logits,
                });
            }
        }
        if batch.is_empty() {
            return logits;
        }
        let rows = decoder.forward(&mut batch).expect("the batch can be run");
        for ((index, end), row) in ends.into_iter().zip(rows) {
            logits[index].insert(end, row);
        }
    }
}

fn expected(family: &str, file: &str) -> Vec<Expected> {
    let expected = fs::read(fixture(family).join(file)).expect("the fixture is complete");
    serde_json::from_slice(&expected).expect("it is well-formed")
}

/// The position with the largest difference, and that difference.
fn worst(ours: &[Vec<f32>], theirs: &[Vec<f32>]) -> (usize, f32) {
    let differences = ours.iter().zip(theirs).map(|(ours, theirs)| {
        assert_eq!(
            ours.len(),
            theirs.len(),
            "as many logits as tokens in the vocabulary"
        );
        let each = ours
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| (ours - theirs).abs());
        let or_nan = each.map(|one| if one.is_nan() { f32::INFINITY } else { one });
        or_nan.fold(0.0, f32::max)
    });
    let worst = differences.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    worst.expect("a sequence has tokens")
}

fn fixture(family: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("fixtures/decoders").join(family)
}

/// The model as a published folder describes it.
fn publish(family: &str, folder: &Path) -> PathBuf {
    let files = [
        ("config-published.json", "config.json"),
        ("model.safetensors", "model.safetensors"),
    ];
    for (from, to) in files {
        fs::copy(fixture(family).join(from), folder.join(to)).expect("the fixture is complete");
    }
    folder.to_owned()
}
