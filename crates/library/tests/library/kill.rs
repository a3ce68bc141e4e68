//! A process that is killed loses nothing it has acknowledged.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use library::{Extractor, Library, NewFile};

use crate::harness::*;

/// Tells the test binary to be the process that is killed, and where its library is.
const VICTIM: &str = "LIBRARY_TEST_VICTIM";

/// Acknowledgements after which the process is killed: at once, and within several batches.
const CYCLES: [usize; 8] = [0, 1, 2, 3, 7, 20, 50, 90];

#[test]
fn killed_processes_lose_nothing() {
    let home = Home::new();
    let mut acknowledged = Vec::new();
    for (cycle, count) in CYCLES.into_iter().enumerate() {
        acknowledged.extend(run_and_kill(&home, cycle, count));

        let library = home.open();
        settle(&library);
        let index = library.index("default").unwrap();
        let completed = library
            .collection("default")
            .unwrap()
            .expect("it")
            .counts
            .completed;
        assert_eq!(index.passage_count(), completed, "cycle {cycle}");
        for word in &acknowledged {
            check_found(&library, word, &[&format!("{word}.txt")]);
        }
    }
    assert!(acknowledged.len() >= CYCLES.iter().sum());
}

/// Starts a process that adds files, kills it after `count` acknowledgements, and returns
/// all that it gave.
fn run_and_kill(home: &Home, cycle: usize, count: usize) -> Vec<String> {
    let mut victim = Command::new(env::current_exe().expect("the test binary"))
        .args(["kill::victim", "--exact", "--ignored", "--nocapture"])
        .env(VICTIM, home.data_dir())
        .env("LIBRARY_TEST_CYCLE", cycle.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the process starts");
    let output = victim.stdout.take().expect("it is piped");
    let mut words = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_string));
    let mut acknowledged: Vec<String> = words.by_ref().take(count).collect();
    victim.kill().expect("the process is killed");
    victim.wait().expect("the process ends");
    // What it said before it died counts as well.
    acknowledged.extend(words);
    acknowledged
}

#[test]
#[ignore = "it is the process that `killed_processes_lose_nothing` kills"]
fn victim() {
    let Some(data_dir) = env::var_os(VICTIM) else {
        return;
    };
    let cycle = env::var("LIBRARY_TEST_CYCLE").expect("a number");
    let mut settings = Home::new().settings();
    settings.data_dir = data_dir.into();
    let library =
        Library::open(settings, words(), Extractor::in_process()).expect("the library opens");
    for number in 0.. {
        let word = format!("word{cycle}x{number}");
        let file = NewFile {
            filename: format!("{word}.txt"),
            purpose: String::new(),
            content: word.clone().into_bytes().into(),
            source: None,
        };
        let file = library.add_file(file).expect("the file is added");
        attach(&library, "default", &file);
        println!("\nacknowledged {word}");
        std::io::stdout().flush().expect("somebody listens");
    }
}
