//! Safetensors files that are cut short, damaged or made to mislead are refused with a reason;
//! none makes the program panic.

use std::fs;
use std::path::Path;

use engine_candle::{Decoder, LoadError, ModelSource};

use crate::models::{LLAMA, TinyModel};

fn load(path: &Path) -> Result<Decoder, LoadError> {
    Decoder::load(&ModelSource::Path(path.to_owned()))
}

#[test]
fn a_safetensors_file_with_a_wrong_byte_never_panics() {
    let folder = tempfile::tempdir().expect("a folder");
    TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    let path = folder.path().join("model-0.safetensors");
    let whole = fs::read(&path).expect("read");
    for at in (0..whole.len().min(1500)).step_by(2) {
        for wrong in [0, b'9', 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = wrong;
            fs::write(&path, &bytes).expect("written");
            let _ = load(folder.path());
        }
    }
}

#[test]
fn damaged_safetensors_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    let path = folder.path().join("model-0.safetensors");
    let whole = fs::read(&path).expect("read");
    for length in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..length]).expect("written");
        let error = load(folder.path()).err();
        assert!(
            matches!(error, Some(LoadError::Malformed { .. })),
            "{length}: {error:?}"
        );
    }
    let check = |header: &str, data: usize, expected: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        fs::write(&path, bytes).expect("written");
        let error = load(folder.path()).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    };
    let tensor = |shape: &str, offsets: &str| {
        format!(r#"{{"x":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    check("", 0, "header");
    check("[]", 0, "header");
    check(
        &tensor("[2]", "[0,8]"),
        8,
        "no tensor model.embed_tokens.weight",
    );
    check(&tensor("[2]", "[0,8]"), 7, "damaged");
    check(&tensor("[2]", "[8,0]"), 8, "damaged");
    check(&tensor("[3]", "[0,8]"), 8, "fill");
    check(&tensor("[4294967296,4294967296]", "[0,0]"), 0, "fill");
    let overlapping = r#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    check(overlapping, 99, "overlaps");
    check(&"[".repeat(100_000), 8, "header");
    check(&tensor("[-1]", "[0,8]"), 8, "header");
    check(&tensor("[2]", "[0,18446744073709551615]"), 8, "damaged");
    fs::write(&path, u64::MAX.to_le_bytes()).expect("written");
    let error = load(folder.path()).err();
    assert!(
        matches!(error, Some(LoadError::Malformed { .. })),
        "{error:?}"
    );
}

#[test]
fn an_index_cannot_lead_out_of_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    let index = r#"{"weight_map":{"x":"../model-0.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).expect("written");
    let error = load(folder.path()).err();
    assert!(
        matches!(error, Some(LoadError::Malformed { .. })),
        "{error:?}"
    );
}
