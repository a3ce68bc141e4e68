//! What is deleted leaves the disk, and its space is free again.

use std::fs;
use std::time::{Duration, Instant};

use library::{Extractor, Library};

use crate::harness::*;

/// A word that stands in no other file of the library.
const SECRET: &str = "zyzzyvasecret";

/// Waits for what the ingest thread does after everything else.
#[track_caller]
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::yield_now();
    }
}

fn bytes_of(home: &Home) -> u64 {
    let files = files_under(&home.data_dir());
    // Files come and go while they are looked at.
    files
        .iter()
        .filter_map(|file| Some(fs::metadata(file).ok()?.len()))
        .sum()
}

/// Whether the secret is gone. Bytes move between the files while these are read one after the
/// other, so they are read twice.
fn is_gone(home: &Home) -> bool {
    !holds_secret(home) && !holds_secret(home)
}

fn holds_secret(home: &Home) -> bool {
    files_under(&home.data_dir()).iter().any(|file| {
        let bytes = fs::read(file).unwrap_or_default();
        bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    })
}

fn secret_text(bytes: usize) -> String {
    let line = format!("the {SECRET} is kept in many places\n");
    line.repeat(bytes / line.len())
}

#[test]
fn a_deleted_file_leaves_no_trace() {
    let home = Home::new();
    let library = home.open();
    add(&library, "other.txt", "heron and stork");
    settle(&library);
    let before = bytes_of(&home);
    let secret = add(&library, "secret.txt", secret_text(90_000));
    settle(&library);
    eventually("the secret is on the disk", || holds_secret(&home));

    let purged = library.delete_file(&secret.id).unwrap().expect("it");
    assert_eq!(purged.bytes, secret.bytes);
    assert!(purged.text_bytes > 80_000, "{purged:?}");
    assert!(purged.passages > 100, "{purged:?}");
    assert_eq!(purged.collections, [default_id(&library)]);
    assert!(library.delete_file(&secret.id).unwrap().is_none());
    settle(&library);
    eventually("the secret is gone from the disk", || is_gone(&home));
    // What remains is bookkeeping: a few pages of tables and lists.
    eventually("the space is given back", || {
        bytes_of(&home) < before + 60_000
    });
    check_found(&library, "heron", &["other.txt"]);
}

#[test]
fn a_deleted_collection_leaves_no_trace() {
    let home = Home::new();
    let library = home.open();
    library.create_collection("secrets").unwrap();
    let file = upload(&library, "secret.txt", secret_text(90_000));
    attach(&library, "secrets", &file);
    settle(&library);
    assert!(library.delete_collection("secrets").unwrap());
    library.delete_file(&file.id).unwrap().expect("it stayed");
    settle(&library);
    eventually("the secret is gone from the disk", || is_gone(&home));
}

#[test]
fn a_library_of_the_first_format_is_taken_over_and_shrinks() {
    let home = Home::new();
    fs::create_dir_all(home.data_dir()).unwrap();
    let database = home.database();
    database
        .execute_batch(include_str!("../../src/migrations/0001.sql"))
        .unwrap();
    database
        .execute_batch(&format!(
            "PRAGMA user_version = 1;
             INSERT INTO files (id, filename, purpose, bytes, sha256)
             VALUES ('file-1', 'old.txt', 'user_data', 90000, zeroblob(32));
             INSERT INTO contents VALUES ('file-1', CAST('{}' AS BLOB));",
            secret_text(90_000)
        ))
        .unwrap();
    drop(database);

    let library = home.open();
    let content = library.content("file-1").unwrap().expect("its bytes");
    assert_eq!(content, secret_text(90_000).into_bytes());
    let file = library.file("file-1").unwrap().expect("it");
    attach(&library, "default", &file);
    settle(&library);
    check_found(&library, SECRET, &["old.txt"]);
    library.delete_file("file-1").unwrap().expect("it");
    settle(&library);
    eventually("the secret is gone from the disk", || is_gone(&home));
}

#[test]
fn large_content_comes_back_piece_by_piece() {
    let home = Home::new();
    let mut settings = home.settings();
    settings.max_file_bytes = 3 << 20;
    let library = Library::open(settings, words(), Extractor::in_process()).unwrap();
    let bytes: Vec<u8> = (0..(5 << 19)).map(|number: u32| number as u8).collect();
    let mut received = library.receive().unwrap();
    for piece in bytes.chunks(70_001) {
        received.write(piece).unwrap();
    }
    let file = library
        .add_file(library::NewFile {
            filename: "large.bin".into(),
            purpose: "user_data".into(),
            content: library::Content::Received(received),
            source: None,
        })
        .unwrap();
    assert_eq!(file.bytes, bytes.len() as u64);
    let parts = (0..).map_while(|number| library.content_part(&file.id, number).unwrap());
    let parts: Vec<Vec<u8>> = parts.collect();
    assert_eq!(parts.len(), 3);
    assert!(parts.concat() == bytes);
    assert!(library.content(&file.id).unwrap().expect("it") == bytes);

    let mut too_large = library.receive().unwrap();
    too_large.write(&bytes).unwrap();
    let message = refusal(too_large.write(&bytes));
    assert!(message.contains("the limit is 3145728"), "{message}");
}
