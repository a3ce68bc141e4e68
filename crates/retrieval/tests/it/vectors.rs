//! Vectors: exact, durable, complete when deleted, and searched together with words.

use std::fs;
use std::path::Path;

use retrieval::{
    Change, Fusion, Hit, Index, Meaning, Origin, Passage, Query, RetrievalError, VectorChange,
    VectorRow, Vectors,
};

use crate::{files, index_of, upsert};

const DIMENSIONS: usize = 24;

fn origin() -> Origin {
    Origin {
        model: "a model".into(),
        probe: vector(0),
        passages: String::new(),
    }
}

/// A vector that looks random, the same for the same seed.
fn vector(seed: u64) -> Vec<f32> {
    let number = |n: u64| {
        let mixed = (seed * 1009 + n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..DIMENSIONS as u64).map(number).collect()
}

/// A vector in one direction.
fn axis(n: usize) -> Vec<f32> {
    (0..DIMENSIONS).map(|place| f32::from(place == n)).collect()
}

fn row(start: usize, vector: Vec<f32>) -> VectorRow {
    VectorRow {
        start,
        end: start + 10,
        vector,
    }
}

fn put(file_id: impl ToString, rows: Vec<VectorRow>) -> VectorChange {
    VectorChange::Upsert {
        file_id: file_id.to_string(),
        rows,
    }
}

fn delete(file_id: &str) -> VectorChange {
    VectorChange::Delete {
        file_id: file_id.into(),
    }
}

fn nearest(vectors: &Vectors, vector: &[f32], count: usize) -> Vec<(String, usize)> {
    let nearest = vectors.nearest(vector, count, &|_| true);
    let places = nearest.neighbours.into_iter();
    places.map(|near| (near.file_id, near.start)).collect()
}

fn create(directory: &Path) -> Vectors {
    Vectors::create(directory, origin()).expect("an empty directory")
}

fn open(directory: &Path) -> Result<Vectors, RetrievalError> {
    Ok(Vectors::open(directory)?.expect("there are vectors"))
}

fn segments(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let is_segment = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".vectors");
    names.filter(is_segment).count()
}

#[test]
fn the_nearest_are_those_of_a_plain_comparison() {
    let vectors = Vectors::in_memory(origin());
    for file in 0..60 {
        let rows = (0..10).map(|n| row(n, vector(file * 10 + n as u64)));
        let change = put(file, rows.collect());
        vectors.apply(vec![change], file, false).expect("it fits");
    }
    let cosine = |one: &[f32], other: &[f32]| {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        product(one, other) / (product(one, one) * product(other, other)).sqrt()
    };
    for seed in [1000, 1001, 1002] {
        let query = vector(seed);
        let mut plain: Vec<(f32, String, usize)> = (0..600)
            .map(|n| {
                (
                    cosine(&query, &vector(n)),
                    (n / 10).to_string(),
                    n as usize % 10,
                )
            })
            .collect();
        plain.sort_by(|one, other| other.0.total_cmp(&one.0));
        let plain = plain.into_iter().map(|(_, file, start)| (file, start));
        let expected: Vec<_> = plain.take(10).collect();
        assert_eq!(nearest(&vectors, &query, 10), expected);
        let filtered = vectors.nearest(&query, 10, &|file| file == "7");
        assert_eq!(filtered.neighbours.len(), 10);
        assert!(filtered.neighbours.iter().all(|near| near.file_id == "7"));
    }
}

#[test]
fn a_passage_with_several_vectors_is_found_once_by_its_best() {
    let vectors = Vectors::in_memory(origin());
    let rows = vec![row(0, axis(1)), row(0, axis(2)), row(20, axis(3))];
    vectors
        .apply(vec![put("a", rows)], 1, true)
        .expect("they fit");
    let found = vectors.nearest(&axis(2), 5, &|_| true).neighbours;
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].start, found[0].cosine), (0, 1.0));
    let known = vectors.cosines(&axis(2), &[("a", 0, 10), ("a", 1, 10), ("b", 0, 10)]);
    assert_eq!(known, [Some(1.0), None, None]);
}

#[test]
fn vectors_survive_closing_and_follow_their_files() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("vectors");
    assert!(Vectors::open(&directory).expect("nothing there").is_none());
    let vectors = create(&directory);
    for n in 0..40 {
        let change = put(n, vec![row(0, vector(n))]);
        vectors.apply(vec![change], n, n == 39).expect("it fits");
    }
    assert!(segments(&directory) <= 17, "many small segments become one");
    drop(vectors);

    let vectors = open(&directory).expect("they are sound");
    assert_eq!((vectors.generation(), vectors.count()), (39, 40));
    assert!(vectors.is_complete() && vectors.origin().same_as(&origin()));
    assert_eq!(nearest(&vectors, &vector(5), 1), [("5".into(), 0)]);
    let changes = vec![delete("5"), put(6, vec![row(3, vector(5))]), delete("none")];
    vectors.apply(changes, 40, false).expect("it fits");
    assert_eq!(nearest(&vectors, &vector(5), 1), [("6".into(), 3)]);
    assert!(!vectors.has_file("5") && vectors.file_count() == 39);
}

#[test]
fn what_is_deleted_leaves_the_disk() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().join("vectors");
    let vectors = create(&directory);
    let changes = vec![
        put("secret", vec![row(0, axis(1))]),
        put("other", vec![row(0, axis(2))]),
    ];
    vectors.apply(changes, 1, true).expect("they fit");
    vectors
        .apply(vec![delete("secret")], 2, false)
        .expect("it goes");
    for entry in fs::read_dir(&directory).expect("a directory") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }
    assert_eq!(nearest(&vectors, &axis(2), 5).len(), 1);
}

#[test]
fn damage_is_reported() {
    let check = |spoil: &dyn Fn(&mut Vec<u8>), suffix: &str| {
        let home = tempfile::tempdir().expect("a directory");
        let vectors = create(home.path());
        let change = put("a", vec![row(0, vector(1))]);
        vectors.apply(vec![change], 1, true).expect("it fits");
        drop(vectors);
        for entry in fs::read_dir(home.path()).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.to_string_lossy().ends_with(suffix) {
                let mut bytes = fs::read(&path).expect("a file");
                spoil(&mut bytes);
                fs::write(&path, bytes).expect("it can be written");
            }
        }
        let opened = open(home.path());
        assert!(
            matches!(opened, Err(RetrievalError::Damaged { .. })),
            "{opened:?}"
        );
    };
    check(&|bytes| bytes.truncate(10), ".vectors");
    check(&|bytes| bytes.truncate(100), ".vectors");
    check(&|bytes| bytes[60] ^= 1, ".vectors");
    check(&|bytes| bytes[0] = b'x', ".vectors");
    check(&|bytes| bytes.truncate(20), ".json");
}

#[test]
fn vectors_of_another_length_are_refused() {
    let vectors = Vectors::in_memory(origin());
    let refused = vectors.apply(vec![put("a", vec![row(0, vec![1.0])])], 1, true);
    assert!(matches!(refused, Err(RetrievalError::Invalid { .. })));
    assert!(vectors.nearest(&[1.0], 3, &|_| true).neighbours.is_empty());
    let other = Origin {
        probe: vector(1),
        ..origin()
    };
    assert!(!origin().same_as(&other));
}

/// An index of texts, each with the vector of an axis of its own, in the order of the texts.
fn index_with_vectors(texts: &[&str]) -> Index {
    let index = index_of(texts);
    let vectors = Vectors::in_memory(origin());
    let change = |(n, text): (usize, &&str)| {
        let (start, end) = (0, text.len());
        let vector = axis(n);
        put(n, vec![VectorRow { start, end, vector }])
    };
    let changes = texts.iter().enumerate().map(change).collect();
    vectors.apply(changes, 1, true).expect("they fit");
    index.attach(Some(vectors.into()));
    index
}

fn meaning(n: usize, coverage: f32) -> Meaning {
    Meaning {
        vector: axis(n),
        coverage,
    }
}

fn hybrid(index: &Index, text: &str, meaning: &Meaning) -> Vec<Hit> {
    let query = Query::new(text, 10);
    let hits = index.search_hybrid(&query, meaning, Fusion::default());
    hits.expect("a valid query")
}

const TEXTS: [&str; 20] = [
    "The cat sleeps on the warm stove.",
    "A lorry carries gravel.",
    "Stars are far away.",
    "Bread is baked from flour.",
    "Snow falls in winter.",
    "A bridge crosses the river.",
    "The choir sings at noon.",
    "Copper conducts well.",
    "Tea grows on hills.",
    "The judge read the verdict.",
    "Whales breathe air.",
    "Chess has sixty-four squares.",
    "A violin has four strings.",
    "Glass is made from sand.",
    "The harbour froze.",
    "Bees dance to give directions.",
    "Salt keeps meat.",
    "Iron rusts in rain.",
    "Maps have a scale.",
    "Clocks run slow.",
];

#[test]
fn a_hybrid_search_finds_by_words_and_by_meaning() {
    let index = index_with_vectors(&TEXTS);
    let hits = hybrid(&index, "truck", &meaning(1, 1.0));
    assert_eq!(files(&hits)[0], "1", "no word in common");
    assert_eq!(hits[0].cosine, Some(1.0));
    let hits = hybrid(&index, "flour", &meaning(3, 1.0));
    assert_eq!(files(&hits)[0], "3");
    assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
    assert!(hits.is_sorted_by(|one, next| one.score >= next.score));
}

#[test]
fn a_model_that_cannot_read_the_query_has_no_say() {
    let index = index_with_vectors(&TEXTS);
    let hits = hybrid(&index, "flour", &meaning(1, 0.3));
    assert_eq!(files(&hits)[0], "3");
}

#[test]
fn what_the_index_lost_is_not_found_by_its_vector() {
    let index = index_with_vectors(&TEXTS);
    let deleted = Change::Delete {
        file_id: "1".into(),
    };
    index.apply(vec![deleted], 2).expect("it goes");
    let query = Query::new("truck", 20);
    let hits = index.search_dense(&query, &meaning(1, 1.0)).expect("valid");
    assert!(!files(&hits).contains(&"1") && hits.len() == 19);
}

#[test]
fn until_the_vectors_are_complete_search_goes_by_words() {
    let index = index_of(&TEXTS);
    let vectors = Vectors::in_memory(origin());
    let change = put(1, vec![row(0, axis(1))]);
    vectors.apply(vec![change], 0, false).expect("it fits");
    index.attach(Some(vectors.into()));
    assert!(hybrid(&index, "truck", &meaning(1, 1.0)).is_empty());
}

#[test]
fn context_names_a_title_once() {
    let passages = |change| match change {
        Change::Upsert { passages, .. } => passages,
        Change::Delete { .. } => Vec::new(),
    };
    let passage = passages(upsert("a", "Text.")).remove(0);
    let check = |title: &str, heading: Option<&str>, expected: &str| {
        let passage = Passage {
            title: title.into(),
            heading: heading.map(str::to_owned),
            ..passage.clone()
        };
        assert_eq!(passage.in_context(), expected);
    };
    check("", None, "Text.");
    check("Title", None, "Title\nText.");
    check("Title", Some("Title > Part"), "Title > Part\nText.");
    check("Title", Some("Part"), "Title\nPart\nText.");
}
