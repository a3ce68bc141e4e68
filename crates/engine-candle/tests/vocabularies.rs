//! Tokenizers rebuilt from GGUF, against the programs that made their vocabularies.
//!
//! `fixtures/make_vocabularies.py` trains small vocabularies of each kind and writes what
//! `sentencepiece` and `tokenizers` make of a few texts with them.

use std::fs;
use std::path::{Path, PathBuf};

use engine_candle::ModelSource;
use engine_candle::inspect::Vocabulary;
use serde::Deserialize;

/// A vocabulary and the tokens of texts in it.
#[derive(Deserialize)]
struct Expected {
    vocabulary: String,
    cases: Vec<(String, Vec<u32>)>,
}

#[test]
fn small_vocabularies_agree_with_the_reference() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vocabularies");
    let expected = fs::read(folder.join("expected.json")).expect("the fixture is there");
    let expected = serde_json::from_slice::<Vec<Expected>>(&expected).expect("well-formed");
    let mut wrong = Vec::new();
    for Expected { vocabulary, cases } in expected {
        let opened = open(&folder.join(&vocabulary));
        for (text, tokens) in cases {
            let found = opened.content_tokens(&text).expect("it is tokenised");
            if found != tokens {
                wrong.push(format!(
                    "{vocabulary}: {text:?}\nexpected {tokens:?}\nfound    {found:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

/// What stands between the texts of llama.cpp's test files.
const BETWEEN_TEXTS: &str = "\n__ggml_vocab_test__\n";

/// `IBID_VOCABULARIES=DIR cargo test -p engine-candle --test vocabularies -- --ignored`: each
/// `NAME.gguf` of the folder with llama.cpp's texts in `NAME.gguf.inp` and tokens in
/// `NAME.gguf.out`.
#[test]
#[ignore = "needs a folder of vocabularies"]
fn real_vocabularies_agree_with_llama_cpps_vectors() {
    let folder = std::env::var_os("IBID_VOCABULARIES").expect("IBID_VOCABULARIES names a folder");
    let files = fs::read_dir(folder)
        .expect("the folder can be read")
        .flatten();
    let mut files = files.map(|entry| entry.path()).collect::<Vec<_>>();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "gguf")
    });
    files.sort();
    let mut wrong = 0;
    for file in files {
        let failures = failures(&file);
        println!("{}: {} wrong", file.display(), failures.len());
        failures.iter().for_each(|failure| println!("{failure}"));
        wrong += failures.len();
    }
    assert_eq!(wrong, 0);
}

fn failures(file: &Path) -> Vec<String> {
    let beside = |extension: &str| {
        let name = format!("{}.{extension}", file.display());
        fs::read_to_string(name).expect("it is beside the vocabulary")
    };
    let (texts, tokens) = (beside("inp"), beside("out"));
    let tokens = tokens.lines().map(|line| {
        let ids = line.split_whitespace().map(str::parse);
        ids.collect::<Result<Vec<u32>, _>>().expect("numbers")
    });
    let vocabulary = open(file);
    let cases = texts.split(BETWEEN_TEXTS).zip(tokens);
    cases
        .filter_map(|(text, tokens)| {
            let found = vocabulary.content_tokens(text).expect("it is tokenised");
            (found != tokens).then(|| format!("{text:?}\nexpected {tokens:?}\nfound    {found:?}"))
        })
        .collect()
}

fn open(file: &Path) -> Vocabulary {
    let opened = Vocabulary::open(&ModelSource::Path(PathBuf::from(file)));
    opened.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
