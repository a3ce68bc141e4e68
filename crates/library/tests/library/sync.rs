//! A collection follows the paths it came from.

use std::fs;
use std::path::PathBuf;

use library::{Library, LibraryError, SourceFile, Status, SyncReport, scan};

use crate::harness::*;

fn sync(library: &Library, paths: &[PathBuf]) -> SyncReport {
    let scan = scan(paths, MAX_FILE_BYTES).expect("the paths are read");
    let report = library
        .sync("default", &scan)
        .expect("the collection follows");
    settle(library);
    report
}

/// Added, changed, removed, unchanged, duplicates.
fn counts(report: &SyncReport) -> [usize; 5] {
    [
        report.added,
        report.changed,
        report.removed,
        report.unchanged,
        report.duplicates,
    ]
}

#[test]
fn files_are_added_changed_and_removed() {
    let home = Home::new();
    let library = home.open();
    add(&library, "upload.txt", "egret");
    home.write("a.md", "egret");
    home.write("sub/b.md", "egret");
    home.write("c.md", "egret");
    let folder = [home.folder()];
    assert_eq!(counts(&sync(&library, &folder)), [3, 0, 0, 0, 0]);
    check_found(
        &library,
        "egret",
        &["a.md", "c.md", "sub/b.md", "upload.txt"],
    );
    assert_eq!(counts(&sync(&library, &folder)), [0, 0, 0, 3, 0]);

    home.write("a.md", "bittern");
    fs::remove_file(home.folder().join("c.md")).unwrap();
    home.write("d.md", "egret");
    assert_eq!(counts(&sync(&library, &folder)), [1, 1, 1, 1, 0]);
    check_found(&library, "egret", &["d.md", "sub/b.md", "upload.txt"]);
    check_found(&library, "bittern", &["a.md"]);
    // The files that were replaced or removed are not kept.
    assert_eq!(library.files(&Default::default()).unwrap().data.len(), 4);

    drop(library);
    let library = home.open();
    assert_eq!(counts(&sync(&library, &folder)), [0, 0, 0, 3, 0]);
    check_found(&library, "bittern", &["a.md"]);
}

#[test]
fn a_change_is_never_seen_half() {
    let home = Home::new();
    let library = home.open();
    home.write("a.md", "version 0");
    sync(&library, &[home.folder()]);
    for version in 1..20 {
        home.write("a.md", format!("version {version}"));
        let scan = scan(&[home.folder()], MAX_FILE_BYTES).unwrap();
        library.sync("default", &scan).unwrap();
        while library.progress().is_some() {
            assert_eq!(library.index("default").unwrap().passage_count(), 1);
        }
        settle(&library);
        check_found(&library, &version.to_string(), &["a.md"]);
    }
}

#[test]
fn what_holds_no_documents_is_passed_over() {
    let home = Home::new();
    home.write("a.md", "x");
    for name in [
        ".hidden.md",
        ".git/b.md",
        "target/c.md",
        "sub/node_modules/d.md",
    ] {
        home.write(name, "x");
    }
    home.write("large.md", vec![b'x'; MAX_FILE_BYTES as usize + 1]);
    let found = scan(&[home.folder(), home.folder().join("a.md")], MAX_FILE_BYTES).unwrap();
    let names: Vec<&str> = found.files.iter().map(|file| &*file.filename).collect();
    assert_eq!(names, ["a.md"]);
    assert_eq!(found.problems.len(), 1);
    assert!(found.problems[0].path.ends_with("large.md"));

    let named = scan(&[home.folder().join(".hidden.md")], MAX_FILE_BYTES).unwrap();
    assert_eq!(named.files[0].filename, ".hidden.md");
}

#[cfg(unix)]
#[test]
fn links_that_form_a_loop_end() {
    let home = Home::new();
    home.write("sub/a.md", "x");
    std::os::unix::fs::symlink(home.folder(), home.folder().join("sub/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", home.folder().join("dangling")).unwrap();
    let found = scan(&[home.folder()], MAX_FILE_BYTES).unwrap();
    assert_eq!(found.files.len(), 1);
    assert_eq!(found.problems.len(), 1);
}

#[test]
fn a_path_without_files_is_an_error() {
    let home = Home::new();
    let missing = scan(&[home.folder().join("none")], MAX_FILE_BYTES);
    assert!(matches!(missing, Err(LibraryError::NotFound { .. })));
    let message = refusal(scan(&[home.folder()], MAX_FILE_BYTES));
    assert!(message.ends_with("there is no file in it"), "{message}");
    home.write("large.md", vec![b'x'; MAX_FILE_BYTES as usize + 1]);
    let message = refusal(scan(&[home.folder()], MAX_FILE_BYTES));
    assert!(message.contains("large.md: it has more than"), "{message}");
}

#[test]
fn copies_are_one_document() {
    let home = Home::new();
    let library = home.open();
    add(&library, "README.md", "stork");
    home.write("one/README.md", "stork");
    home.write("two/x.md", "crane");
    home.write("three/x.md", "crane");
    let folders = ["one", "two", "three"].map(|name| home.folder().join(name));
    assert_eq!(counts(&sync(&library, &folders)), [1, 0, 0, 0, 2]);
    assert_eq!(counts(&sync(&library, &folders)), [0, 0, 0, 1, 2]);
    assert_eq!(library.index("default").unwrap().passage_count(), 2);
}

#[test]
fn a_failed_file_is_tried_again_and_may_become_readable() {
    let home = Home::new();
    let library = home.open();
    home.write("a.md", "\u{0}\u{1}\u{2}\u{3}binary\u{0}");
    home.write("b.md", "ibis");
    sync(&library, &[home.folder()]);
    let failed = ("a.md".to_string(), Status::Failed);
    assert_eq!(statuses(&library)[0], failed);
    assert_eq!(counts(&sync(&library, &[home.folder()])), [0, 0, 0, 2, 0]);
    assert_eq!(statuses(&library)[0], failed);
    home.write("a.md", "ibis");
    assert_eq!(counts(&sync(&library, &[home.folder()])), [0, 1, 0, 1, 0]);
    check_found(&library, "ibis", &["a.md", "b.md"]);
}

#[test]
fn examples_come_from_the_binary() {
    let home = Home::new();
    let library = home.open();
    let scan = library::Scan {
        files: vec![SourceFile::example("hello.md", b"# Hello\n\nspoonbill")],
        problems: Vec::new(),
    };
    library.sync("default", &scan).unwrap();
    settle(&library);
    check_found(&library, "spoonbill", &["hello.md"]);
    home.write("a.md", "x");
    assert_eq!(counts(&sync(&library, &[home.folder()])), [1, 0, 1, 0, 0]);
    check_found(&library, "spoonbill", &[]);
}

#[test]
fn what_cannot_be_read_now_is_kept() {
    let home = Home::new();
    let library = home.open();
    home.write("a.md", "grebe");
    home.write("b.md", "grebe");
    sync(&library, &[home.folder()]);
    home.write("b.md", vec![b'x'; MAX_FILE_BYTES as usize + 1]);
    let report = sync(&library, &[home.folder()]);
    assert_eq!(counts(&report), [0, 0, 0, 1, 0]);
    assert_eq!(report.problems.len(), 1);
    check_found(&library, "grebe", &["a.md", "b.md"]);
}

#[test]
fn many_files_are_recorded_at_once() {
    let home = Home::new();
    let library = home.open();
    for number in 0..300 {
        home.write(&format!("{number}.md"), format!("lapwing {number}"));
    }
    assert_eq!(counts(&sync(&library, &[home.folder()])), [300, 0, 0, 0, 0]);
    assert_eq!(library.index("default").unwrap().passage_count(), 300);
    drop(library);
    let library = home.open();
    assert_eq!(counts(&sync(&library, &[home.folder()])), [0, 0, 0, 300, 0]);
}
