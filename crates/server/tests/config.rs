//! Configuration: the layers, their order, and what is refused.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use figment::Jail;
use server::config::{Config, NamedPath, Overrides};

fn shipped_file() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/ibid.toml");
    std::fs::read_to_string(path).expect("the shipped configuration")
}

fn load() -> Result<Config, String> {
    Config::load(None, Overrides::default()).map_err(|error| error.to_string())
}

/// Loads `file`, with `environment`, in a folder of its own.
#[allow(
    clippy::result_large_err,
    reason = "the closure's error type is figment's"
)]
fn loaded(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let mut result = Err("not run".to_owned());
    Jail::expect_with(|jail| {
        jail.create_dir("config")?;
        jail.create_file("config/ibid.toml", file)?;
        for (name, value) in environment {
            jail.set_env(name, value);
        }
        result = load();
        Ok(())
    });
    result
}

#[test]
fn shipped_file_holds_every_key_with_its_default() {
    assert_eq!(loaded(&shipped_file(), &[]), Ok(Config::default()));
    let text = shipped_file();
    let named: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once(" = "))
        .map(|(key, _)| key)
        .collect();
    let keys = [
        "listen",
        "data_dir",
        "watch",
        "models_dir",
        "path",
        "name",
        "workers",
        "threads",
        "running",
        "queue",
        "queue_tokens",
        "max_wait_s",
        "kv_bytes",
        "kv_type",
        "context",
        "tokens",
        "overlap_tokens",
        "top_k",
        "evidence_floor",
        "citation_floor",
        "meaning_floor",
        "support",
        "citation_density",
        "attention",
        "prompts",
        "profile",
        "instruction",
        "disclaimer",
        "answers",
        "max_tokens",
        "quote_sentences",
        "diversity",
        "search_ms",
        "embedder",
        "encoder_queue",
        "encoder_threads",
        "reader",
        "reranker",
        "rerank_candidates",
        "rerank_ms",
        "keep_days",
        "keep_most",
        "provider",
        "watts_per_core",
        "signing_key",
        "body_bytes",
        "upload_bytes",
        "connections",
        "drain_s",
        "enabled",
        "certificates",
        "filter",
        "json",
    ];
    assert_eq!(named, BTreeSet::from(keys));
}

#[test]
fn environment_wins_over_the_file() {
    let config = loaded(
        "[answer]\ntop_k = 7\nmax_tokens = 9",
        &[("IBID_ANSWER__TOP_K", "11")],
    )
    .expect("valid");
    assert_eq!((config.answer.top_k, config.answer.max_tokens), (11, 9));
}

#[test]
#[allow(
    clippy::result_large_err,
    reason = "the closure's error type is figment's"
)]
fn flags_win_over_the_environment() {
    Jail::expect_with(|jail| {
        jail.set_env("IBID_LISTEN", "127.0.0.1:1");
        jail.set_env("IBID_MODEL__QUEUE", "3");
        let listen = "127.0.0.1:2".parse().expect("an address");
        let overrides = Overrides::new(Some(listen), None, ["m.gguf".into()].map(named));
        let config = Config::load(None, overrides).expect("valid");
        assert_eq!(config.listen, listen);
        assert_eq!(
            (config.model.queue, config.model.path),
            (3, Some(PathBuf::from("m.gguf")))
        );
        Ok(())
    });
}

fn named(given: OsString) -> NamedPath {
    given.into()
}

#[test]
fn several_models_may_be_named() {
    let given = ["a.gguf", "b=models/b=1", "./c=d.gguf"].map(|given| named(given.into()));
    let names = given.iter().map(|one| one.name.as_deref());
    assert_eq!(names.collect::<Vec<_>>(), [None, Some("b"), None]);
    assert_eq!(given[1].path, Path::new("models/b=1"));
    let config = Config::load(None, Overrides::new(None, None, given)).expect("valid");
    assert_eq!(config.model.path.as_deref(), Some(Path::new("a.gguf")));
    let further = config.models.iter().map(|model| model.name.as_deref());
    assert_eq!(further.collect::<Vec<_>>(), [Some("b"), None]);
    let file = "[[models]]\nname = \"x\"\npath = \"x.gguf\"\nqueue = 2";
    let config = loaded(file, &[]).expect("valid");
    assert_eq!((config.models[0].queue, config.models[0].workers), (2, 1));
}

#[test]
fn what_is_wrong_is_named() {
    let check = |file: &str, environment: &[(&str, &str)], expected: &[&str]| {
        let error = loaded(file, environment).expect_err(file);
        for part in expected {
            assert!(
                error.contains(part),
                "{file:?} {environment:?}: {error:?} does not say {part:?}"
            );
        }
    };
    check("[answer]\ntop_kk = 7", &[], &["top_kk", "ibid.toml"]);
    check("top_k = 7", &[], &["top_k"]);
    check("", &[("IBID_ANSWER__TOPK", "7")], &["topk"]);
    check("[answer]\ntop_k = \"many\"", &[], &["top_k", "many"]);
    check(
        "[answer]\ntop_k = 0",
        &[],
        &["answer.top_k", "0", "1 to 50"],
    );
    check(
        "[answer]\nevidence_floor = 1.5",
        &[],
        &["answer.evidence_floor", "0 to 1"],
    );
    check("[[models]]\nname = \"x\"", &[], &["models", "path"]);
    check("listen = \"here\"", &[], &["listen"]);
    check("[answer", &[], &["ibid.toml"]);
}

#[test]
fn a_named_file_must_be_there() {
    let error =
        Config::load(Some(Path::new("no/such.toml")), Overrides::default()).expect_err("no file");
    assert!(error.to_string().contains("no/such.toml"), "{error}");
}
