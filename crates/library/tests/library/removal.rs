//! What is deleted is gone everywhere.

use library::NewFile;

use crate::harness::*;

#[test]
fn a_deleted_file_leaves_nothing() {
    let home = Home::new();
    let library = home.open();
    let other = library.create_collection("other").unwrap();
    let secret = "xyzzyplugh".repeat(3);
    let file = add(&library, "secret.txt", format!("the word is {secret}"));
    attach(&library, "other", &file);
    add(&library, "kept.txt", "the word is missing");
    settle(&library);
    check_found(&library, &secret, &["secret.txt"]);

    assert!(library.delete_file(&file.id).unwrap().is_some());
    assert!(library.delete_file(&file.id).unwrap().is_none());
    check_found(&library, &secret, &[]);
    assert!(found(&library, &other.id, &secret).is_empty());
    check_found(&library, "word", &["kept.txt"]);
    assert_eq!(library.content(&file.id).unwrap(), None);
    assert_eq!(library.document(&file.id).unwrap(), None);
    assert_eq!(
        library
            .collection("other")
            .unwrap()
            .expect("it")
            .counts
            .total,
        0
    );

    drop(library);
    let database = std::fs::read(home.data_dir().join("library.sqlite")).unwrap();
    let holds = database
        .windows(secret.len())
        .any(|window| window == secret.as_bytes());
    assert!(!holds, "the bytes are still in the database");
}

#[test]
fn a_file_can_be_deleted_before_it_is_read() {
    let home = Home::new();
    let library = home.open();
    for number in 0..100 {
        let file = add(
            &library,
            &format!("{number}.txt"),
            format!("dunlin {number}"),
        );
        if number % 2 == 0 {
            assert!(library.delete_file(&file.id).unwrap().is_some());
        }
    }
    settle(&library);
    assert_eq!(found(&library, "default", "dunlin").len(), 50);
    assert_eq!(statuses(&library).len(), 50);
}

#[test]
fn a_removed_file_stays_removed_and_may_come_back() {
    let home = Home::new();
    let library = home.open();
    let file = add(&library, "a.txt", "avocet");
    settle(&library);
    assert!(library.detach("default", &file.id).unwrap());
    drop(library);
    let library = home.open();
    settle(&library);
    check_found(&library, "avocet", &[]);
    attach(&library, "default", &file);
    settle(&library);
    check_found(&library, "avocet", &["a.txt"]);
}

#[test]
fn a_source_is_a_name_and_not_always_a_path() {
    let home = Home::new();
    let library = home.open();
    let file = NewFile {
        filename: "a.txt".into(),
        purpose: "user_data".into(),
        content: b"whimbrel".to_vec().into(),
        source: Some("/nowhere/a.txt".into()),
    };
    let file = library.add_file(file).unwrap();
    attach(&library, "default", &file);
    settle(&library);
    check_found(&library, "whimbrel", &["a.txt"]);
}
