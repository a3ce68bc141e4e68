//! A library in a directory of its own, and what tests say about it in one line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::Embedder;
use library::{
    Attributes, CountTokens, Extractor, File, Library, LibraryError, NewFile, Page, Settings,
    Status,
};
use retrieval::Query;
use tempfile::TempDir;

/// The largest file that test libraries accept.
pub(crate) const MAX_FILE_BYTES: u64 = 100_000;

/// A directory that outlives the libraries opened in it.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Home {
        Home {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// The data directory.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A folder for documents.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = self.directory.path().join("docs");
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Writes a document, and the folders it lies in.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            data_dir: self.data_dir(),
            passage_tokens: 64,
            passage_overlap_tokens: 8,
            max_file_bytes: MAX_FILE_BYTES,
        }
    }

    pub(crate) fn try_open(&self) -> Result<Arc<Library>, LibraryError> {
        Library::open(self.settings(), words(), Extractor::in_process())
    }

    pub(crate) fn open(&self) -> Arc<Library> {
        self.try_open().expect("the library opens")
    }

    /// Opens the library with an embedder.
    pub(crate) fn open_embedding(&self, embedder: Arc<dyn Embedder>) -> Arc<Library> {
        Library::open_with(
            self.settings(),
            words(),
            Extractor::in_process(),
            Some(embedder),
        )
        .expect("the library opens")
    }

    /// The directory of a collection's index.
    pub(crate) fn index_dir(&self, collection_id: &str) -> PathBuf {
        self.data_dir().join("index").join(collection_id)
    }

    /// The database, while no library is open.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let path = self.data_dir().join("library.sqlite");
        rusqlite::Connection::open(path).expect("the database")
    }
}

/// Counts words for tokens.
pub(crate) fn words() -> CountTokens {
    Arc::new(|text: &str| text.split_whitespace().count())
}

pub(crate) fn upload(library: &Library, filename: &str, text: impl Into<Vec<u8>>) -> File {
    let file = NewFile {
        filename: filename.into(),
        purpose: "assistants".into(),
        content: library::Content::Bytes(text.into()),
        source: None,
    };
    library.add_file(file).expect("the file is added")
}

/// Uploads and attaches to the default collection.
pub(crate) fn add(library: &Library, filename: &str, text: impl Into<Vec<u8>>) -> File {
    let file = upload(library, filename, text);
    attach(library, "default", &file);
    file
}

pub(crate) fn attach(library: &Library, collection: &str, file: &File) {
    library
        .attach(collection, &file.id, Attributes::default())
        .expect("the file is attached");
}

pub(crate) fn settle(library: &Library) {
    library
        .wait_until_idle(&mut |_| ())
        .expect("indexing comes to its end");
}

/// The names of the files in which a word is found.
pub(crate) fn found(library: &Library, collection: &str, word: &str) -> BTreeSet<String> {
    let query = Query::new(word, 50);
    let index = library.index(collection).expect("the index");
    let hits = index.search(&query).expect("a search");
    hits.into_iter().map(|hit| hit.passage.filename).collect()
}

#[track_caller]
pub(crate) fn check_found(library: &Library, word: &str, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|name| name.to_string()).collect();
    assert_eq!(
        found(library, "default", word),
        expected,
        "files with {word:?}"
    );
}

/// The name and status of each file of the default collection, by name.
pub(crate) fn statuses(library: &Library) -> Vec<(String, Status)> {
    let listing = library
        .memberships("default", None, &Page::default())
        .expect("a list");
    let mut statuses: Vec<_> = listing
        .data
        .into_iter()
        .map(|membership| (membership.filename, membership.status))
        .collect();
    statuses.sort_by(|one, other| one.0.cmp(&other.0));
    statuses
}

/// The id of the default collection.
pub(crate) fn default_id(library: &Library) -> String {
    let collection = library.collection("default").expect("a look-up");
    collection.expect("the default collection").id
}

/// The message of an error.
#[track_caller]
pub(crate) fn refusal<T>(result: Result<T, LibraryError>) -> String {
    match result {
        Ok(_) => panic!("this should have been refused"),
        Err(error) => error.to_string(),
    }
}

/// Every file under a directory.
pub(crate) fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}
