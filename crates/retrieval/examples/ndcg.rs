//! Measures search on collections in the BEIR layout.
//!
//! `IBID_BEIR=DIR cargo run --release -p retrieval --example ndcg [SET…]` reads every folder of
//! `DIR` (or only the named ones) that holds `corpus.jsonl` or `corpus.jsonl.gz` (unpacked by the
//! system's `gzip`), `queries.jsonl` and `qrels.tsv`, indexes each document as one passage, and
//! prints nDCG@10 and recall@5 per set.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use retrieval::{Change, Index, MAX_QUERY_BYTES, Passage, Query};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

/// Judgements of one query: document to grade.
type Judgements = HashMap<String, HashMap<String, f64>>;

fn main() -> Result<(), Failure> {
    let root = PathBuf::from(std::env::var("IBID_BEIR")?);
    let mut sets: Vec<String> = std::env::args().skip(1).collect();
    if sets.is_empty() {
        for entry in std::fs::read_dir(&root)? {
            sets.push(entry?.file_name().to_string_lossy().into_owned());
        }
        sets.sort();
    }
    println!(
        "{:16} {:>7} {:>7} {:>8} {:>7}",
        "set", "ndcg@10", "rec@5", "ms/query", "index s"
    );
    for set in sets {
        measure(&set, &root.join(&set))?;
    }
    Ok(())
}

fn measure(name: &str, folder: &Path) -> Result<(), Failure> {
    let index = Index::in_memory()?;
    let indexing = Instant::now();
    index.apply(read_corpus(folder)?, 1)?;
    let index_seconds = indexing.elapsed().as_secs_f64();
    let judgements = read_judgements(folder)?;
    let (mut ndcg, mut recall, mut asked) = (0.0, 0.0, 0.0);
    let searching = Instant::now();
    for line in std::fs::read_to_string(folder.join("queries.jsonl"))?.lines() {
        let query: Value = serde_json::from_str(line)?;
        let Some(grades) = query["_id"].as_str().and_then(|id| judgements.get(id)) else {
            continue;
        };
        let text = query["text"].as_str().unwrap_or_default();
        let text = text[..text.floor_char_boundary(MAX_QUERY_BYTES)].to_owned();
        let hits = index.search(&Query { text, top_k: 10 })?;
        let found: Vec<f64> = hits
            .iter()
            .map(|hit| grades.get(&hit.passage.file_id).copied().unwrap_or(0.0))
            .collect();
        ndcg += ndcg_at_10(&found, grades);
        recall += found.iter().take(5).filter(|grade| **grade > 0.0).count() as f64
            / grades.values().filter(|grade| **grade > 0.0).count().max(1) as f64;
        asked += 1.0;
    }
    let milliseconds = searching.elapsed().as_secs_f64() * 1000.0 / asked;
    let (ndcg, recall) = (ndcg / asked, recall / asked);
    println!("{name:16} {ndcg:7.3} {recall:7.3} {milliseconds:8.2} {index_seconds:7.2}");
    Ok(())
}

fn ndcg_at_10(found: &[f64], grades: &HashMap<String, f64>) -> f64 {
    let gain = |grades: &[f64]| -> f64 {
        let discounted = grades.iter().take(10).enumerate();
        discounted
            .map(|(rank, grade)| (grade.exp2() - 1.0) / (rank as f64 + 2.0).log2())
            .sum()
    };
    let mut ideal: Vec<f64> = grades.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    gain(found) / gain(&ideal).max(f64::MIN_POSITIVE)
}

fn read_corpus(folder: &Path) -> Result<Vec<Change>, Failure> {
    let packed = folder.join("corpus.jsonl.gz");
    let text = if packed.exists() {
        String::from_utf8(Command::new("gzip").arg("-dc").arg(packed).output()?.stdout)?
    } else {
        std::fs::read_to_string(folder.join("corpus.jsonl"))?
    };
    let mut changes = Vec::new();
    for line in text.lines() {
        let document: Value = serde_json::from_str(line)?;
        let field = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        changes.push(Change::Upsert {
            file_id: field("_id"),
            passages: vec![Passage {
                file_id: field("_id"),
                filename: String::new(),
                title: field("title"),
                page: None,
                heading: None,
                start: 0,
                end: field("text").len(),
                start_char: 0,
                text: field("text"),
            }],
        });
    }
    Ok(changes)
}

fn read_judgements(folder: &Path) -> Result<Judgements, Failure> {
    let mut judgements = Judgements::new();
    for line in std::fs::read_to_string(folder.join("qrels.tsv"))?
        .lines()
        .skip(1)
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = columns[..] else {
            return Err(format!("not three columns: {line}").into());
        };
        let of_query = judgements.entry(query.to_owned()).or_default();
        of_query.insert(document.to_owned(), grade.trim().parse()?);
    }
    Ok(judgements)
}
