//! Models written in fewer bits are still the same models, and say what they lost.

mod decoder_runs;

use std::fs;
use std::path::{Path, PathBuf};

use decoder_runs::{Expected, WAYS};
use engine_candle::quantize::{QuantizeError, Report, Target, quantize};
use engine_candle::{Decoder, ModelSource};

/// Half precision, in weights that are random.
const NEARLY: f32 = 0.02;

/// Eight bits, of weights and of what is multiplied with them.
const ROUGHLY: f32 = 0.5;

/// Sliding windows and scales that llama.cpp knows no keys for.
const INEXPRESSIBLE: &[&str] = &["gemma2-scale", "mistral", "qwen2-window"];

#[test]
fn every_family_survives() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut faults = Vec::new();
    for family in families() {
        let out = folder.path().join(format!("{family}.gguf"));
        let written = run(&fixture(&family), &out, Target::F16);
        match (written, INEXPRESSIBLE.contains(&&*family)) {
            (Err(QuantizeError::Inexpressible(_)), true) => assert!(!out.exists()),
            (Ok(report), false) => {
                assert!(report.without_tokenizer.is_some(), "there is no tokenizer");
                let error = worst(&family, &out);
                if error > NEARLY {
                    faults.push(format!("{family}: off by {error}"));
                }
            }
            (other, _) => faults.push(format!("{family}: {other:?}")),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_larger_gguf_becomes_a_smaller_one() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (large, small) = (folder.path().join("l.gguf"), folder.path().join("s.gguf"));
    let first = run(&fixture("llama-3"), &large, Target::F16).expect("it can be written");
    let second = run(&large, &small, Target::Q8_0).expect("it can be written");
    assert!(second.bytes_after < first.bytes_after);
    let (tensor, error) = second.worst.expect("something was lost");
    assert!(tensor.ends_with(".weight"), "{tensor}");
    assert!((0.001..0.02).contains(&error), "{error}");
    assert!(worst("llama-3", &small) < ROUGHLY);
    // What is small already stays as it is.
    let again = run(&small, &folder.path().join("a.gguf"), Target::F16).expect("it is written");
    assert_eq!(again.worst, None);
    assert_eq!(again.bytes_after, second.bytes_after);
}

#[test]
fn nothing_is_overwritten_and_nothing_half_done_stays() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let out = folder.path().join("model.gguf");
    fs::write(&out, "precious").expect("it can be written");
    let refused = run(&fixture("llama-3"), &out, Target::Q8_0);
    assert!(matches!(refused, Err(QuantizeError::Exists(_))));
    assert_eq!(fs::read(&out).expect("it is there"), b"precious");
    let missing = folder.path().join("no-such-folder").join("model.gguf");
    let refused = run(&fixture("llama-3"), &missing, Target::Q8_0);
    assert!(matches!(refused, Err(QuantizeError::Write { .. })));
    let refused = run(&out, &folder.path().join("new.gguf"), Target::Q8_0);
    assert!(matches!(refused, Err(QuantizeError::Load(_))));
    let files = fs::read_dir(folder.path()).expect("it can be listed");
    assert_eq!(files.count(), 1);
}

fn run(source: &Path, out: &Path, target: Target) -> Result<Report, QuantizeError> {
    let mut last = None;
    let source = ModelSource::Path(source.to_owned());
    let report = quantize(&source, out, target, &mut |progress| {
        assert!(Some(progress.done) > last && progress.done <= progress.total);
        last = Some(progress.done);
        if progress.done == progress.total {
            assert!(!progress.tensor.is_empty());
        }
    })?;
    Ok(report)
}

/// The largest distance to the logits of the reference.
fn worst(family: &str, model: &Path) -> f32 {
    let expected = fs::read(fixture(family).join("expected.json")).expect("it is there");
    let expected = serde_json::from_slice::<Vec<Expected>>(&expected).expect("it is well-formed");
    let decoder = Decoder::load(&ModelSource::Path(model.to_owned())).expect("it loads");
    let (_, whole_prompts) = WAYS[0];
    let got = whole_prompts(&decoder, &expected);
    let got = got.iter().flatten().flatten();
    let wanted = expected.iter().flat_map(|one| &one.logits).flatten();
    let distances = got.zip(wanted).map(|(a, b)| (a - b).abs());
    distances.fold(0.0, f32::max)
}

fn families() -> Vec<String> {
    let folders = fs::read_dir(fixture("")).expect("there are fixtures");
    let names = folders.map(|folder| folder.expect("it can be listed").file_name());
    let mut names = names
        .map(|name| name.into_string().expect("names are plain"))
        .collect::<Vec<_>>();
    names.sort();
    names
}

fn fixture(family: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("fixtures/decoders").join(family)
}
