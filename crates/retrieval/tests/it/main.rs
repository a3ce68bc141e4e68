//! The crate from outside: what is found, how documents are cut, what survives on disk.

/// Which texts a query finds, a case a line.
mod finds;

/// Which passages a query leaves out, whatever their score.
mod filters;

/// An index on disk: changes, restarts, damage.
mod disk;

/// Documents cut into passages.
mod split;

/// Vectors, and searches by meaning.
mod vectors;

use retrieval::{Change, Heading, Hit, Index, Passage, PassageSettings, Query, SourceDocument};

/// Words, each with the white space behind it.
pub(crate) fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The passages of a plain text of at most `max_tokens` words each.
pub(crate) fn passages(file_id: &str, text: &str, max_tokens: usize) -> Vec<Passage> {
    cut(file_id, text, &[], max_tokens)
}

/// The passages of a Markdown text with these headings.
pub(crate) fn cut(
    file_id: &str,
    text: &str,
    headings: &[Heading],
    max_tokens: usize,
) -> Vec<Passage> {
    let document = SourceDocument {
        file_id,
        filename: file_id,
        title: "",
        text,
        headings,
        pages: &[],
        markdown: true,
    };
    let settings = PassageSettings {
        max_tokens,
        overlap_tokens: 0,
        count_tokens: &count_words,
    };
    retrieval::split(&document, &settings)
}

/// A change that makes `text` the content of a file.
pub(crate) fn upsert(file_id: &str, text: &str) -> Change {
    Change::Upsert {
        file_id: file_id.to_owned(),
        passages: passages(file_id, text, 200),
    }
}

/// An index in memory with one file for each text, named "0", "1", ….
pub(crate) fn index_of(texts: &[&str]) -> Index {
    let index = Index::in_memory().expect("an index in memory");
    let changes = texts
        .iter()
        .enumerate()
        .map(|(n, text)| upsert(&n.to_string(), text));
    index
        .apply(changes.collect(), 1)
        .expect("passages are taken");
    index
}

/// The best hits for a query.
pub(crate) fn search(index: &Index, text: &str) -> Vec<Hit> {
    index.search(&Query::new(text, 10)).expect("a valid query")
}

/// The files of the hits, best first.
pub(crate) fn files(hits: &[Hit]) -> Vec<&str> {
    hits.iter()
        .map(|hit| hit.passage.file_id.as_str())
        .collect()
}
