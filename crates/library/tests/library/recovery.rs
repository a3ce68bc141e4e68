//! Every state a crash can leave comes right at the next opening.

use std::fs;
use std::sync::{Arc, Mutex, mpsc};

use library::{CountTokens, Extractor, Library, Status};
use rusqlite::Connection;

use crate::harness::*;

/// A library with two searchable documents, closed; then what a crash may do to it; then
/// opened again it must find both.
fn check_recovers(damage: impl FnOnce(&Home, &str)) {
    let home = Home::new();
    let library = home.open();
    add(&library, "one.txt", "curlew");
    settle(&library);
    add(&library, "two.txt", "curlew");
    settle(&library);
    let id = default_id(&library);
    drop(library);
    damage(&home, &id);

    let library = home.open();
    settle(&library);
    check_found(&library, "curlew", &["one.txt", "two.txt"]);
    assert_eq!(library.index("default").unwrap().passage_count(), 2);
    let is_completed = |(_, status): &(String, Status)| *status == Status::Completed;
    assert!(statuses(&library).iter().all(is_completed));
    drop(library);
    check_in_step(&home, &id);
}

/// The index is at the database's generation.
fn check_in_step(home: &Home, id: &str) {
    let index = retrieval::Index::open(&home.index_dir(id)).expect("the index");
    let sql = "SELECT generation FROM collections WHERE id = ?";
    let generation: i64 = home
        .database()
        .query_row(sql, [id], |row| row.get(0))
        .unwrap();
    assert_eq!(index.generation(), generation as u64);
}

fn execute(database: &Connection, sql: &str) {
    database.execute_batch(sql).expect("valid SQL");
}

#[test]
fn nothing_happened() {
    check_recovers(|_, _| ());
}

#[test]
fn a_pending_file_is_resumed() {
    check_recovers(|home, _| {
        execute(
            &home.database(),
            "UPDATE memberships SET status = 'in_progress' WHERE sequence = 2;
             DELETE FROM documents;",
        );
    });
}

#[test]
fn an_index_committed_but_not_recorded_is_built_again() {
    check_recovers(|home, _| {
        execute(
            &home.database(),
            "UPDATE memberships SET status = 'in_progress' WHERE sequence = 2;
             UPDATE collections SET generation = generation - 1;",
        );
    });
}

#[test]
fn a_missing_index_is_built_again() {
    check_recovers(|home, id| fs::remove_dir_all(home.index_dir(id)).unwrap());
}

#[test]
fn all_indexes_missing_are_built_again() {
    check_recovers(|home, _| fs::remove_dir_all(home.data_dir().join("index")).unwrap());
}

#[test]
fn an_index_of_garbage_is_built_again() {
    check_recovers(|home, id| {
        for file in files_under(&home.index_dir(id)) {
            fs::write(file, "garbage").unwrap();
        }
    });
}

#[test]
fn a_truncated_index_is_built_again() {
    check_recovers(|home, id| {
        for file in files_under(&home.index_dir(id)) {
            let file = fs::OpenOptions::new().write(true).open(file).unwrap();
            let bytes = file.metadata().unwrap().len();
            file.set_len(bytes / 2).unwrap();
        }
    });
}

#[test]
fn an_index_that_is_behind_is_caught_up() {
    let home = Home::new();
    let library = home.open();
    add(&library, "one.txt", "curlew");
    let gone = add(&library, "gone.txt", "curlew");
    settle(&library);
    let id = default_id(&library);
    drop(library);
    let before = home.data_dir().join("before");
    copy(&home.index_dir(&id), &before);

    let library = home.open();
    add(&library, "two.txt", "curlew");
    library.delete_file(&gone.id).unwrap();
    add(&library, "three.txt", "curlew");
    settle(&library);
    drop(library);
    fs::remove_dir_all(home.index_dir(&id)).unwrap();
    copy(&before, &home.index_dir(&id));

    let library = home.open();
    settle(&library);
    check_found(&library, "curlew", &["one.txt", "three.txt", "two.txt"]);
    drop(library);
    check_in_step(&home, &id);
}

#[test]
fn an_index_too_far_behind_is_built_again() {
    check_recovers(|home, _| {
        execute(
            &home.database(),
            "UPDATE collections SET generation = generation + 5, removals_since = generation + 4;",
        );
    });
}

#[test]
fn an_index_of_other_passages_is_built_again() {
    let home = Home::new();
    let library = home.open();
    add(&library, "long.txt", "sandpiper by the sea. ".repeat(100));
    settle(&library);
    let passages = library.index("default").unwrap().passage_count();
    drop(library);
    let mut settings = home.settings();
    settings.passage_tokens /= 2;
    let library = Library::open(settings, words(), Extractor::in_process()).unwrap();
    settle(&library);
    assert!(library.index("default").unwrap().passage_count() > passages);
}

#[test]
fn while_an_index_is_built_again_the_one_before_it_is_searched() {
    let home = Home::new();
    let library = home.open();
    let first = add(&library, "0.txt", "curlew number 0");
    add(&library, "1.txt", "curlew number 1");
    settle(&library);
    drop(library);
    let mut settings = home.settings();
    settings.passage_tokens /= 2;
    // Nothing is cut into passages until `hold` is dropped.
    let (hold, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let count: CountTokens = Arc::new(move |text: &str| {
        let _ = held.lock().unwrap().recv();
        text.split_whitespace().count()
    });
    let library = Library::open(settings, count, Extractor::in_process()).unwrap();
    assert!(library.is_rebuilding("default").unwrap());
    check_found(&library, "curlew", &["0.txt", "1.txt"]);
    library.delete_file(&first.id).unwrap();
    check_found(&library, "curlew", &[]);
    drop(hold);
    settle(&library);
    assert!(!library.is_rebuilding("default").unwrap());
    check_found(&library, "curlew", &["1.txt"]);
}

#[test]
fn languages_that_an_earlier_version_did_not_note_are_noted() {
    let home = Home::new();
    let library = home.open();
    let file = add(&library, "leave.txt", "근로자에게 유급휴가를 주어야 한다.");
    settle(&library);
    drop(library);
    execute(&home.database(), "UPDATE documents SET language = NULL");
    let library = home.open();
    let language = || {
        let membership = library.membership("default", &file.id);
        membership.unwrap().expect("it is there").language
    };
    while language().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(language().as_deref(), Some("ko"));
}

#[test]
fn a_large_collection_is_built_again_in_batches() {
    let home = Home::new();
    let library = home.open();
    for number in 0..200 {
        let file = upload(
            &library,
            &format!("{number}.txt"),
            format!("ruff number {number}"),
        );
        attach(&library, "default", &file);
    }
    settle(&library);
    let id = default_id(&library);
    drop(library);
    // Moved, not removed: a merge that had begun may still write its last file.
    fs::rename(home.index_dir(&id), home.data_dir().join("gone")).unwrap();
    let library = home.open();
    let mut reports = Vec::new();
    library
        .wait_until_idle(&mut |progress| reports.push(progress))
        .unwrap();
    assert_eq!(library.index("default").unwrap().passage_count(), 200);
    let last = reports.last().expect("a report");
    assert_eq!((last.done, last.total), (200, 200));
}

#[test]
fn who_has_the_library_for_a_moment_is_waited_for() {
    let home = Home::new();
    drop(home.open());
    let lock = fs::File::open(home.data_dir().join("lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| home.try_open());
        // However far the opening has come by now.
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(lock);
        assert!(opening.join().unwrap().is_ok());
    });
}

#[test]
fn what_a_deleted_collection_left_is_swept() {
    let home = Home::new();
    drop(home.open());
    let stray = home.index_dir("vs_0123");
    fs::create_dir_all(&stray).unwrap();
    drop(home.open());
    assert!(!stray.exists());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for file in files_under(from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).unwrap();
    }
}
