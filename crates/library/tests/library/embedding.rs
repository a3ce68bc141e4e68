//! Vectors follow the files: made once, made again for another model, gone with their files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{EngineError, ScriptedEmbedder};
use library::{Library, LibraryError};
use retrieval::{Fusion, Meaning, Query};

use crate::harness::{Home, add, default_id, files_under, settle};

/// Counts a few letters, so that texts of the same letters are near. `calls` counts the texts.
fn letters(name: &str, alphabet: &'static str, calls: &Arc<AtomicUsize>) -> ScriptedEmbedder {
    let calls = Arc::clone(calls);
    ScriptedEmbedder::new(name, move |text| {
        calls.fetch_add(1, Ordering::Relaxed);
        if text.contains("unreadable") {
            return Err(EngineError::Failed("not a number".into()));
        }
        let count = |letter| text.matches(letter).count() as f32;
        Ok(alphabet.chars().map(count).collect())
    })
}

fn embedded(library: &Library) {
    settle(library);
    let waited = library.wait_until_embedded(&mut |_| ());
    waited.expect("embedding comes to its end");
}

/// The file nearest in meaning to a text in letters of "abc…".
fn nearest(library: &Library, vector: &[f32]) -> Option<String> {
    let index = library.index("default").expect("the index");
    let query = Query::new("x", 3);
    let meaning = Meaning {
        vector: vector.to_vec(),
        coverage: 1.0,
    };
    let hits = index.search_hybrid(&query, &meaning, Fusion::default());
    let first = hits.expect("a valid query").into_iter().next();
    first.map(|hit| hit.passage.filename)
}

fn vectors(library: &Library) -> (usize, u64, bool) {
    let status = library.vector_status("default").expect("a look-up");
    let status = status.expect("there is an embedder");
    (status.vectors, status.files_left, status.searchable)
}

#[test]
fn files_get_vectors_once_and_keep_them() {
    let home = Home::new();
    let calls = Arc::default();
    let library = home.open_embedding(Arc::new(letters("one", "abcd", &calls)));
    add(&library, "a.txt", "aaaa");
    add(&library, "b.txt", "bbbb");
    embedded(&library);
    assert_eq!(vectors(&library), (2, 0, true));
    assert_eq!(
        nearest(&library, &[0.0, 1.0, 0.0, 0.0]).as_deref(),
        Some("b.txt")
    );
    drop(library);

    calls.store(0, Ordering::Relaxed);
    let library = home.open_embedding(Arc::new(letters("renamed", "abcd", &calls)));
    embedded(&library);
    assert_eq!(vectors(&library), (2, 0, true));
    // One text tells who the model is, and another how long its vectors are.
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn another_model_makes_all_vectors_again() {
    let home = Home::new();
    let calls = Arc::default();
    let library = home.open_embedding(Arc::new(letters("one", "abcd", &calls)));
    add(&library, "a.txt", "aaaa");
    embedded(&library);
    drop(library);
    let library = home.open_embedding(Arc::new(letters("one", "zyxba", &calls)));
    embedded(&library);
    assert_eq!(vectors(&library), (1, 0, true));
    let found = nearest(&library, &[0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(found.as_deref(), Some("a.txt"));
}

#[test]
fn vectors_go_with_their_files_even_without_an_embedder() {
    let home = Home::new();
    let library = home.open_embedding(Arc::new(letters("one", "abcd", &Arc::default())));
    let first = add(&library, "a.txt", "aaaa");
    let second = add(&library, "b.txt", "bbbb");
    embedded(&library);
    library.delete_file(&first.id).expect("it goes");
    embedded(&library);
    assert_eq!(vectors(&library), (1, 0, true));
    let directory = home.data_dir().join("vectors").join(default_id(&library));
    let holds = |id: &str| {
        let files = files_under(&directory);
        let holds = |path| std::fs::read(path).is_ok_and(|bytes| contains(&bytes, id.as_bytes()));
        files.into_iter().any(holds)
    };
    assert!(holds(&second.id) && !holds(&first.id));
    drop(library);

    let library = home.open();
    assert_eq!(library.vector_status("default").expect("a look-up"), None);
    library.delete_file(&second.id).expect("it goes");
    while holds(&second.id) {
        std::thread::yield_now();
    }
}

#[test]
fn a_long_passage_is_embedded_whole_and_a_failure_costs_one_file() {
    let home = Home::new();
    let embedder = letters("one", "abcd", &Arc::default()).with_max_tokens(16);
    let library = home.open_embedding(Arc::new(embedder));
    add(
        &library,
        "long.txt",
        format!("{} c c c c c", "a ".repeat(50)),
    );
    add(&library, "bad.txt", "unreadable");
    add(&library, "b.txt", "bbbb");
    embedded(&library);
    let (count, left, searchable) = vectors(&library);
    assert!(count > 4 && left == 0 && searchable, "{count} {left}");
    assert_eq!(
        nearest(&library, &[0.0, 0.0, 1.0, 0.0]).as_deref(),
        Some("long.txt")
    );
    assert_eq!(
        nearest(&library, &[0.0, 1.0, 0.0, 0.0]).as_deref(),
        Some("b.txt")
    );
}

#[test]
fn who_waits_for_an_embedder_that_fails_for_good_is_told() {
    let home = Home::new();
    let broken = ScriptedEmbedder::new("broken", |_| Err(EngineError::Failed("no model".into())));
    let library = home.open_embedding(Arc::new(broken));
    add(&library, "a.txt", "aaaa");
    settle(&library);
    for _ in 0..2 {
        let outcome = library.wait_until_embedded(&mut |_| ());
        let Err(LibraryError::Stalled { reason }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(reason.contains("no model"), "{reason}");
    }
}

#[test]
fn who_waits_for_an_embedder_that_panics_is_told() {
    let home = Home::new();
    let panicking = ScriptedEmbedder::new("panicking", |text| match text {
        // Asked once for the length of its vectors.
        "" => Ok(vec![1.0]),
        _ => panic!("as this test wants it"),
    });
    let library = home.open_embedding(Arc::new(panicking));
    add(&library, "a.txt", "aaaa");
    settle(&library);
    let outcome = library.wait_until_embedded(&mut |_| ());
    assert!(matches!(outcome, Err(LibraryError::Closed)), "{outcome:?}");
}

#[test]
fn what_the_model_has_no_words_for_gets_no_vector() {
    let home = Home::new();
    let embedder = letters("one", "abcd", &Arc::default()).with_coverage(0.2);
    let library = home.open_embedding(Arc::new(embedder));
    add(&library, "a.txt", "aaaa");
    embedded(&library);
    assert_eq!(vectors(&library), (0, 0, true));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
