//! Reads files in sandboxed children, as the server does, and says how fast and what came out.
//!
//! `cargo run --release -p extract --example measure -- [--repeat N] [--print] [--pdftotext] FILE...`
//!
//! One line for each file: its format, pages, characters and milliseconds (the median of N), or
//! why it cannot be read; then the sums. `--print` writes the texts themselves; `--pdftotext`
//! compares their words with what the program of that name reads, as F1.

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use extract::{Extractor, Limits, Sandbox};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, memory_bytes, cpu_seconds] = &args[..]
        && command == "__extract"
    {
        let limits = Limits {
            memory_bytes: memory_bytes.parse()?,
            cpu_seconds: cpu_seconds.parse()?,
        };
        return Ok(extract::serve(limits, extract::extract)?);
    }
    let repeat = match args.iter().position(|arg| arg == "--repeat") {
        Some(place) => args
            .drain(place..place + 2)
            .nth(1)
            .unwrap_or_default()
            .parse()?,
        None => 1,
    };
    let print = args.iter().position(|arg| arg == "--print");
    let print = print.map(|place| args.remove(place)).is_some();
    let compare = args.iter().position(|arg| arg == "--pdftotext");
    let compare = compare.map(|place| args.remove(place)).is_some();
    let sandboxed = Extractor::sandboxed(Sandbox::of_this_program(&["__extract"])?);
    let in_process = Extractor::in_process();
    let mut total = Total::default();
    for path in &args {
        let bytes = std::fs::read(path)?;
        let (result, in_sandbox) = timed(&sandboxed, path, &bytes, repeat);
        match result {
            Ok(document) if print => println!("{}", document.text),
            Ok(document) if compare => {
                let score = f1(&document.text, &pdftotext(path)?);
                println!("{path}: F1 {score:.4}");
                total.scores.push(score);
            }
            Ok(document) => {
                // What read well there reads well here.
                let (_, direct) = timed(&in_process, path, &bytes, repeat);
                println!(
                    "{path}: {}, {} pages, {} headings, {} characters, {:.2} ms ({:.2} ms in process)",
                    document.format.name(),
                    document.pages.len(),
                    document.headings.len(),
                    document.text.chars().count(),
                    milliseconds(in_sandbox),
                    milliseconds(direct),
                );
                total.add(bytes.len(), document.text.len(), in_sandbox, direct);
            }
            Err(error) => println!("{path}: {}: {error}", error.code()),
        }
    }
    if !print {
        total.print();
    }
    Ok(())
}

type Extraction = Result<extract::Document, extract::ExtractError>;

/// The median of some extractions, after one that starts the child.
fn timed(extractor: &Extractor, path: &str, bytes: &[u8], repeat: usize) -> (Extraction, Duration) {
    let mut result = extractor.extract(path, bytes);
    let mut times = Vec::new();
    for _ in 0..repeat.max(1) {
        let started = Instant::now();
        result = extractor.extract(path, bytes);
        times.push(started.elapsed());
    }
    times.sort_unstable();
    (result, times[times.len() / 2])
}

#[derive(Default)]
struct Total {
    files: u32,
    bytes: usize,
    text_bytes: usize,
    in_sandbox: Duration,
    direct: Duration,
    scores: Vec<f64>,
}

impl Total {
    fn add(&mut self, bytes: usize, text_bytes: usize, in_sandbox: Duration, direct: Duration) {
        self.files += 1;
        self.bytes += bytes;
        self.text_bytes += text_bytes;
        self.in_sandbox += in_sandbox;
        self.direct += direct;
    }

    fn print(&self) {
        if !self.scores.is_empty() {
            let files = self.scores.len();
            let mean = self.scores.iter().sum::<f64>() / files as f64;
            println!("{files} files: F1 {mean:.4} on average");
            return;
        }
        let seconds = self.in_sandbox.as_secs_f64();
        println!(
            "{} files of {:.2} MB in {:.2} s: {:.1} files/s, {:.2} MB of text/s; \
             {:.3} ms a file for the sandbox",
            self.files,
            self.bytes as f64 / 1e6,
            seconds,
            f64::from(self.files) / seconds,
            self.text_bytes as f64 / 1e6 / seconds,
            (milliseconds(self.in_sandbox) - milliseconds(self.direct)) / f64::from(self.files),
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What poppler's program reads.
fn pdftotext(path: &str) -> std::io::Result<String> {
    let output = Command::new("pdftotext")
        .args(["-enc", "UTF-8", path, "-"])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How far the words of two texts are the same, wherever they stand: the harmonic mean of the
/// shares that each has of the other's.
fn f1(ours: &str, theirs: &str) -> f64 {
    let count = |text: &str| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for word in text.split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        counts
    };
    let (ours, theirs) = (count(ours), count(theirs));
    let all = ours.values().sum::<usize>() + theirs.values().sum::<usize>();
    let both = ours
        .iter()
        .map(|(word, count)| theirs.get(word).map_or(0, |n| *n.min(count)));
    2.0 * both.sum::<usize>() as f64 / (all.max(1)) as f64
}
