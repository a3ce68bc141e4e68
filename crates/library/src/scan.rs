//! Finding the files under the paths a user names.

mod rules;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use self::rules::Rules;
use crate::LibraryError;
use crate::file::clean_filename;

/// The most files one scan may find, and how deep it goes: far beyond any collection of
/// documents, so that a wrong path ("/") ends with a message.
const MAX_FILES: usize = 100_000;
const MAX_DEPTH: usize = 64;

/// Folders that hold no documents, wherever documents lie.
const IGNORED_FOLDERS: [&str; 2] = ["target", "node_modules"];

/// What was found under some paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The files, in the order of the paths given and of their names.
    pub files: Vec<SourceFile>,
    /// What could not be read or is too large; the rest is not affected.
    pub problems: Vec<Problem>,
}

/// A file that was found, or that the binary brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path under the folder that was named: "ch04-01.md", "guide/intro.md".
    pub filename: String,
    /// See [`File::source`](crate::File::source).
    pub source: String,
    /// Where its bytes are.
    pub content: SourceContent,
}

/// Where the bytes of a [`SourceFile`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceContent {
    /// In the file that `source` names.
    AtSource,
    /// Here.
    Bytes(Cow<'static, [u8]>),
}

/// Something under the paths that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, for people.
    pub reason: String,
}

impl SourceFile {
    /// A file that the binary brings along.
    pub fn example(filename: &str, bytes: &'static [u8]) -> SourceFile {
        SourceFile {
            filename: filename.to_string(),
            source: format!("example:{filename}"),
            content: SourceContent::Bytes(Cow::Borrowed(bytes)),
        }
    }
}

/// Finds the files under `paths`, each a file or a folder.
///
/// Within folders, names that begin with a dot and the folders `target` and `node_modules`
/// are passed over, and so is what a `.gitignore` or `.ibidignore` there says; symbolic links are followed, each folder is entered once. A file that
/// is named itself is taken whatever its name.
///
/// # Errors
///
/// [`LibraryError::NotFound`] for a path that does not exist, [`LibraryError::NothingToRead`]
/// for one that holds no file, [`LibraryError::Invalid`] when there are too many files.
pub fn scan(paths: &[PathBuf], max_file_bytes: u64) -> Result<Scan, LibraryError> {
    let mut walk = Walk::new(max_file_bytes);
    for path in paths {
        walk.root(path)?;
    }
    Ok(walk.scan)
}

/// Like [`scan`], for paths that come and go: one that does not exist is a problem of the scan,
/// and one without files is just empty.
///
/// # Errors
///
/// [`LibraryError::Invalid`] when there are too many files.
pub fn scan_present(paths: &[PathBuf], max_file_bytes: u64) -> Result<Scan, LibraryError> {
    let mut walk = Walk::new(max_file_bytes);
    for path in paths {
        match walk.root(path) {
            Ok(()) | Err(LibraryError::NothingToRead { .. }) => {}
            Err(error @ (LibraryError::NotFound { .. } | LibraryError::Io { .. })) => {
                walk.problem(absolute(path), error.with_causes());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(walk.scan)
}

/// The path as it was canonical while it existed: that of its nearest folder that exists.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut ancestors = path.ancestors();
    let known = ancestors.find_map(|folder| Some((folder, fs::canonicalize(folder).ok()?)));
    match known {
        Some((folder, canonical)) => match path.strip_prefix(folder) {
            Ok(rest) => canonical.join(rest),
            Err(_) => path,
        },
        None => path,
    }
}

struct Walk {
    max_file_bytes: u64,
    scan: Scan,
    /// Files by their path and folders by what they really are, so that neither paths that
    /// overlap nor links that form a loop bring anything twice.
    seen: HashSet<PathBuf>,
}

/// A file or folder, and where it stands under its root.
struct Place<'a> {
    path: PathBuf,
    root: &'a Path,
    depth: usize,
    rules: Option<Rc<Rules>>,
}

impl Walk {
    fn new(max_file_bytes: u64) -> Walk {
        Walk {
            max_file_bytes,
            scan: Scan::default(),
            seen: HashSet::new(),
        }
    }

    fn root(&mut self, path: &Path) -> Result<(), LibraryError> {
        let root = fs::canonicalize(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => LibraryError::NotFound {
                what: "file or folder",
                id: path.display().to_string(),
            },
            _ => LibraryError::io("read", path)(error),
        })?;
        let (files, problems) = (self.scan.files.len(), self.scan.problems.len());
        let known = self.seen.contains(&root);
        // A file's name is relative to its folder.
        let relative_to = match root.is_dir() {
            true => &root,
            false => root.parent().unwrap_or(&root),
        };
        self.place(Place {
            path: root.clone(),
            root: relative_to,
            depth: 0,
            rules: None,
        })?;
        if self.scan.files.len() > files || known {
            return Ok(());
        }
        Err(LibraryError::NothingToRead {
            path: path.to_path_buf(),
            reason: reason(&self.scan.problems[problems..]),
        })
    }

    fn place(&mut self, place: Place) -> Result<(), LibraryError> {
        let metadata = match fs::metadata(&place.path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.problem(place.path, format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        if metadata.is_dir() {
            return self.folder(place);
        }
        // Pipes, sockets and devices hold no documents, and reading them may never end.
        if metadata.is_file() {
            return self.file(place, &metadata);
        }
        Ok(())
    }

    fn folder(&mut self, place: Place) -> Result<(), LibraryError> {
        if place.depth > MAX_DEPTH {
            self.problem(place.path, "it lies too deep".into());
            return Ok(());
        }
        let names = match self.enter(&place.path) {
            Ok(names) => names,
            Err(error) => {
                self.problem(place.path, format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        let rules = Rules::within(&place.path, place.rules.as_ref());
        for name in names {
            let path = place.path.join(name);
            if rules.pass_over(&path, path.is_dir()) {
                continue;
            }
            self.place(Place {
                path,
                root: place.root,
                depth: place.depth + 1,
                rules: Some(Rc::clone(&rules)),
            })?;
        }
        Ok(())
    }

    /// The names in a folder that are to be looked at, in order; none if it was entered before.
    fn enter(&mut self, path: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        let mut names = Vec::new();
        if !self.seen.insert(fs::canonicalize(path)?) {
            return Ok(names);
        }
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            let readable = name.to_string_lossy();
            if !readable.starts_with('.') && !IGNORED_FOLDERS.contains(&&*readable) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn file(&mut self, place: Place, metadata: &Metadata) -> Result<(), LibraryError> {
        let Place { path, root, .. } = place;
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        if metadata.len() > self.max_file_bytes {
            let limit = self.max_file_bytes;
            self.problem(path, format!("it has more than the allowed {limit} bytes"));
            return Ok(());
        }
        let Some((filename, source)) = names(&path, root) else {
            self.problem(path, "its name is too long or not Unicode".into());
            return Ok(());
        };
        if self.scan.files.len() == MAX_FILES {
            return Err(LibraryError::Invalid {
                param: "path",
                message: format!(
                    "there are more than {MAX_FILES} files in {}",
                    root.display()
                ),
            });
        }
        self.scan.files.push(SourceFile {
            filename,
            source,
            content: SourceContent::AtSource,
        });
        Ok(())
    }

    fn problem(&mut self, path: PathBuf, reason: String) {
        self.scan.problems.push(Problem { path, reason });
    }
}

/// The name under the root, with slashes on every system, and the full path.
fn names(path: &Path, root: &Path) -> Option<(String, String)> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    let filename = clean_filename(&parts?.join("/")).ok()?;
    Some((filename, path.to_str()?.to_string()))
}

/// Why a path holds nothing to read.
fn reason(problems: &[Problem]) -> String {
    match problems {
        [] => "there is no file in it".into(),
        [only] => format!("{}: {}", only.path.display(), only.reason),
        [first, rest @ ..] => format!(
            "{}: {} (and {} more)",
            first.path.display(),
            first.reason,
            rest.len()
        ),
    }
}
