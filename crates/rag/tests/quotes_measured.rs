//! How well quotes answer, measured on question sets; not a test that can fail.
//!
//! `IBID_NOISE=FILE.jsonl`: a question, five passages, and the strings of which one should be in
//! the answer. `IBID_E2E=FILE.jsonl` with `IBID_DOCS=DIR`: questions over a folder of Markdown.
//! Run with `cargo test -p rag --test quotes_measured -- --ignored --nocapture`.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use rag::{AnsweredBy, Mode, Pipeline, Question, Settings};
use retrieval::Index;
use serde_json::Value;
use support::{ask, collect, model, upsert};

#[test]
#[ignore = "measures, given a question set"]
fn noise() {
    let Ok(path) = env::var("IBID_NOISE") else {
        return;
    };
    let pipeline = quoting(0.0);
    let (mut right, mut answerable) = (0, 0);
    let mut evidence = [Vec::new(), Vec::new()];
    for item in lines(&path) {
        let changes = array(&item["docs"]).iter().zip(0..).map(|(doc, n)| {
            let text = format!("# {}\n\n{}\n", string(&doc["title"]), string(&doc["text"]));
            upsert(&format!("{n}.md"), text.trim_start_matches("# \n\n"), 200)
        });
        let index = Index::in_memory().expect("an index");
        index.apply(changes.collect(), 1).expect("indexing");
        let question = string(&item["query"]);
        let answer = pipeline.answer(&[Arc::new(index)], quotes(question));
        let answer = answer.expect("an answer");
        let score = answer.evidence.map_or(0.0, |evidence| evidence.score);
        let is_answerable = item["kind"] == "answer";
        evidence[usize::from(is_answerable)].push(score);
        if is_answerable {
            answerable += 1;
            let text = bare(&collect(answer).text);
            let is_right = array(&item["answer"])
                .iter()
                .any(|gold| text.contains(&bare(string(gold))));
            right += usize::from(is_right);
        }
    }
    println!("contains the answer: {right} of {answerable}");
    for floor in [0.2, 0.3, 0.35, 0.4, 0.5, 0.6] {
        let below = |scores: &[f32]| scores.iter().filter(|score| **score < floor).count();
        println!(
            "floor {floor}: refuses {} of {} unanswerable, {} of {} answerable",
            below(&evidence[0]),
            evidence[0].len(),
            below(&evidence[1]),
            evidence[1].len(),
        );
    }
}

#[test]
#[ignore = "measures, given a question set"]
fn end_to_end() {
    let (Ok(path), Ok(folder)) = (env::var("IBID_E2E"), env::var("IBID_DOCS")) else {
        return;
    };
    let index = [folder_index(Path::new(&folder))];
    let pipeline = quoting(Settings::default().evidence_floor);
    let (mut passed, mut all) = (0, 0);
    for item in lines(&path) {
        let answer = pipeline
            .answer(&index, quotes(string(&item["question"])))
            .expect("an answer");
        let (by, evidence) = (answer.answered_by, answer.evidence);
        let text = collect(answer).text;
        let is_refusal = by == AnsweredBy::Refusal;
        let has = |gold: &Value| bare(&text).contains(&bare(string(gold)));
        let is_right = if item["unanswerable"] == true {
            is_refusal
        } else {
            !is_refusal
                && array(&item["must"])
                    .iter()
                    .all(|group| array(group).iter().any(has))
        };
        all += 1;
        passed += usize::from(is_right);
        let mark = if is_right { "+" } else { "-" };
        let score = evidence.map_or(0.0, |evidence| evidence.score);
        println!(
            "{mark} {score:.2} {}\n    {}",
            item["question"],
            text.replace('\n', "\n    ")
        );
    }
    println!("passed: {passed} of {all}");
}

fn quoting(evidence_floor: f32) -> Pipeline {
    let settings = Settings {
        evidence_floor,
        ..Settings::default()
    };
    let engine = engine::ScriptedEngine::new(|_| panic!("the model was asked"));
    Pipeline::new(Arc::new(engine.with_model(model())), settings)
}

fn quotes(question: &str) -> Question {
    Question {
        mode: Mode::Quotes,
        ..ask(question)
    }
}

fn folder_index(folder: &Path) -> Arc<Index> {
    let index = Index::in_memory().expect("an index");
    let mut changes = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        if name.ends_with(".md") {
            changes.push(upsert(
                &name,
                &fs::read_to_string(&path).expect("a text"),
                200,
            ));
        }
    }
    index.apply(changes, 1).expect("indexing");
    Arc::new(index)
}

fn lines(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a question set");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// As the sets are judged: without white space, in small letters.
fn bare(text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_whitespace());
    visible.flat_map(char::to_lowercase).collect()
}
