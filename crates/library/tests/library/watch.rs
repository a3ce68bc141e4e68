//! Folders that are kept in step while the library is open.

use std::fs;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use library::{Event, Library, Status, Watch, WatchSettings};

use crate::harness::*;

/// A library that watches a folder, and what it tells.
struct Watched {
    home: Home,
    library: Arc<Library>,
    events: mpsc::Receiver<Event>,
    _watch: Watch,
}

impl Watched {
    /// `poll` finds what the system does not tell of.
    fn start(home: Home, poll: Duration) -> Watched {
        let library = home.open();
        let (sender, events) = mpsc::channel();
        library.listen(Arc::new(move |event| {
            let _ = sender.send(event.clone());
        }));
        let settings = WatchSettings {
            quiet: Duration::from_millis(50),
            poll,
            ..WatchSettings::new("default", vec![home.folder()])
        };
        let watch = Watch::start(&library, settings).expect("it watches");
        Watched {
            home,
            library,
            events,
            _watch: watch,
        }
    }

    /// Goes through events until just these files are found with `word`.
    #[track_caller]
    fn until_found(&self, word: &str, expected: &[&str]) {
        let expected = expected.iter().map(|name| name.to_string()).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while found(&self.library, "default", word) != expected {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left);
            event.unwrap_or_else(|_| panic!("{:?}", found(&self.library, "default", word)));
        }
    }
}

const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn changes_in_a_folder_are_taken_over() {
    let home = Home::new();
    home.write("first.md", "a dunlin here");
    home.write(".gitignore", "*.log\n/private/\n");
    home.write("noise.log", "a dunlin in the log");
    home.write("private/diary.md", "a dunlin in private");
    home.write("sub/.ibidignore", "!kept.log\nnotes-*.md\n");
    home.write("sub/kept.log", "a dunlin to keep");
    home.write("sub/notes-1.md", "a dunlin noted");
    let watched = Watched::start(home, NEVER);
    watched.until_found("dunlin", &["first.md", "sub/kept.log"]);

    watched.home.write("deep/in/new.md", "a dunlin again");
    watched.until_found("dunlin", &["deep/in/new.md", "first.md", "sub/kept.log"]);
    watched.home.write("first.md", "a knot instead");
    watched.until_found("knot", &["first.md"]);
    watched.until_found("dunlin", &["deep/in/new.md", "sub/kept.log"]);

    let folder = watched.home.folder();
    fs::rename(folder.join("deep/in/new.md"), folder.join("moved.md")).unwrap();
    watched.until_found("dunlin", &["moved.md", "sub/kept.log"]);
    fs::remove_file(folder.join("moved.md")).unwrap();
    watched.until_found("dunlin", &["sub/kept.log"]);
}

#[test]
fn looking_now_and_then_finds_what_nobody_told() {
    let home = Home::new();
    let folder = home.folder();
    fs::remove_dir(&folder).unwrap();
    // The folder does not exist yet, so that there is nothing the system could tell of.
    let watched = Watched::start(home, Duration::from_millis(50));
    watched.home.write("late.md", "a dunlin at last");
    watched.until_found("dunlin", &["late.md"]);
}

#[test]
fn a_folder_that_is_away_takes_nothing_with_it() {
    let home = Home::new();
    home.write("a.md", "a dunlin");
    let watched = Watched::start(home, Duration::from_millis(50));
    watched.until_found("dunlin", &["a.md"]);
    let folder = watched.home.folder();
    let away = folder.with_file_name("away");
    fs::rename(&folder, &away).unwrap();
    let missing = library::scan_present(std::slice::from_ref(&folder), MAX_FILE_BYTES).unwrap();
    assert_eq!(missing.problems.len(), 1);
    let report = watched.library.sync("default", &missing).unwrap();
    assert_eq!((report.removed, report.problems.len()), (0, 1));
    fs::rename(&away, &folder).unwrap();
    watched.home.write("b.md", "a dunlin too");
    watched.until_found("dunlin", &["a.md", "b.md"]);
}

#[test]
fn a_renamed_file_is_found_all_the_while() {
    let home = Home::new();
    let library = home.open();
    let sync = |library: &Library| {
        let scan = library::scan(&[home.folder()], MAX_FILE_BYTES).unwrap();
        library.sync("default", &scan).unwrap()
    };
    home.write("old.md", "a dunlin");
    sync(&library);
    settle(&library);
    library.close();
    // Nobody reads the file under its new name yet.
    fs::rename(home.folder().join("old.md"), home.folder().join("new.md")).unwrap();
    let report = sync(&library);
    assert_eq!((report.added, report.changed, report.removed), (1, 0, 1));
    check_found(&library, "dunlin", &["old.md"]);
    drop(library);
    let library = home.open();
    settle(&library);
    check_found(&library, "dunlin", &["new.md"]);
    assert_eq!(statuses(&library), [("new.md".into(), Status::Completed)]);
}

#[test]
fn a_successor_that_cannot_be_read_replaces_nothing() {
    let home = Home::new();
    let library = home.open();
    let replace = |bytes: &[u8]| {
        let file = library::NewFile {
            filename: "report.txt".into(),
            purpose: "user_data".into(),
            content: bytes.to_vec().into(),
            source: Some("upload:report.txt".into()),
        };
        library
            .add_to("default", file, &Default::default())
            .unwrap();
        settle(&library);
    };
    replace(b"the first dunlin");
    replace(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    check_found(&library, "dunlin", &["report.txt"]);
    replace(b"the second dunlin");
    check_found(&library, "first", &[]);
    check_found(&library, "dunlin", &["report.txt"]);
    assert_eq!(statuses(&library).len(), 1);
    assert_eq!(library.files(&Default::default()).unwrap().data.len(), 1);
}
