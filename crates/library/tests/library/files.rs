//! Files: added, listed, attached, found, refused.

use std::collections::BTreeMap;

use library::{AttributeValue, Attributes, LibraryError, NewFile, Order, Page, Status};

use crate::harness::*;

#[test]
fn an_attached_file_is_found_and_can_be_read() {
    let home = Home::new();
    let library = home.open();
    let text = "# Bees\n\nA bee dances to tell where the flowers are.\n";
    let file = add(&library, "bees.md", text);
    settle(&library);

    check_found(&library, "flowers", &["bees.md"]);
    let document = library.document(&file.id).unwrap().expect("its text");
    assert_eq!(document.title, "Bees");
    assert_eq!(document.format, "markdown");
    let query = retrieval::Query::new("flowers", 1);
    let hits = library.index("default").unwrap().search(&query).unwrap();
    let passage = &hits[0].passage;
    assert_eq!(&document.text[passage.start..passage.end], passage.text);
    assert_eq!(
        library.content(&file.id).unwrap().as_deref(),
        Some(text.as_bytes())
    );

    let membership = library
        .membership("default", &file.id)
        .unwrap()
        .expect("it");
    assert_eq!(membership.status, Status::Completed);
    assert_eq!(membership.usage_bytes, document.text.len() as u64);
    let collection = library.collection("default").unwrap().expect("it");
    assert_eq!(collection.counts.completed, 1);
    assert_eq!(collection.usage_bytes, document.text.len() as u64);
}

#[test]
fn korean_is_found_behind_its_particles() {
    let home = Home::new();
    let library = home.open();
    add(
        &library,
        "소개.md",
        "인공지능은 사람의 말을 이해하는 기술이다.",
    );
    settle(&library);
    check_found(&library, "인공지능", &["소개.md"]);
}

#[test]
fn a_file_alone_is_kept_but_not_found() {
    let home = Home::new();
    let library = home.open();
    let file = upload(&library, "a.txt", "solitude");
    settle(&library);
    check_found(&library, "solitude", &[]);
    assert_eq!(library.file(&file.id).unwrap(), Some(file.clone()));
    assert_eq!(library.document(&file.id).unwrap(), None);
    assert!(
        file.id.starts_with("file-") && file.id.len() == 29,
        "{}",
        file.id
    );
}

#[test]
fn the_same_content_under_the_same_name_is_one_document() {
    let home = Home::new();
    let library = home.open();
    let first = add(&library, "a.txt", "heron");
    let again = upload(&library, "a.txt", "heron");
    let membership = library
        .attach("default", &again.id, Attributes::default())
        .unwrap();
    assert_eq!(membership.file_id, first.id);
    add(&library, "b.txt", "heron");
    settle(&library);
    check_found(&library, "heron", &["a.txt", "b.txt"]);
    assert_eq!(statuses(&library).len(), 2);
}

#[test]
fn a_new_file_of_a_source_replaces_the_old_one() {
    let home = Home::new();
    let library = home.open();
    let from_source = |text: &str| {
        let file = NewFile {
            filename: "news.txt".into(),
            purpose: String::new(),
            content: library::Content::Bytes(text.into()),
            source: Some("feed:news".into()),
        };
        let file = library.add_file(file).unwrap();
        attach(&library, "default", &file);
        settle(&library);
        file
    };
    let old = from_source("yesterday");
    check_found(&library, "yesterday", &["news.txt"]);
    from_source("today");
    check_found(&library, "yesterday", &[]);
    check_found(&library, "today", &["news.txt"]);
    assert_eq!(library.file(&old.id).unwrap(), None);
}

#[test]
fn lists_come_in_pages() {
    let home = Home::new();
    let library = home.open();
    let ids: Vec<String> = (0..5)
        .map(|number| upload(&library, &format!("{number}.txt"), "x").id)
        .collect();
    let page = |limit, after: Option<&String>, order| {
        let page = Page {
            limit,
            after: after.cloned(),
            order,
        };
        let listing = library.files(&page).expect("a list");
        let ids: Vec<String> = listing.data.into_iter().map(|file| file.id).collect();
        (ids, listing.has_more)
    };
    let reversed: Vec<String> = ids.iter().rev().cloned().collect();
    assert_eq!(page(2, None, Order::OldestFirst), (ids[..2].to_vec(), true));
    let after = Some(&ids[1]);
    assert_eq!(
        page(3, after, Order::OldestFirst),
        (ids[2..].to_vec(), false)
    );
    assert_eq!(page(9, None, Order::NewestFirst), (reversed.clone(), false));
    let after = Some(&reversed[0]);
    assert_eq!(
        page(1, after, Order::NewestFirst),
        (reversed[1..2].to_vec(), true)
    );

    let missing = Page {
        after: Some("file-none".into()),
        ..Page::default()
    };
    let refused = library.files(&missing);
    assert!(matches!(
        refused,
        Err(LibraryError::Invalid { param: "after", .. })
    ));
}

#[test]
fn names_and_sizes_are_checked() {
    let home = Home::new();
    let library = home.open();
    let add = |filename: &str, bytes: usize| {
        library.add_file(NewFile {
            filename: filename.into(),
            purpose: "assistants".into(),
            content: vec![b'x'; bytes].into(),
            source: None,
        })
    };
    let limit = MAX_FILE_BYTES as usize;
    assert!(add("at the limit.txt", limit).is_ok());
    assert!(matches!(
        add("over.txt", limit + 1),
        Err(LibraryError::TooLarge { bytes, limit }) if bytes == limit + 1
    ));
    assert_eq!(add("a\u{7}\u{202e}b\n.txt", 1).unwrap().filename, "ab.txt");
    assert!(add(&"가".repeat(255), 1).is_ok());
    for name in ["", "\n", &"가".repeat(256)] {
        let refused = add(name, 1);
        let is_refused = matches!(
            refused,
            Err(LibraryError::Invalid {
                param: "filename",
                ..
            })
        );
        assert!(is_refused, "{name:?}");
    }
}

#[test]
fn attributes_have_limits() {
    let text = |length: usize| AttributeValue::String("ㄱ".repeat(length));
    let pairs = |count: usize, key: usize, value: usize| {
        let key = |number: usize| format!("{number:0>key$}");
        let pairs = (0..count).map(|number| (key(number), text(value)));
        Attributes::new(pairs.collect::<BTreeMap<_, _>>()).is_ok()
    };
    assert!(pairs(0, 0, 0));
    assert!(pairs(16, 64, 512));
    assert!(!pairs(17, 64, 512));
    assert!(!pairs(1, 65, 512));
    assert!(!pairs(1, 64, 513));
    assert!(Attributes::new(BTreeMap::from([(String::new(), text(1))])).is_err());
}

#[test]
fn attributes_are_kept_as_they_were_given() {
    let home = Home::new();
    let library = home.open();
    let file = upload(&library, "a.txt", "x");
    let json = r#"{"author":"Kim","draft":false,"ratio":0.5,"year":2024}"#;
    let attributes = Attributes::new(serde_json::from_str(json).unwrap()).unwrap();
    library.attach("default", &file.id, attributes).unwrap();
    let membership = library
        .membership("default", &file.id)
        .unwrap()
        .expect("it");
    assert_eq!(serde_json::to_string(&membership.attributes).unwrap(), json);
}
