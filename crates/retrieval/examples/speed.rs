//! How fast a large collection is searched, beside tantivy's own BM25 over the same texts.
//!
//! `cargo run --release -p retrieval --example speed -- [PASSAGES [FOLDER]]` makes up that many
//! passages (200,000 unless said otherwise) of English-like and Korean-like words whose frequencies
//! follow Zipf's law, indexes them twice, and asks both indexes the same queries in turn; then by
//! meaning too, with made-up vectors of 384 numbers. Texts, vectors and queries are the same in every
//! run. What is made in FOLDER stays there, and the next run with it begins with the searches.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use retrieval::{
    Change, Fusion, Index, Meaning, Origin, Passage, Query, VectorChange, VectorRow, Vectors,
};
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, Schema, TEXT};
use tantivy::{TantivyDocument, doc};

type Failure = Box<dyn std::error::Error>;

const WORDS: usize = 60_000;
const WORDS_A_PASSAGE: u64 = 90;
const PASSAGES_A_FILE: usize = 20;
const FILES_A_COMMIT: usize = 2500;
const DIMENSIONS: usize = 384;
const QUERIES: usize = 400;
const TOP_K: usize = 10;

fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).map(|text| text.parse());
    let count: usize = count.transpose()?.unwrap_or(200_000);
    let (passing, staying) = (tempfile::TempDir::new()?, std::env::args().nth(2));
    let folder = staying.map_or(passing.path().to_owned(), PathBuf::from);
    let (ours, plain) = (folder.join("ibid"), folder.join("plain"));
    let vectors = folder.join("vectors");
    let mut words = Words::new();
    let texts: Vec<String> = (0..count).map(|_| words.text(WORDS_A_PASSAGE)).collect();
    let queries: Vec<String> = (0..QUERIES)
        .map(|_| {
            let len = 3 + words.random.below(4);
            words.text(len)
        })
        .collect();

    if !vectors.exists() {
        let started = Instant::now();
        build_ours(&ours, &texts)?;
        let took = started.elapsed().as_secs_f64();
        println!("indexed {count} passages in {took:.1} s");
        let started = Instant::now();
        build_plain(&plain, &texts)?;
        println!("plain tantivy in {:.1} s", started.elapsed().as_secs_f64());
        let started = Instant::now();
        build_vectors(&vectors, count, &mut words.random)?;
        println!("vectors in {:.1} s", started.elapsed().as_secs_f64());
    }
    drop(texts);

    let started = Instant::now();
    let index = Index::open(&ours)?;
    let opened = started.elapsed();
    index.search(&Query::new(&queries[0], TOP_K))?;
    println!(
        "opened in {:.0} ms, with the first query {:.0} ms",
        milliseconds(opened),
        milliseconds(started.elapsed())
    );
    let plain = Plain::open(&plain)?;
    report("ibid, by words", &queries, |query| {
        index.search(&Query::new(query, TOP_K))?;
        Ok(())
    })?;
    report("plain tantivy", &queries, |query| {
        plain.search(query)?;
        Ok(())
    })?;

    index.attach(Vectors::open(&vectors)?.map(Arc::new));
    let mut random = Random(11);
    report("ibid, hybrid", &queries, |query| {
        let meaning = Meaning {
            vector: random.vector(),
            coverage: 1.0,
        };
        index.search_hybrid(&Query::new(query, TOP_K), &meaning, Fusion::default())?;
        Ok(())
    })
}

/// Times `search` for each query; a round before warms up.
fn report(
    name: &str,
    queries: &[String],
    mut search: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut times = Vec::new();
    for round in 0..2 {
        for query in queries {
            let started = Instant::now();
            search(query)?;
            if round > 0 {
                times.push(milliseconds(started.elapsed()));
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:14} p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn build_ours(directory: &Path, texts: &[String]) -> Result<(), Failure> {
    let index = Index::open(directory)?;
    let files: Vec<&[String]> = texts.chunks(PASSAGES_A_FILE).collect();
    for (generation, batch) in (1..).zip(files.chunks(FILES_A_COMMIT)) {
        let changes = batch.iter().enumerate().map(|(n, texts)| {
            let file_id = format!("{generation}-{n}");
            let passages = texts.iter().enumerate();
            Change::Upsert {
                passages: passages
                    .map(|(n, text)| passage(&file_id, n, text))
                    .collect(),
                file_id,
            }
        });
        index.apply(changes.collect(), generation)?;
    }
    Ok(())
}

/// Where a file's passage begins and ends; texts are shorter than that.
fn place(n: usize) -> (usize, usize) {
    (n * 10_000, (n + 1) * 10_000)
}

fn passage(file_id: &str, n: usize, text: &str) -> Passage {
    let (start, end) = place(n);
    Passage {
        file_id: file_id.to_owned(),
        filename: file_id.to_owned(),
        title: String::new(),
        page: None,
        page_breaks: Vec::new(),
        gap: String::new(),
        heading: None,
        start,
        end,
        start_char: start,
        text: text.to_owned(),
    }
}

/// A vector for each passage of [`build_ours`].
fn build_vectors(directory: &Path, count: usize, random: &mut Random) -> Result<(), Failure> {
    let origin = Origin {
        model: "made up".into(),
        probe: vec![0.0; DIMENSIONS],
        passages: String::new(),
    };
    let vectors = Vectors::create(directory, origin)?;
    let files = count.div_ceil(PASSAGES_A_FILE);
    let commits = files.div_ceil(FILES_A_COMMIT);
    for generation in 1..=commits {
        let before = (generation - 1) * FILES_A_COMMIT;
        let changes = (0..FILES_A_COMMIT.min(files - before)).map(|n| {
            let left = count - (before + n) * PASSAGES_A_FILE;
            let rows = (0..PASSAGES_A_FILE.min(left)).map(|n| {
                let (start, end) = place(n);
                VectorRow {
                    start,
                    end,
                    vector: random.vector(),
                }
            });
            VectorChange::Upsert {
                file_id: format!("{generation}-{n}"),
                rows: rows.collect(),
            }
        });
        let is_complete = generation == commits;
        vectors.apply(changes.collect(), generation as u64, is_complete)?;
    }
    Ok(())
}

fn build_plain(directory: &Path, texts: &[String]) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    let mut builder = Schema::builder();
    let body = builder.add_text_field("body", TEXT | STORED);
    let index = tantivy::Index::create_in_dir(directory, builder.build())?;
    let mut writer = index.writer_with_num_threads(1, 50_000_000)?;
    for text in texts {
        writer.add_document(doc!(body => text.as_str()))?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    Ok(())
}

struct Plain {
    searcher: tantivy::Searcher,
    parser: QueryParser,
}

impl Plain {
    fn open(directory: &Path) -> Result<Plain, Failure> {
        let index = tantivy::Index::open_in_dir(directory)?;
        let body = index.schema().get_field("body")?;
        Ok(Plain {
            searcher: index.reader()?.searcher(),
            parser: QueryParser::for_index(&index, vec![body]),
        })
    }

    /// Finds the best passages and reads them, as [`Index::search`] does.
    fn search(&self, text: &str) -> Result<Vec<TantivyDocument>, Failure> {
        let query = self.parser.parse_query(text)?;
        let collector = TopDocs::with_limit(TOP_K).order_by_score();
        let found = self.searcher.search(&query, &collector)?;
        let read = found.iter().map(|(_, address)| self.searcher.doc(*address));
        Ok(read.collect::<Result<_, _>>()?)
    }
}

/// Words of two made-up languages, and texts of them.
struct Words {
    known: Vec<String>,
    random: Random,
}

impl Words {
    fn new() -> Words {
        let mut random = Random(7);
        let known = (0..WORDS).map(|n| word(n % 2 == 0, &mut random)).collect();
        Words { known, random }
    }

    fn text(&mut self, words: u64) -> String {
        let chosen = (0..words).map(|_| {
            // The inverse of Zipf's law with exponent 1: ranks are uniform in their logarithm.
            let rank = (WORDS as f64).powf(self.random.share()) as usize;
            self.known[rank.min(WORDS) - 1].as_str()
        });
        chosen.collect::<Vec<_>>().join(" ")
    }
}

fn word(latin: bool, random: &mut Random) -> String {
    let syllables = 2 + random.below(2);
    if latin {
        let syllable = |random: &mut Random| {
            let letter = |letters: &[u8], random: &mut Random| {
                char::from(letters[random.below(letters.len() as u64) as usize])
            };
            [
                letter(b"bcdfghklmnprstvw", random),
                letter(b"aeiou", random),
                letter(b"lnrst", random),
            ]
        };
        return (0..syllables).flat_map(|_| syllable(random)).collect();
    }
    let particles = ["", "은", "를", "에서", "의", "하는"];
    let stem: String = (0..syllables)
        .filter_map(|_| char::from_u32(0xac00 + random.below(1200) as u32 * 9))
        .collect();
    stem + particles[random.below(particles.len() as u64) as usize]
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSIONS).map(|_| self.share() as f32 - 0.5).collect()
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
