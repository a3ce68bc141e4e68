//! How a library of many short passages behaves: how fast it is filled, in how much memory,
//! how fast it opens again and answers.
//!
//! ```sh
//! cargo run --release -p library --example scale -- DIR 1000000
//! cargo run --release -p library --example scale -- DIR         # opens it again
//! ```
//!
//! Tokens are counted as words, so that this measures the library and not a tokenizer.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use library::{Extractor, Library, NewFile, Settings};
use retrieval::Query;

/// Passages of one file.
const PASSAGES_PER_FILE: usize = 500;
/// Words of one passage: more than half of what fits, so that no two share one.
const WORDS_PER_PASSAGE: usize = 20;
const SEARCHES: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("say in which directory")?;
    let settings = Settings {
        data_dir: directory.into(),
        passage_tokens: 32,
        passage_overlap_tokens: 0,
        max_file_bytes: 100_000_000,
    };
    let words = Arc::new(|text: &str| text.split_whitespace().count());
    let started = Instant::now();
    let library = Library::open(settings, words, Extractor::in_process())?;
    println!("opened in {:.2?}", started.elapsed());
    if let Some(passages) = arguments.next() {
        fill(&library, passages.parse()?)?;
    }
    let passages = library.index("default")?.passage_count();
    search(&library)?;
    println!(
        "{passages} passages; memory {} MB, at its peak {} MB; disk {} MB",
        status_mb("VmRSS"),
        status_mb("VmHWM"),
        bytes_under(&library_directory())? / 1_000_000
    );
    Ok(())
}

fn library_directory() -> std::path::PathBuf {
    std::env::args().nth(1).expect("it was there").into()
}

fn fill(library: &Library, passages: usize) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (mut dice, mut bytes) = (1, 0);
    for number in 0..passages.div_ceil(PASSAGES_PER_FILE) {
        let text = document(&mut dice);
        bytes += text.len();
        let file = NewFile {
            filename: format!("{number}.txt"),
            purpose: "user_data".into(),
            content: text.into_bytes().into(),
            source: None,
        };
        library.add_to("default", file, &Default::default())?;
    }
    println!("recorded in {:.1?}", started.elapsed());
    library.wait_until_idle(&mut |_| ())?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "filled in {seconds:.0} s: {:.0} passages and {:.2} MB of text a second",
        passages as f64 / seconds,
        bytes as f64 / 1e6 / seconds
    );
    Ok(())
}

fn search(library: &Library) -> Result<(), Box<dyn Error>> {
    let index = library.index("default")?;
    let mut dice = 99;
    let mut times: Vec<Duration> = Vec::with_capacity(SEARCHES);
    for _ in 0..SEARCHES {
        let text = (0..5)
            .map(|_| word(&mut dice))
            .collect::<Vec<_>>()
            .join(" ");
        let started = Instant::now();
        index.search(&Query::new(text, 10))?;
        times.push(started.elapsed());
    }
    times.sort();
    let (half, most) = (times[SEARCHES / 2], times[SEARCHES * 99 / 100]);
    println!("searches of 5 words: median {half:.1?}, 99 % within {most:.1?}");
    Ok(())
}

fn document(dice: &mut u64) -> String {
    let mut text = String::new();
    for _ in 0..PASSAGES_PER_FILE {
        for _ in 0..WORDS_PER_PASSAGE {
            text.push_str(&word(dice));
            text.push(' ');
        }
        text.push_str("\n\n");
    }
    text
}

/// A word of a vocabulary of 100,000, the common ones far more often, as in language.
fn word(dice: &mut u64) -> String {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    let uniform = (*dice >> 11) as f64 / (1_u64 << 53) as f64;
    let rank = 100_000_f64.powf(uniform) as u64;
    let syllables = ["ba", "ko", "ri", "mu", "te", "so", "na", "li", "du", "pe"];
    let digits = rank.to_string();
    digits
        .bytes()
        .map(|digit| syllables[usize::from(digit - b'0')])
        .collect()
}

/// A line of `/proc/self/status`, in megabytes; 0 on other systems.
fn status_mb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}

fn bytes_under(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => bytes_under(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
