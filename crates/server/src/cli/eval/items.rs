//! The questions of a set, whichever of three formats it is in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use serde_json::Value;

use super::documents::{Documents, Text};
use super::lines::{text, texts};
use super::text_measures::{Unit, contains_any};

/// A question, and how to tell whether its answer is right.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) question: String,
    pub(super) unit: Unit,
    pub(super) expected: Expected,
    /// The documents do not say; right is to refuse.
    pub(super) unanswerable: bool,
    /// Ids or file names of the documents that say it; empty when the set does not tell.
    pub(super) right: Vec<String>,
    pub(super) documents: Rc<Documents>,
}

/// What an answer must be like.
pub(super) enum Expected {
    /// Any of these.
    Answers(Vec<String>),
    /// One text of every group of `must`, and none of `must_not`.
    Texts {
        must: Vec<Vec<String>>,
        must_not: Vec<String>,
    },
}

impl Expected {
    /// Whether the answer holds what it must and nothing that it must not.
    pub(super) fn is_met_by(&self, answer: &str) -> bool {
        match self {
            Expected::Answers(golds) => contains_any(answer, golds),
            Expected::Texts { must, must_not } => {
                must.iter().all(|group| contains_any(answer, group))
                    && !contains_any(answer, must_not)
            }
        }
    }
}

/// The questions of a set; which format it is in shows in the first line.
///
/// # Errors
///
/// When it is in none of them, or asks for documents that were not named.
pub(super) fn items(lines: &[Value], docs: Option<&Path>) -> anyhow::Result<Vec<Item>> {
    let first = lines.first().context("there are no questions in it")?;
    if first.get("qas").is_some() {
        Ok(of_contexts(lines))
    } else if first.get("query").is_some() && first.get("docs").is_some() {
        Ok(of_passages(lines))
    } else if first.get("must").is_some() {
        of_documents(lines, docs)
    } else {
        bail!(
            "neither contexts with questions (a field qas), questions with passages (query and \
             docs), nor questions over documents (must)"
        )
    }
}

/// A context a line; all contexts of the file are searched.
fn of_contexts(lines: &[Value]) -> Vec<Item> {
    let context = |line: &Value| {
        Rc::new(Text {
            id: text(line, "id"),
            title: text(line, "title").replace('_', " "),
            text: text(line, "context"),
        })
    };
    let documents = Rc::new(Documents::Texts(lines.iter().map(context).collect()));
    let mut items = Vec::new();
    for line in lines {
        for qa in line["qas"].as_array().map_or(&[][..], Vec::as_slice) {
            items.push(Item {
                id: text(qa, "id"),
                question: text(qa, "question"),
                unit: Unit::of(&text(line, "lang")),
                expected: Expected::Answers(texts(&qa["answers"])),
                unanswerable: qa["unanswerable"] == true,
                right: vec![text(line, "id")],
                documents: Rc::clone(&documents),
            });
        }
    }
    items
}

/// A question with its passages a line; a passage is called by its place.
fn of_passages(lines: &[Value]) -> Vec<Item> {
    let item = |line: &Value| {
        let passages = line["docs"].as_array().map_or(&[][..], Vec::as_slice);
        let passages = passages.iter().enumerate().map(|(place, passage)| {
            Rc::new(Text {
                id: place.to_string(),
                title: text(passage, "title").replace('_', " "),
                text: text(passage, "text"),
            })
        });
        let gold = line["gold"].as_array().map_or(&[][..], Vec::as_slice);
        Item {
            id: text(line, "id"),
            question: text(line, "query"),
            unit: Unit::of(&text(line, "lang")),
            expected: Expected::Answers(texts(&line["answer"])),
            unanswerable: line["kind"] == "reject",
            right: gold.iter().map(Value::to_string).collect(),
            documents: Rc::new(Documents::Texts(passages.collect())),
        }
    };
    lines.iter().map(item).collect()
}

/// A question a line, over files: those it names itself, or the whole folder.
fn of_documents(lines: &[Value], docs: Option<&Path>) -> anyhow::Result<Vec<Item>> {
    let docs = docs.context("its questions are over files: say where these are with --docs DIR")?;
    let mut known: HashMap<Vec<String>, Rc<Documents>> = HashMap::new();
    let mut items = Vec::new();
    for line in lines {
        let named = texts(&line["docs"]);
        let paths: Vec<PathBuf> = if named.is_empty() {
            vec![docs.to_owned()]
        } else {
            named.iter().map(|name| docs.join(name)).collect()
        };
        let documents = known
            .entry(named)
            .or_insert_with(|| Rc::new(Documents::Paths(paths)));
        let groups = line["must"].as_array().map_or(&[][..], Vec::as_slice);
        items.push(Item {
            id: text(line, "id"),
            question: text(line, "question"),
            unit: Unit::of(&text(line, "lang")),
            expected: Expected::Texts {
                must: groups.iter().map(texts).collect(),
                must_not: texts(&line["must_not"]),
            },
            unanswerable: line["unanswerable"] == true,
            right: texts(&line["gold"]),
            documents: Rc::clone(documents),
        });
    }
    // Questions over the same files stand together, so that these are indexed once.
    items.sort_by_key(|item| Rc::as_ptr(&item.documents).addr());
    Ok(items)
}
