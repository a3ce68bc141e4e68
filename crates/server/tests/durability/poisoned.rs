//! E20: poisoned files among good ones. Each costs itself at most: it fails with a sentence, or
//! yields what text there is; the good ones before and behind it are found, and the server stays.

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::poison::{Poison, poisons};
use crate::process::Server;
use crate::setting;

/// Whose files are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plant {
    /// As they are.
    None,
    /// The planted defect: a good file that was harmed without a word.
    HarmedFile,
}

/// What a run came to.
struct Outcome {
    poisons: usize,
    refused: usize,
    faults: Vec<String>,
    slowest_health: Duration,
}

#[test]
fn small_poison_costs_itself_at_most() {
    let outcome = run(100, 1, Plant::None);
    assert!(outcome.faults.is_empty(), "{:#?}", outcome.faults);
    assert!(outcome.refused > 10, "{} refused", outcome.refused);
}

#[test]
fn a_harmed_file_is_caught() {
    let outcome = run(1000, 1, Plant::HarmedFile);
    assert!(
        !outcome.faults.is_empty(),
        "the planted defect was not caught"
    );
}

#[test]
#[ignore = "part of the campaign"]
fn poison_costs_itself_at_most() {
    let started = Instant::now();
    let rounds = setting("CAMPAIGN_POISON", 3) as usize;
    let outcome = run(1, rounds, Plant::None);
    println!(
        "E20: {} poisoned files among {} good ones, {} refused with a sentence, {} faults, \
         slowest health check {:?}, {:?}",
        outcome.poisons,
        outcome.poisons + 1,
        outcome.refused,
        outcome.faults.len(),
        outcome.slowest_health,
        started.elapsed()
    );
    assert!(outcome.faults.is_empty(), "{:#?}", outcome.faults);
}

/// Poison in a hundredth of its size with `smaller` 100, each kind `rounds` times, a good file
/// before and behind each.
fn run(smaller: usize, rounds: usize, plant: Plant) -> Outcome {
    let home = TempDir::new().expect("a folder");
    let mut server = Server::must_start(home.path());
    server.must_settle();
    let mut faults = Vec::new();
    let (mut good, mut count) = (Vec::new(), 0);
    for round in 0..rounds {
        for poison in poisons(smaller) {
            good.push(add_good(&server.client, good.len()));
            let Poison { name, bytes } = poison;
            let name = format!("{round}-{name}");
            match server.client.replace(&name, &bytes) {
                Ok(reply) if reply.status < 500 => {}
                Ok(reply) => faults.push(format!("{name}: status {}", reply.status)),
                Err(error) => faults.push(format!("{name}: {error}")),
            }
            count += 1;
        }
    }
    good.push(add_good(&server.client, good.len()));
    if plant == Plant::HarmedFile {
        let (name, _) = good[1].clone();
        let harmed = server.client.replace(&name, b"nothing of what it held");
        assert!(harmed.expect("a reply").is_success());
    }
    let slowest_health = settle(&mut server, &mut faults);
    for (name, word) in &good {
        let found = search(&server.client, word);
        if found != [name.clone()] {
            faults.push(format!("{name}: {found:?} are found for {word}"));
        }
    }
    let mut refused = 0;
    for file in all_files(&server.client) {
        let name = file["filename"].as_str().unwrap_or_default().to_owned();
        let message = file["last_error"]["message"].as_str().unwrap_or_default();
        match file["status"].as_str() {
            Some("completed") => {}
            // Ours to answer for, unless the machine is too slow for the time a file gets.
            Some("failed") if message.contains("mistake in the server") => {
                faults.push(format!("{name}: {message}"));
            }
            Some("failed") if message.len() > 10 => refused += 1,
            status => faults.push(format!("{name} is {status:?}: {message}")),
        }
    }
    Outcome {
        poisons: count,
        refused,
        faults,
        slowest_health,
    }
}

/// A file with a word of its own; its name and that word.
fn add_good(client: &Client, number: usize) -> (String, String) {
    let (name, word) = (format!("good{number}.txt"), format!("curlew{number}q"));
    let text = format!("The {word} is a bird of the coast.");
    let reply = client.replace(&name, text.as_bytes()).expect("a reply");
    assert!(reply.is_success(), "{}", reply.text());
    (name, word)
}

/// Waits until nothing is left to be read; the longest that a health check took meanwhile.
fn settle(server: &mut Server, faults: &mut Vec<String>) -> Duration {
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        match server.client.get("/healthz") {
            Ok(reply) if reply.is_success() => slowest = slowest.max(asked.elapsed()),
            _ => faults.push("the server does not say that it is well".into()),
        }
        if server.has_died() {
            faults.push("the server died".into());
            return slowest;
        }
        let reply = server.client.get("/v1/vector_stores/default");
        let left = reply.map(|reply| reply.json()["file_counts"]["in_progress"].clone());
        if left.is_ok_and(|left| left == 0) {
            return slowest;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn search(client: &Client, word: &str) -> Vec<String> {
    let query = format!(r#"{{"query":"{word}"}}"#);
    let reply = client.post("/v1/vector_stores/default/search", &query);
    let page = reply.expect("a search").json();
    let hits = page["data"].as_array().expect("hits").iter();
    let names = hits.map(|hit| hit["filename"].as_str().expect("a name").to_owned());
    names.collect()
}

fn all_files(client: &Client) -> Vec<Value> {
    let mut files = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/vector_stores/default/files?order=asc&limit=100{after}");
        let page = client.get(&path).expect("a list").json();
        files.extend(page["data"].as_array().expect("a list").iter().cloned());
        if page["has_more"] != true {
            return files;
        }
        after = format!("&after={}", page["last_id"].as_str().expect("an id"));
    }
}
