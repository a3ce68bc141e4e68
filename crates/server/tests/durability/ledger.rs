//! What the clients know, kept outside the server: for each file what was asked for and what
//! was acknowledged; and the comparison with what the server holds after it came back.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::client::Client;

/// The content a file may have; `None` for no file.
pub(crate) type Version = Option<u64>;

/// The files of one server.
pub(crate) struct Ledger {
    file: File,
    /// Every version each file may have now: one, or two after a request whose fate is unknown.
    files: BTreeMap<String, Vec<Version>>,
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
    pub(crate) refused: u64,
}

/// A request whose reply has not come.
pub(crate) struct Pending {
    name: String,
    version: Version,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server said that it is done.
    Acknowledged,
    /// The server said that it is not done.
    Refused,
    /// The server said nothing.
    Unknown,
}

impl Ledger {
    pub(crate) fn new(path: &Path) -> Ledger {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ledger {
            file: file.expect("a ledger"),
            files: BTreeMap::new(),
            acknowledged: 0,
            unknown: 0,
            refused: 0,
        }
    }

    /// The version a file may have, the one that was asked for last.
    pub(crate) fn latest(&self, name: &str) -> Version {
        self.files.get(name).and_then(|versions| *versions.last()?)
    }

    /// Notes a request before it is sent.
    pub(crate) fn begin(&mut self, name: &str, version: Version) -> Pending {
        self.note(&format!("sent {name} {version:?}"));
        let versions = self.files.entry(name.to_owned()).or_insert(vec![None]);
        versions.push(version);
        Pending {
            name: name.to_owned(),
            version,
        }
    }

    /// Notes what became of it.
    pub(crate) fn end(&mut self, pending: Pending, fate: Fate) {
        let Pending { name, version } = pending;
        self.note(&format!("{fate:?} {name} {version:?}"));
        let versions = self.files.get_mut(&name).expect("it has begun");
        match fate {
            Fate::Acknowledged => {
                *versions = vec![version];
                self.acknowledged += 1;
            }
            Fate::Refused => {
                versions.pop();
                self.refused += 1;
            }
            Fate::Unknown => self.unknown += 1,
        }
    }

    /// Compares with what the server holds, and takes over what it turned out to be. Returns
    /// what is wrong.
    pub(crate) fn check(&mut self, client: &Client) -> Vec<String> {
        let mut faults = Vec::new();
        let held = held_files(client, &mut faults);
        for (name, versions) in &mut self.files {
            let found = held.get(name).map(Vec::as_slice).unwrap_or_default();
            if found.len() > 1 {
                faults.push(format!("{name} is there {} times", found.len()));
            }
            let version = found.first().map(|(_, version)| *version);
            if !versions.contains(&version) {
                faults.push(format!("{name} is {version:?}, not one of {versions:?}"));
            }
            for known in versions.iter().flatten() {
                let expected: Vec<String> = match version {
                    Some(version) if version == *known => vec![name.clone()],
                    _ => Vec::new(),
                };
                let searched = search(client, &term(name, *known));
                if searched != expected {
                    faults.push(format!("{name} {known}: {searched:?} are found"));
                }
            }
            *versions = vec![version];
        }
        for name in held.keys() {
            if !self.files.contains_key(name) {
                faults.push(format!("{name} came from nowhere"));
            }
        }
        faults
    }

    fn note(&mut self, line: &str) {
        writeln!(self.file, "{line}").expect("the ledger takes a line");
        self.file.sync_data().expect("the ledger is synced");
    }
}

/// A word that stands in one version of one file only.
pub(crate) fn term(name: &str, version: u64) -> String {
    let stem = name.split('.').next().expect("a stem");
    format!("{stem}v{version}q")
}

/// The text of a version: its word, and words that all have.
pub(crate) fn content(name: &str, version: u64) -> String {
    let word = term(name, version);
    let filler = "common words that fill the page ".repeat((version % 40) as usize);
    format!("{word} {filler}")
}

/// Each file's id and version by name, from the bytes the server holds.
fn held_files(client: &Client, faults: &mut Vec<String>) -> BTreeMap<String, Vec<(String, u64)>> {
    let mut held: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/vector_stores/default/files?order=asc&limit=100{after}");
        let page = client.get(&path).expect("a list").json();
        for file in page["data"].as_array().expect("a list") {
            let text = |key: &str| file[key].as_str().expect("a text").to_owned();
            let (id, name) = (text("id"), text("filename"));
            if !name.starts_with('d') || !name.ends_with(".txt") {
                continue;
            }
            if text("status") != "completed" {
                faults.push(format!("{name} is {}", text("status")));
            }
            let reply = client.get(&format!("/v1/files/{id}/content"));
            let body = reply.expect("its content").text();
            let stem = name.split('.').next().expect("a stem");
            let version = body.strip_prefix(&format!("{stem}v"));
            let version = version.and_then(|rest| rest.split('q').next()?.parse().ok());
            match version {
                Some(version) if body == content(&name, version) => {
                    held.entry(name).or_default().push((id, version));
                }
                _ => faults.push(format!("{name} holds bytes nobody sent")),
            }
        }
        if page["has_more"] != true {
            return held;
        }
        after = format!("&after={}", page["last_id"].as_str().expect("an id"));
    }
}

fn search(client: &Client, word: &str) -> Vec<String> {
    let query = format!(r#"{{"query":"{word}"}}"#);
    let reply = client.post("/v1/vector_stores/default/search", &query);
    let page = reply.expect("a search").json();
    let hits = page["data"].as_array().expect("hits").iter();
    hits.map(|hit| hit["filename"].as_str().expect("a name").to_owned())
        .collect()
}
