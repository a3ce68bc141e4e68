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
const SHORT: [&str; 6] = ["--prompt", "40", "--generate", "24", "--repeat", "1"];

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
        assert_eq!(row["model"], bundled::NAME);
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
    let first = format!(
        "{}: prompts of 40 tokens, 24 generated, measured once",
        bundled::NAME
    );
    assert_eq!(table.lines().next(), Some(&*first));
    assert_eq!(table.lines().count(), 4, "{table}");
}

#[test]
fn inspect_says_what_a_model_is() {
    let config = serde_json::from_slice::<Value>(bundled::MODEL.config).expect("JSON");
    let number = |key: &str| config[key].as_u64().expect("a number");
    let keys_and_values = 2 * number("num_key_value_heads") * number("head_dim");
    let f16 = 2;
    let kv_bytes = f16 * 1000 * number("num_hidden_layers") * keys_and_values;
    let kv = format!("{:.1} MiB of keys and values", kv_bytes as f64 / 1048576.0);
    let said = printed(&folder(), &["models", "inspect", "built-in"]);
    let check = |what: &str, expected: &str| {
        let mut lines = said.lines().map(str::trim_start);
        let value = lines.find_map(|line| line.strip_prefix(what));
        let value = value.unwrap_or_else(|| panic!("no {what} in {said}"));
        assert!(value.contains(expected), "{what}: {value}, not {expected}");
    };
    check("family", "llama");
    check("parameters", " million");
    check("size on disk", " MiB");
    check(
        "tensors",
        "Q6_K 49.7 % (5 tensors), Q4_K 50.3 % (31 tensors)",
    );
    let context = number("max_position_embeddings");
    check("context", &format!("{context} tokens"));
    check("chat template", "yes, and it places documents itself");
    check("tokenizer", "BPE from tokenizer.json");
    check("vocabulary", &format!("{} tokens", number("vocab_size")));
    check("memory", &kv);
    check("runs here", "");
}

#[test]
fn tokenize_prints_the_tokens_of_content() {
    let folder = folder();
    fs::write(folder.path().join("text.txt"), "어텐션\n").expect("written");
    let check = |arguments: &[&str]| {
        let command = ["models", "tokenize", "built-in"];
        let plain = printed(&folder, &[&command[..], arguments].concat());
        let json = printed(&folder, &[&command[..], arguments, &["--json"]].concat());
        let numbers = |text: &str, separator: char| {
            text.split(separator)
                .filter(|part| !part.is_empty())
                .map(|id| id.parse::<u32>().expect("a number"))
                .collect::<Vec<_>>()
        };
        let array = json.trim_end().trim_matches(['[', ']']);
        let tokens = numbers(plain.trim_end(), ' ');
        assert_eq!(tokens, numbers(array, ','), "{arguments:?}");
        tokens
    };
    let first_ordinary_token = 3;
    assert_eq!(check(&[""]), Vec::<u32>::new());
    assert!(!check(&["hello world"]).is_empty());
    assert_eq!(check(&["--file", "text.txt"]), check(&["어텐션\n"]));
    // The name of a token that ends an answer is text like any other.
    let spelt = check(&["</s>"]);
    assert!(
        spelt.len() > 1 && spelt.iter().all(|&id| id >= first_ordinary_token),
        "{spelt:?}"
    );
}

#[test]
fn render_prints_the_exact_prompt() {
    let folder = folder();
    let check = |json: &str, expected: &str| {
        fs::write(folder.path().join("messages.json"), json).expect("written");
        let rendered = printed(&folder, &["models", "render", "built-in", "messages.json"]);
        assert_eq!(rendered, expected, "{json}");
    };
    check(
        r#"[{"role": "user", "content": "Why?"}]"#,
        "<s><best>Why?<a>",
    );
    check(
        r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "왜?"}],
            "documents": [{"title": "Minutes", "text": "The roof leaks."}]}"#,
        "<s><1>Minutes<title>The roof leaks.<end><best>왜?<a>",
    );
    check(
        r#"[{"role": "user", "content": "a <best> b"}]"#,
        "<s><best>a <best> b<a>",
    );
}

#[test]
fn render_tries_a_template_with_tools() {
    let folder = folder();
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
    };
    write(
        "template.jinja",
        "{{ tools | tojson }}\n{% for m in messages %}{{ m.role }}:{{ m.content }}\
         {% for call in m.tool_calls %}{{ call.function | tojson }}{% endfor %}\
         {{ m.tool_call_id }};{% endfor %}",
    );
    write(
        "messages.json",
        r#"{"messages": [
            {"role": "user", "content": "2 + 2?"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "add", "arguments": {"b": 2, "a": 2.0}}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "4"}],
            "tools": [{"type": "function", "function": {"name": "add"}}]}"#,
    );
    let arguments = [
        "models",
        "render",
        "built-in",
        "messages.json",
        "--template",
    ];
    let rendered = printed(&folder, &[&arguments[..], &["template.jinja"]].concat());
    let expected = r#"[{"type": "function", "function": {"name": "add"}}]
user:2 + 2?;assistant:{"name": "add", "arguments": {"b": 2, "a": 2.0}};tool:4c1;"#;
    assert_eq!(rendered, expected);
}

#[test]
fn mistakes_are_explained() {
    let folder = folder();
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("broken.gguf", b"GGUF\x03\0\0\0");
    write(
        "narrator.json",
        br#"[{"role": "narrator", "content": "4"}]"#,
    );
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
        &["bench", "built-in", "--prompt", "999999"],
        "this model's context has",
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
