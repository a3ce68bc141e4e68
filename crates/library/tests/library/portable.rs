//! Collections and libraries as files.

use std::collections::BTreeMap;
use std::fs;

use library::{AttributeValue, Attributes, Extractor, Library, LibraryError, Settings};

use crate::harness::*;

fn attributes() -> Attributes {
    let pairs = BTreeMap::from([("year".into(), AttributeValue::Number(2024.into()))]);
    Attributes::new(pairs).unwrap()
}

/// A library whose collection "birds" holds two files, one of them also elsewhere.
fn birds(home: &Home) -> std::sync::Arc<Library> {
    let library = home.open();
    library.create_collection("birds").unwrap();
    let shared = add(&library, "shared.txt", "a whinchat");
    library
        .attach("birds", &shared.id, Default::default())
        .unwrap();
    let own = upload(&library, "own.txt", "another whinchat");
    library.attach("birds", &own.id, attributes()).unwrap();
    let broken = upload(&library, "empty.txt", "");
    library
        .attach("birds", &broken.id, Default::default())
        .unwrap();
    add(&library, "unrelated.txt", "a whinchat that stays");
    settle(&library);
    library
}

#[test]
fn an_exported_collection_is_the_same_elsewhere() {
    let home = Home::new();
    let library = birds(&home);
    let file = home.data_dir().join("birds.ibid");
    // The library is open, as it is while a server runs.
    let moved = library::export(&home.data_dir(), "birds", &file).unwrap();
    assert_eq!((&*moved.collection, moved.files), ("birds", 3));
    let message = refusal(library::export(&home.data_dir(), "birds", &file));
    assert!(message.contains("already a file"), "{message}");

    let other = Home::new();
    let elsewhere = other.open();
    let collection = elsewhere.import(&file, None).unwrap();
    settle(&elsewhere);
    assert_eq!(
        (collection.counts.completed, collection.counts.failed),
        (2, 1)
    );
    let found = |library: &Library| found(library, "birds", "whinchat");
    assert_eq!(found(&elsewhere), found(&library));
    let list = |library: &Library| {
        let listing = library.memberships("birds", None, &Default::default());
        let files = listing.unwrap().data.into_iter();
        let file = |m: library::Membership| (m.file_id, m.filename, m.attributes, m.created_at);
        files.map(file).collect::<Vec<_>>()
    };
    assert_eq!(list(&elsewhere), list(&library));
    for (id, ..) in list(&library) {
        assert_eq!(
            elsewhere.content(&id).unwrap(),
            library.content(&id).unwrap()
        );
        assert_eq!(
            elsewhere.document(&id).unwrap(),
            library.document(&id).unwrap()
        );
    }
    check_found(&elsewhere, "whinchat", &[]);
    assert!(matches!(
        elsewhere.import(&file, None),
        Err(LibraryError::Exists { .. })
    ));
    // Beside its original: the ids are taken, so its files get others.
    let copy = library.import(&file, Some("copy")).unwrap();
    settle(&library);
    assert_eq!(copy.counts.total, 3);
    assert_eq!(crate::harness::found(&library, "copy", "whinchat").len(), 2);
    assert_eq!(library.files(&Default::default()).unwrap().data.len(), 7);
}

#[test]
fn what_is_no_export_is_refused() {
    let home = Home::new();
    drop(birds(&home));
    let file = home.data_dir().join("birds.ibid");
    library::export(&home.data_dir(), "birds", &file).unwrap();
    let other = Home::new();
    let elsewhere = other.open();
    let check = |damage: &dyn Fn(&mut Vec<u8>), reason: &str| {
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        let damaged = other.data_dir().join("damaged.ibid");
        fs::write(&damaged, bytes).unwrap();
        let message = refusal(elsewhere.import(&damaged, None));
        assert!(message.contains(reason), "{message}");
    };
    check(&|bytes| bytes.clear(), "it is no export");
    check(&|bytes| bytes[..16].fill(b'x'), "it is no export");
    check(&|bytes| bytes.truncate(bytes.len() / 2), "damaged");
    // The text and the bytes of own.txt.
    let text = b"another whinchat";
    let places = |bytes: &[u8]| -> Vec<usize> {
        let windows = bytes.windows(text.len()).enumerate();
        windows
            .filter(|(_, found)| found == text)
            .map(|(at, _)| at)
            .collect()
    };
    for number in 0..places(&fs::read(&file).unwrap()).len() {
        check(
            &|bytes| {
                let at = places(bytes)[number];
                bytes[at] ^= 1;
            },
            "damaged",
        );
    }
    let own = home.data_dir().join("library.sqlite");
    let message = refusal(elsewhere.import(&own, None));
    assert!(message.contains("it is no export"), "{message}");
    assert_eq!(elsewhere.files(&Default::default()).unwrap().data.len(), 0);
    let message = refusal(library::export(&home.data_dir(), "none", &file.join("x")));
    assert!(!message.is_empty());
    let nowhere = library::backup(&home.data_dir().join("nowhere"), &file);
    assert!(matches!(nowhere, Err(LibraryError::NotFound { .. })));
}

#[test]
fn an_export_of_the_format_before_is_imported() {
    let home = Home::new();
    drop(birds(&home));
    let file = home.data_dir().join("birds.ibid");
    library::export(&home.data_dir(), "birds", &file).unwrap();
    // As the version before this one wrote it.
    let earlier = home.data_dir().join("earlier.ibid");
    let database = rusqlite::Connection::open(&earlier).unwrap();
    for migration in [
        include_str!("../../src/migrations/0001.sql"),
        include_str!("../../src/migrations/0002.sql"),
        "PRAGMA user_version = 2; PRAGMA application_id = 0x69626964",
    ] {
        database.execute_batch(migration).unwrap();
    }
    let path = file.to_str().unwrap();
    database.execute("ATTACH ? AS new", [path]).unwrap();
    database
        .execute_batch(
            "INSERT INTO collections
                 SELECT sequence, id, name, created_at, last_active_at, generation,
                     removals_since, passages
                 FROM new.collections;
             INSERT INTO files SELECT * FROM new.files;
             INSERT INTO parts SELECT * FROM new.parts;
             INSERT INTO documents SELECT file_id, title, format, markdown, headings, pages, text
                 FROM new.documents;
             INSERT INTO memberships SELECT * FROM new.memberships;",
        )
        .unwrap();
    drop(database);
    let before = fs::read(&earlier).unwrap();
    let other = Home::new();
    let elsewhere = other.open();
    elsewhere.import(&earlier, None).unwrap();
    settle(&elsewhere);
    assert_eq!(found(&elsewhere, "birds", "whinchat").len(), 2);
    assert_eq!(
        fs::read(&earlier).unwrap(),
        before,
        "the export is untouched"
    );
}

#[test]
fn a_backup_of_a_library_in_use_is_a_library() {
    let home = Home::new();
    let library = birds(&home);
    let restored = Home::new();
    fs::create_dir_all(restored.data_dir()).unwrap();
    let file = restored.data_dir().join("library.sqlite");
    library::backup(&home.data_dir(), &file).unwrap();
    add(&library, "later.txt", "a whinchat that came later");
    settle(&library);
    let copy = Library::open(
        Settings {
            data_dir: restored.data_dir(),
            ..home.settings()
        },
        words(),
        Extractor::in_process(),
    )
    .unwrap();
    settle(&copy);
    check_found(&copy, "whinchat", &["shared.txt", "unrelated.txt"]);
    assert_eq!(found(&copy, "birds", "whinchat").len(), 2);
}

#[test]
fn who_holds_a_library_can_say_where() {
    use library::{Holder, holder};
    let home = Home::new();
    assert_eq!(holder(&home.data_dir()), Holder::Nobody);
    let library = home.open();
    assert_eq!(holder(&home.data_dir()), Holder::Unknown);
    library.announce("127.0.0.1:1234");
    let at = Holder::At("127.0.0.1:1234".into());
    assert_eq!(holder(&home.data_dir()), at);
    drop(library);
    assert_eq!(holder(&home.data_dir()), Holder::Nobody);
    let library = home.open();
    assert_eq!(holder(&home.data_dir()), Holder::Unknown);
    drop(library);
}

#[test]
fn a_large_collection_arrives_whole() {
    let home = Home::new();
    let library = home.open();
    library.create_collection("birds").unwrap();
    let files = 150;
    for number in 0..files {
        let name = format!("{number}.txt");
        let bird = upload(&library, &name, format!("whinchat number {number}"));
        library
            .attach("birds", &bird.id, Default::default())
            .unwrap();
    }
    settle(&library);
    let file = home.data_dir().join("birds.ibid");
    library::export(&home.data_dir(), "birds", &file).unwrap();

    let other = Home::new();
    let elsewhere = other.open();
    elsewhere.import(&file, None).unwrap();
    settle(&elsewhere);
    assert_eq!(elsewhere.index("birds").unwrap().passage_count(), files);
}
