//! Collections: apart from each other, found by id and by name.

use library::{LibraryError, Page};

use crate::harness::*;

#[test]
fn collections_do_not_see_each_other() {
    let home = Home::new();
    let library = home.open();
    let laws = library.create_collection("Laws").unwrap();
    let file = upload(&library, "a.txt", "swallow");
    attach(&library, "Laws", &file);
    settle(&library);
    check_found(&library, "swallow", &[]);
    assert_eq!(found(&library, &laws.id, "swallow").len(), 1);

    attach(&library, "default", &file);
    settle(&library);
    assert!(library.detach(&laws.id, &file.id).unwrap());
    assert!(!library.detach(&laws.id, &file.id).unwrap());
    assert!(found(&library, "Laws", "swallow").is_empty());
    check_found(&library, "swallow", &["a.txt"]);
}

#[test]
fn the_default_collection_always_exists() {
    let home = Home::new();
    let library = home.open();
    let id = default_id(&library);
    assert!(id.starts_with("vs_") && id.len() == 27, "{id}");
    assert!(matches!(
        library.delete_collection("default"),
        Err(LibraryError::Invalid { .. })
    ));
    drop(library);
    assert_eq!(default_id(&home.open()), id);
}

#[test]
fn names_are_unique_and_no_ids() {
    let home = Home::new();
    let library = home.open();
    library.create_collection("a").unwrap();
    assert!(matches!(
        library.create_collection(" a "),
        Err(LibraryError::Exists { .. })
    ));
    for name in ["", "vs_1", "a\nb", &"x".repeat(129)] {
        let refused = library.create_collection(name);
        assert!(
            matches!(refused, Err(LibraryError::Invalid { .. })),
            "{name:?}"
        );
    }
    let names = library.collections(&Page::default()).unwrap().data;
    let names: Vec<String> = names
        .into_iter()
        .map(|collection| collection.name)
        .collect();
    assert_eq!(names, ["a", "default"]);
}

#[test]
fn what_is_unknown_is_named() {
    let home = Home::new();
    let library = home.open();
    let file = upload(&library, "a.txt", "x");
    let check = |message: String, expected: &str| assert_eq!(message, expected);
    check(
        refusal(library.attach("none", &file.id, Default::default())),
        "no collection `none`",
    );
    check(
        refusal(library.attach("default", "file-none", Default::default())),
        "no file `file-none`",
    );
    check(refusal(library.index("none")), "no collection `none`");
    check(
        refusal(library.memberships("none", None, &Page::default())),
        "no collection `none`",
    );
    assert_eq!(library.collection("none").unwrap(), None);
    assert_eq!(library.membership("default", "file-none").unwrap(), None);
    assert!(library.delete_file("file-none").unwrap().is_none());
}

#[test]
fn a_deleted_collection_leaves_its_uploads() {
    let home = Home::new();
    let library = home.open();
    let id = library.create_collection("brief").unwrap().id;
    let file = upload(&library, "a.txt", "swift");
    attach(&library, "brief", &file);
    settle(&library);
    assert!(home.index_dir(&id).exists());
    assert!(library.delete_collection("brief").unwrap());
    assert!(!library.delete_collection("brief").unwrap());
    assert!(!home.index_dir(&id).exists());
    assert!(library.file(&file.id).unwrap().is_some());
}
