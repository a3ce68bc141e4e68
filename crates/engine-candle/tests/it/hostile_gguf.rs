//! GGUF files that are cut short, damaged or made to mislead are refused with a reason; none makes
//! the program panic or ask for absurd amounts of memory.

use std::fs;
use std::path::Path;

use candle_core::quantized::GgmlDType;
use engine_candle::{CandleEngine, Decoder, LoadError, ModelSource, Settings};

use crate::models::{LLAMA, TinyModel};

/// A GGUF file written field by field, so that any field can be wrong.
#[derive(Clone)]
struct Gguf {
    magic: [u8; 4],
    version: u32,
    tensor_count: u64,
    key_count: u64,
    metadata: Vec<u8>,
    dimensions: Vec<u64>,
    tensor_type: u32,
    offset: u64,
}

impl Default for Gguf {
    fn default() -> Self {
        Self {
            magic: *b"GGUF",
            version: 3,
            tensor_count: 1,
            key_count: 0,
            metadata: Vec::new(),
            dimensions: vec![8, 4],
            tensor_type: 0,
            offset: 0,
        }
    }
}

impl Gguf {
    fn with_key(mut self, key: &str, value_type: u32, value: &[u8]) -> Self {
        self.key_count += 1;
        push_string(&mut self.metadata, key);
        self.metadata.extend(value_type.to_le_bytes());
        self.metadata.extend(value);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tensor_count.to_le_bytes());
        bytes.extend(self.key_count.to_le_bytes());
        bytes.extend(&self.metadata);
        push_string(&mut bytes, "token_embd.weight");
        bytes.extend((self.dimensions.len() as u32).to_le_bytes());
        for dimension in &self.dimensions {
            bytes.extend(dimension.to_le_bytes());
        }
        bytes.extend(self.tensor_type.to_le_bytes());
        bytes.extend(self.offset.to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(32) + 128, 0);
        bytes
    }
}

fn push_string(bytes: &mut Vec<u8>, string: &str) {
    bytes.extend((string.len() as u64).to_le_bytes());
    bytes.extend(string.as_bytes());
}

fn load(path: &Path) -> Result<Decoder, LoadError> {
    Decoder::load(&ModelSource::Path(path.to_owned()))
}

#[test]
fn absurd_gguf_headers_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let check = |gguf: Gguf, expected: &str| {
        fs::write(&path, gguf.bytes()).expect("written");
        let error = load(&path).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    };
    let gguf = Gguf::default;
    let changed = |change: fn(&mut Gguf)| {
        let mut gguf = gguf();
        change(&mut gguf);
        gguf
    };
    // The default itself passes the check, and is refused for having no architecture.
    check(gguf(), "architecture");
    check(changed(|gguf| gguf.magic = *b"GGML"), "begin");
    check(changed(|gguf| gguf.version = 9), "version");
    check(changed(|gguf| gguf.tensor_count = u64::MAX), "tensors");
    check(changed(|gguf| gguf.key_count = u64::MAX), "metadata keys");
    check(changed(|gguf| gguf.dimensions = vec![]), "0 dimensions");
    check(changed(|gguf| gguf.dimensions = vec![1; 5]), "5 dimensions");
    check(changed(|gguf| gguf.dimensions = vec![0, 4]), "shape");
    check(
        changed(|gguf| gguf.dimensions = vec![1 << 32, 1 << 32]),
        "shape",
    );
    check(changed(|gguf| gguf.dimensions = vec![1 << 61, 8]), "shape");
    check(changed(|gguf| gguf.dimensions = vec![1 << 61]), "outside");
    check(
        changed(|gguf| gguf.dimensions = vec![u64::MAX]),
        "too large",
    );
    check(changed(|gguf| gguf.dimensions = vec![8, 5]), "outside");
    check(
        changed(|gguf| {
            gguf.dimensions = vec![31, 1];
            gguf.tensor_type = 8;
        }),
        "shape",
    );
    check(changed(|gguf| gguf.tensor_type = 99), "type 99");
    check(changed(|gguf| gguf.offset = 7), "aligned");
    check(changed(|gguf| gguf.offset = 1 << 40), "outside");
    check(changed(|gguf| gguf.offset = u64::MAX - 31), "outside");
    let alignment =
        |alignment: u32| gguf().with_key("general.alignment", 4, &alignment.to_le_bytes());
    check(alignment(0), "alignment");
    check(alignment(3), "alignment");
    check(alignment(1 << 31), "alignment");
    check(
        gguf().with_key("general.alignment", 8, &[0; 8]),
        "alignment",
    );
    check(gguf().with_key("x", 77, &[]), "type 77");
    check(gguf().with_key("x", 7, &[2]), "neither");
    check(gguf().with_key("x", 8, &u64::MAX.to_le_bytes()), "string");
    let array = |value_type: u32, count: u64| {
        let mut bytes = value_type.to_le_bytes().to_vec();
        bytes.extend(count.to_le_bytes());
        bytes
    };
    check(
        gguf().with_key("x", 9, &array(0, u64::MAX)),
        "array elements",
    );
    check(
        gguf().with_key("x", 9, &array(0, 1 << 22)),
        "ends in the middle",
    );
    check(gguf().with_key("x", 9, &array(9, 1).repeat(100)), "type 9");
}

#[test]
fn a_gguf_cut_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    TinyModel::new(LLAMA).write_gguf(&path, GgmlDType::F16);
    let whole = fs::read(&path).expect("read");
    for length in (0..whole.len() - 32).step_by(61) {
        fs::write(&path, &whole[..length]).expect("written");
        let error = load(&path).err();
        assert!(
            matches!(error, Some(LoadError::Malformed { .. })),
            "{length} of {} bytes: {error:?}",
            whole.len()
        );
    }
}

#[test]
fn a_gguf_with_a_wrong_byte_never_panics() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    TinyModel::new(LLAMA).write_gguf(&path, GgmlDType::F16);
    let whole = fs::read(&path).expect("read");
    let header = 2200.min(whole.len());
    for at in 0..header {
        for wrong in [0, 0x7F, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] = wrong;
            fs::write(&path, &bytes).expect("written");
            let _ = load(&path);
        }
    }
}

#[test]
fn gguf_tensors_may_not_share_bytes_or_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    TinyModel::new(LLAMA).write_gguf(&path, GgmlDType::F32);
    let whole = fs::read(&path).expect("read");
    let check = |from: &[u8], to: &[u8], expected: &str| {
        let mut bytes = whole.clone();
        let found = bytes.windows(from.len()).rposition(|part| part == from);
        let at = found.expect("the header has it");
        bytes[at..at + to.len()].copy_from_slice(to);
        fs::write(&path, bytes).expect("written");
        let error = load(&path).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        let says_why = error.contains(expected) && error.contains("model.gguf");
        assert!(says_why, "expected {expected:?}, got {error:?}");
    };
    check(b"blk.1.attn_q", b"blk.0.attn_q", "twice");
    // One dimension of 32 numbers in f32, and then its place.
    let mut place = [1u32.to_le_bytes().to_vec(), 32u64.to_le_bytes().to_vec()].concat();
    place.extend(0u32.to_le_bytes());
    let moved = [&place[..], &0u64.to_le_bytes()].concat();
    check(&place, &moved, "overlaps");
}

#[test]
fn a_gguf_of_another_architecture_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = TinyModel::new(LLAMA);
    model.config["model_type"] = "mamba".into();
    let source = model.write_gguf(&folder.path().join("model.gguf"), GgmlDType::F32);
    let error = Decoder::load(&source).err().map(|error| error.to_string());
    assert!(
        error.as_ref().is_some_and(|error| error.contains("mamba")),
        "{error:?}"
    );
}

#[test]
fn a_gguf_without_a_tokenizer_asks_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let source = TinyModel::new(LLAMA).write_gguf(&path, GgmlDType::F32);
    let loaded = CandleEngine::load(source, Settings::default());
    let error = loaded.err().map(|error| error.to_string());
    assert!(
        error
            .as_ref()
            .is_some_and(|error| error.contains("tokenizer.json")),
        "{error:?}"
    );
}
