//! Search collections in the BEIR layout (Thakur et al. 2021): a folder with `corpus.jsonl` or
//! `corpus.jsonl.gz`, `queries.jsonl` (or packed) and `qrels.tsv`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::documents::Text;
use super::lines;

/// One collection with its questions.
pub(super) struct Collection {
    /// The folder's name.
    pub(super) name: String,
    pub(super) texts: Vec<Text>,
    /// Those that have a right document.
    pub(super) queries: Vec<JudgedQuery>,
}

/// A query, and the grade of each right document; above 0.
pub(super) struct JudgedQuery {
    pub(super) text: String,
    pub(super) grades: HashMap<String, f64>,
}

/// The collections among `paths`: each is one, or a folder of them.
///
/// # Errors
///
/// When a path is neither.
pub(super) fn folders(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for path in paths {
        if corpus(path).is_some() {
            folders.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path)
            .with_context(|| format!("cannot read the folder {}", path.display()))?;
        let before = folders.len();
        for entry in entries {
            let inner = entry?.path();
            if corpus(&inner).is_some() {
                folders.push(inner);
            }
        }
        if folders.len() == before {
            bail!(
                "{} is no collection in the BEIR layout: it needs corpus.jsonl (or .jsonl.gz), \
                 queries.jsonl and qrels.tsv, or folders that have them",
                path.display()
            );
        }
        folders[before..].sort();
    }
    Ok(folders)
}

/// Reads one collection whole.
///
/// # Errors
///
/// Names the file and line that cannot be read.
pub(super) fn read(folder: &Path) -> anyhow::Result<Collection> {
    let corpus = corpus(folder).context("`folders` only gives folders with a corpus")?;
    let texts = lines::read(&corpus)?;
    let texts = texts.iter().map(|document| Text {
        id: lines::text(document, "_id"),
        title: lines::text(document, "title"),
        text: lines::text(document, "text"),
    });
    let mut judgements = read_judgements(&folder.join("qrels.tsv"))?;
    let mut queries = Vec::new();
    for query in
        lines::read(&packed_or_not(folder, "queries").unwrap_or(folder.join("queries.jsonl")))?
    {
        if let Some(grades) = judgements.remove(&lines::text(&query, "_id")) {
            queries.push(JudgedQuery {
                text: lines::text(&query, "text"),
                grades,
            });
        }
    }
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    Ok(Collection {
        name: name.to_string_lossy().into_owned(),
        texts: texts.collect(),
        queries,
    })
}

fn corpus(folder: &Path) -> Option<PathBuf> {
    packed_or_not(folder, "corpus")
}

fn packed_or_not(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [format!("{name}.jsonl.gz"), format!("{name}.jsonl")];
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}

/// Query to document to grade; grades of 0 are as good as none.
fn read_judgements(path: &Path) -> anyhow::Result<HashMap<String, HashMap<String, f64>>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut judgements: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for (n, line) in (1..).zip(text.lines()).skip(1) {
        let place = || format!("{}, line {n}", path.display());
        let columns: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = columns[..] else {
            bail!("{}: not query, document and grade between tabs", place());
        };
        let grade: f64 = grade.trim().parse().with_context(place)?;
        if grade > 0.0 {
            let grades = judgements.entry(query.to_owned()).or_default();
            grades.insert(document.to_owned(), grade);
        }
    }
    Ok(judgements)
}
