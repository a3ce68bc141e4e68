//! One bad file fails with a reason; the others go on.

use library::{ErrorCode, Extractor, Library, LibraryError, Status};

use crate::harness::*;

#[test]
fn an_unreadable_file_fails_alone() {
    let home = Home::new();
    let library = home.open();
    add(&library, "good.txt", "kestrel");
    let picture = add(
        &library,
        "picture.png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
    );
    let empty = add(&library, "empty.txt", "");
    add(&library, "also-good.txt", "kestrel");
    settle(&library);

    check_found(&library, "kestrel", &["also-good.txt", "good.txt"]);
    let error = |id: &str| {
        let membership = library.membership("default", id).unwrap().expect("it");
        assert_eq!(membership.status, Status::Failed);
        membership.last_error.expect("a reason")
    };
    assert_eq!(error(&picture.id).code, ErrorCode::UnsupportedFile);
    assert_eq!(error(&empty.id).code, ErrorCode::InvalidFile);
    assert!(!error(&empty.id).message.is_empty());
    let counts = library.collection("default").unwrap().expect("it").counts;
    assert_eq!((counts.completed, counts.failed, counts.total), (2, 2, 4));
}

#[test]
fn a_panic_fails_one_file() {
    let home = Home::new();
    let count = |text: &str| {
        assert!(!text.contains("poison"), "planted by the test");
        text.split_whitespace().count()
    };
    let library = Library::open(
        home.settings(),
        std::sync::Arc::new(count),
        Extractor::in_process(),
    )
    .unwrap();
    add(&library, "a.txt", "plover");
    let poisoned = add(&library, "b.txt", "poison ".repeat(100));
    add(&library, "c.txt", "plover");
    settle(&library);
    check_found(&library, "plover", &["a.txt", "c.txt"]);
    let membership = library
        .membership("default", &poisoned.id)
        .unwrap()
        .expect("it");
    assert_eq!(
        membership.last_error.expect("a reason").code,
        ErrorCode::ServerError
    );
}

#[test]
fn attaching_again_tries_again() {
    let home = Home::new();
    let library = home.open();
    let file = add(&library, "empty.txt", "");
    settle(&library);
    let membership = library
        .attach("default", &file.id, Default::default())
        .unwrap();
    assert_eq!(membership.status, Status::InProgress);
    settle(&library);
    assert_eq!(statuses(&library), [("empty.txt".into(), Status::Failed)]);
}

#[test]
fn one_process_holds_the_directory() {
    let home = Home::new();
    let library = home.open();
    assert!(matches!(home.try_open(), Err(LibraryError::InUse { .. })));
    drop(library);
    assert!(home.try_open().is_ok());
}

#[test]
fn a_newer_library_is_refused() {
    let home = Home::new();
    drop(home.open());
    home.database()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        home.try_open(),
        Err(LibraryError::TooNew { found: 99, .. })
    ));
}

#[test]
fn impossible_settings_are_refused() {
    let home = Home::new();
    let mut settings = home.settings();
    settings.passage_overlap_tokens = settings.passage_tokens;
    let refused = Library::open(settings, words(), Extractor::in_process());
    assert!(matches!(
        refused,
        Err(LibraryError::Invalid {
            param: "passage_overlap_tokens",
            ..
        })
    ));
}

#[test]
fn a_closed_library_does_not_keep_anyone_waiting() {
    let home = Home::new();
    let library = home.open();
    settle(&library);
    library.close();
    library.close();
    let file = add(&library, "late.txt", "godwit");
    assert!(matches!(
        library.wait_until_idle(&mut |_| ()),
        Err(LibraryError::Closed)
    ));
    drop(library);
    let library = home.open();
    settle(&library);
    check_found(&library, "godwit", &["late.txt"]);
    assert!(library.document(&file.id).unwrap().is_some());
}
