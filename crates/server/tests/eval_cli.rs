//! `ibid eval`, run as a person would run it, on sets small enough to reckon by hand.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn eval(folder: &Path, args: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_ibid"))
        .current_dir(folder)
        .env_clear()
        .arg("eval")
        .args(args)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn retrieval_is_measured() {
    let folder = TempDir::new().expect("a folder");
    let set = folder.path().join("tea");
    fs::create_dir(&set).expect("a folder");
    let corpus = r#"{"_id": "a", "title": "", "text": "Green tea is steeped."}
{"_id": "b", "title": "Black tea", "text": "It wants boiling water."}
{"_id": "c", "title": "", "text": "Coffee is roasted."}
"#;
    fs::write(set.join("corpus.jsonl"), corpus).expect("a file");
    let queries = r#"{"_id": "1", "text": "coffee"}
{"_id": "2", "text": "zebra"}
{"_id": "3", "text": "unjudged"}
"#;
    fs::write(set.join("queries.jsonl"), queries).expect("a file");
    let judgements = "query-id\tcorpus-id\tscore\n1\tc\t1\n2\ta\t1\n";
    fs::write(set.join("qrels.tsv"), judgements).expect("a file");
    let by_words = ["retrieval", ".", "--json", "--embedder", "none"];
    let lines = eval(folder.path(), &by_words);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["set"], "tea");
    assert_eq!(line["mode"], "lexical");
    assert_eq!(line["queries"], 2);
    for key in ["ndcg@10", "recall@5", "mrr"] {
        assert_eq!(line[key], 0.5, "{key}: {line}");
    }
    for key in ["ms_p50", "ms_p99", "index_mib"] {
        assert!(line[key].is_number(), "{key}: {line}");
    }
}

#[test]
fn a_way_of_searching_without_its_model_is_refused() {
    for (mode, flag) in [("dense", "--embedder"), ("reranked", "--reranker")] {
        let output = Command::new(env!("CARGO_BIN_EXE_ibid"))
            .env_clear()
            .args(["eval", "retrieval", "nowhere", "--mode", mode])
            .args(["--embedder", "none"])
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(flag), "{said}");
    }
}

#[test]
fn answers_are_measured() {
    let folder = TempDir::new().expect("a folder");
    let qa = r#"{"id": "nile", "lang": "en", "title": "Nile", "context": "The Nile is 6650 kilometres long.", "qas": [{"id": "1", "question": "How long is the Nile?", "answers": ["6650 kilometres"]}]}
{"id": "tea", "lang": "en", "title": "Tea", "context": "Green tea is steeped at seventy degrees.", "qas": [{"id": "2", "question": "Who won the football championship?", "answers": [], "unanswerable": true}]}
"#;
    fs::write(folder.path().join("qa.jsonl"), qa).expect("a file");
    fs::write(
        folder.path().join("nile.md"),
        "# Nile\n\nThe Nile is 6650 kilometres long.\n",
    )
    .expect("a file");
    let files = r#"{"id": "3", "lang": "en", "question": "How long is the Nile?", "must": [["6650"]], "must_not": ["Amazon"], "docs": ["nile.md"], "gold": ["nile"]}
"#;
    fs::write(folder.path().join("files.jsonl"), files).expect("a file");
    let args = ["answers", "qa.jsonl", "files.jsonl", "--docs", "."];
    let more = ["--answer", "quotes", "--details", "details.jsonl", "--json"];
    let lines = eval(folder.path(), &[&args[..], &more].concat());
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (qa, files) = (&lines[0], &lines[1]);
    assert_eq!((&qa["set"], &qa["n"]), (&"qa".into(), &2.into()));
    assert_eq!(qa["em"], 0.0, "a whole sentence is quoted");
    assert_eq!(qa["f1"], 0.571, "two words of five and two");
    for key in [
        "contains",
        "refused_right",
        "citation_precision",
        "citation_recall",
        "passed",
    ] {
        assert_eq!(qa[key], 1.0, "{key}: {qa}");
    }
    assert_eq!(qa["refused_wrong"], 0.0);
    assert_eq!(files["passed"], 1.0, "{files}");
    assert_eq!(files["citation_precision"], 1.0, "{files}");
    assert_eq!(files["refused_right"], Value::Null);
    let details = fs::read_to_string(folder.path().join("details.jsonl")).expect("details");
    assert_eq!(details.lines().count(), 3, "{details}");
}
