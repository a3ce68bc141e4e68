//! `ibid bench` and `ibid models`, run as a person would run them.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Runs the program in an empty folder, with nothing from the environment.
fn ibid(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ibid"))
        .current_dir(folder)
        .env_clear()
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What a command that goes well prints.
fn printed(folder: &TempDir, arguments: &[&str]) -> String {
    let output = ibid(folder, arguments);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {stdout}{stderr}");
    stdout
}

/// A few tokens are enough to see that all figures are there.
const SHORT: [&str; 6] = ["--prompt", "40", "--generate", "4", "--repeat", "1"];

#[test]
fn bench_prints_a_json_line_for_each_number_of_streams() {
    let arguments = [
        "bench",
        "built-in",
        "--json",
        "--parallel",
        "1,3",
        "--threads",
        "1",
    ];
    let lines = printed(&folder(), &[&arguments[..], &SHORT].concat());
    let rows = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .collect::<Vec<_>>();
    let parallel = rows.iter().map(|row| row["parallel"].clone());
    assert_eq!(parallel.collect::<Vec<_>>(), [1, 3], "{lines}");
    for row in &rows {
        let keys = row.as_object().expect("an object").keys();
        let expected = "model parallel prefill_tok_s decode_tok_s ttft_ms rss_mib";
        assert_eq!(
            keys.map(String::as_str).collect::<Vec<_>>().join(" "),
            expected
        );
        assert_eq!(row["model"], "ibid-starter");
        for figure in ["prefill_tok_s", "decode_tok_s", "ttft_ms"] {
            assert!(
                row[figure].as_f64().is_some_and(|x| x > 0.0),
                "{figure}: {row}"
            );
        }
        if cfg!(target_os = "linux") {
            assert!(row["rss_mib"].as_f64().is_some_and(|x| x > 10.0), "{row}");
        }
    }
}

#[test]
fn bench_prints_a_table() {
    let table = printed(&folder(), &[&["bench", "built-in"][..], &SHORT].concat());
    let first = "ibid-starter: prompts of 40 tokens, 4 generated, measured once";
    assert_eq!(table.lines().next(), Some(first));
    assert_eq!(table.lines().count(), 4, "{table}");
}

#[test]
fn mistakes_are_explained() {
    let folder = folder();
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("broken.gguf", b"GGUF\x03\0\0\0");
    let check = |arguments: &[&str], expected: &str| {
        let output = ibid(&folder, arguments);
        let stderr = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?} went well");
        assert!(
            stderr.contains(expected),
            "{arguments:?}: {stderr:?} does not say {expected:?}"
        );
    };
    check(&["bench"], "<MODEL>");
    check(
        &["bench", "no-such.gguf"],
        "there is no no-such.gguf: name a GGUF file",
    );
    check(&["bench", "broken.gguf"], "broken.gguf is damaged");
    check(
        &["bench", "built-in", "--prompt", "2"],
        "--prompt 2 is too little",
    );
    check(
        &["bench", "built-in", "--prompt", "2040"],
        "this model's context has 2048",
    );
    check(
        &["bench", "built-in", "--parallel", "0"],
        "0 is not in 1..=256",
    );
    check(
        &["bench", "built-in", "--generate", "1"],
        "1 is not in 2..=1000000",
    );
}
