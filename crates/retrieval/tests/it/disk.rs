//! An index on disk: changes, restarts, damage.

use std::fs;

use retrieval::{Change, Index, RetrievalError};
use tempfile::TempDir;

use crate::{files, index_of, search, upsert};

fn delete(file_id: &str) -> Change {
    Change::Delete {
        file_id: file_id.to_owned(),
    }
}

#[test]
fn a_file_is_replaced_and_deleted_as_a_whole() {
    let index = index_of(&["the old kiln", "the old wheel"]);
    index
        .apply(vec![upsert("0", "the new kiln")], 2)
        .expect("applied");
    assert_eq!(files(&search(&index, "old")), ["1"]);
    assert_eq!(files(&search(&index, "new")), ["0"]);
    index
        .apply(vec![delete("0"), delete("not there")], 3)
        .expect("applied");
    assert!(search(&index, "kiln").is_empty());
    assert_eq!((index.generation(), index.passage_count()), (3, 1));
}

#[test]
fn changes_of_one_call_happen_in_order() {
    let index = index_of(&[]);
    index
        .apply(
            vec![upsert("a", "clay"), delete("a"), upsert("a", "glaze")],
            1,
        )
        .expect("applied");
    assert!(search(&index, "clay").is_empty());
    assert_eq!(files(&search(&index, "glaze")), ["a"]);
}

#[test]
fn a_restart_finds_what_was_committed() {
    let directory = TempDir::new().expect("a folder");
    for generation in 1..=3 {
        let index = Index::open(directory.path()).expect("opens");
        assert_eq!(index.generation(), generation - 1);
        index
            .apply(vec![upsert(&generation.to_string(), "kiln")], generation)
            .expect("applied");
    }
    let index = Index::open(directory.path()).expect("opens");
    assert_eq!(files(&search(&index, "kiln")), ["1", "2", "3"]);
}

/// What a process leaves that is killed between writing the list of deleted passages and
/// committing it. That it has the name of the next list is made sure of by leaving many.
#[test]
fn what_a_killed_commit_left_is_in_nobodys_way() {
    let directory = TempDir::new().expect("a folder");
    Index::open(directory.path())
        .expect("opens")
        .apply(vec![upsert("a", "kiln"), upsert("b", "kiln")], 1)
        .expect("applied");
    let names = fs::read_dir(directory.path()).expect("read");
    let mut names = names.map(|entry| entry.expect("an entry").file_name());
    let store = names.find_map(|name| {
        let name = name.into_string().ok()?;
        name.strip_suffix(".store").map(str::to_owned)
    });
    let segment = store.expect("a segment");
    let managed = directory.path().join(".managed.json");
    let mut list = fs::read_to_string(&managed).expect("a list of files");
    for number in 1..=100 {
        let left = format!("{segment}.{number}.del");
        fs::write(directory.path().join(&left), b"half").expect("written");
        list = list.replacen('[', &format!("[{left:?},"), 1);
    }
    fs::write(&managed, list).expect("written");

    let index = Index::open(directory.path()).expect("opens");
    index.apply(vec![delete("a")], 2).expect("applied");
    assert_eq!(files(&search(&index, "kiln")), ["b"]);
}

#[test]
fn damage_is_reported_whatever_is_damaged() {
    let intact = TempDir::new().expect("a folder");
    Index::open(intact.path())
        .expect("opens")
        .apply(vec![upsert("a", "kiln")], 1)
        .expect("applied");
    let names = fs::read_dir(intact.path())
        .expect("read")
        .map(|entry| entry.expect("an entry").file_name());
    for name in names.filter(|name| !name.to_string_lossy().starts_with('.')) {
        let damaged = TempDir::new().expect("a folder");
        for entry in fs::read_dir(intact.path()).expect("read") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), damaged.path().join(entry.file_name())).expect("copied");
        }
        fs::write(damaged.path().join(&name), b"garbage").expect("written");
        let opened = Index::open(damaged.path());
        assert!(
            matches!(opened, Err(RetrievalError::Damaged { .. })),
            "{name:?}: {opened:?}"
        );
    }
}

#[test]
fn two_writers_do_not_meet() {
    let directory = TempDir::new().expect("a folder");
    let [first, second] = [(), ()].map(|()| Index::open(directory.path()).expect("opens"));
    first.apply(vec![upsert("a", "kiln")], 1).expect("applied");
    let refused = second.apply(vec![upsert("b", "clay")], 2);
    assert!(matches!(refused, Err(RetrievalError::Busy)), "{refused:?}");
    drop(first);
    second
        .apply(vec![upsert("b", "clay")], 2)
        .expect("applied once the other is gone");
}
