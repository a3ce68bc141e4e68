//! Answers are kept as long as they may be, and forget what a deleted file said.

use library::{Library, NewAnswer, Page, Retention};

use crate::harness::{Home, add, default_id, settle};

const KEEP: Retention = Retention { days: 30, most: 3 };

fn answer(id: &str, sources: &[&str]) -> NewAnswer {
    NewAnswer {
        id: id.into(),
        receipt: "{\"how\":1}".into(),
        content: "{\"what\":\"secret\"}".into(),
        sources: sources.iter().map(|&source| source.into()).collect(),
    }
}

fn ids(library: &Library, stale: bool) -> Vec<String> {
    let listing = library.answers(stale, &Page::default()).expect("a list");
    listing.data.into_iter().map(|answer| answer.id).collect()
}

#[test]
fn the_oldest_go_when_there_are_too_many_or_they_are_too_old() {
    let home = Home::new();
    let library = home.open();
    for id in ["a", "b", "c", "d"] {
        library.keep_answer(&answer(id, &[]), KEEP).expect("kept");
    }
    assert_eq!(ids(&library, false), ["d", "c", "b"]);

    let age = "UPDATE answers SET created_at = created_at - 31 * 24 * 60 * 60 WHERE id = 'c'";
    home.database().execute(age, []).expect("a row");
    assert_eq!(library.expire_answers(KEEP).expect("expired"), 1);
    assert_eq!(ids(&library, false), ["d", "b"]);
    assert!(library.delete_answer("d").expect("deleted"));
    assert!(!library.delete_answer("d").expect("looked for"));

    drop(library);
    assert_eq!(ids(&home.open(), false), ["b"], "they survive a restart");
}

#[test]
fn a_deleted_file_takes_along_what_was_said_of_it() {
    let home = Home::new();
    let library = home.open();
    let (tea, milk) = (
        add(&library, "tea.md", "Tea is hot."),
        add(&library, "milk.md", "Milk is cold."),
    );
    settle(&library);
    library
        .keep_answer(&answer("both", &[&tea.id, &milk.id]), KEEP)
        .expect("kept");
    library
        .keep_answer(&answer("milk", &[&milk.id]), KEEP)
        .expect("kept");
    assert!(ids(&library, true).is_empty());

    let collection = default_id(&library);
    library.detach(&collection, &tea.id).expect("detached");
    assert_eq!(ids(&library, true), ["both"]);
    let kept = |id: &str| library.answer(id).expect("read").expect("an answer");
    assert_eq!(kept("both").stale, std::slice::from_ref(&tea.id));
    assert!(kept("both").content.is_some());

    let purged = library.delete_file(&tea.id).expect("deleted");
    assert_eq!(purged.expect("it was there").answers, 1);
    assert_eq!(kept("both").content, None);
    assert_eq!(kept("both").receipt, "{\"how\":1}");
    assert!(kept("milk").content.is_some());

    // One that comes when its source is gone already tells nothing either.
    library
        .keep_answer(&answer("late", &[&tea.id]), KEEP)
        .expect("kept");
    assert_eq!(kept("late").content, None);
}
