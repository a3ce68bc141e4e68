//! `--given`: the right context among four wrong ones that look right.

use std::rc::Rc;

use retrieval::{Index, Query};

use super::documents::{Documents, Text};
use super::items::{Expected, Item};
use super::text_measures::contains_any;

/// Contexts that each question is answered from.
const CONTEXTS: usize = 5;

/// So many of the best ranked contexts are looked through for wrong ones.
const CANDIDATES: usize = 50;

/// Gives each question its own context and the best ranked others that hold no right answer.
/// Questions of other formats than contexts with questions keep what they have.
pub(super) fn with_hard_contexts(items: Vec<Item>) -> anyhow::Result<Vec<Item>> {
    let Some(all) = items.first().map(|item| Rc::clone(&item.documents)) else {
        return Ok(items);
    };
    let shared = |item: &Item| Rc::ptr_eq(&item.documents, &all);
    let Documents::Texts(texts) = &*all else {
        return Ok(items);
    };
    if !items.iter().all(shared) {
        return Ok(items);
    }
    let index = Index::in_memory()?;
    index.apply(texts.iter().map(|text| text.whole()).collect(), 1)?;
    let narrowed = items.into_iter().map(|item| narrow(item, &index, texts));
    narrowed.collect()
}

fn narrow(item: Item, index: &Index, texts: &[Rc<Text>]) -> anyhow::Result<Item> {
    let named = |id: &str| texts.iter().find(|text| text.id == id).map(Rc::clone);
    let mut chosen: Vec<Rc<Text>> = item.right.iter().filter_map(|id| named(id)).collect();
    let hits = index.search(&Query::new(&item.question, CANDIDATES))?;
    for hit in hits {
        let is_wrong = match &item.expected {
            Expected::Answers(golds) => !contains_any(&hit.passage.text, golds),
            Expected::Texts { .. } => true,
        };
        if chosen.len() < CONTEXTS && is_wrong && !item.right.contains(&hit.passage.file_id) {
            chosen.extend(named(&hit.passage.file_id));
        }
    }
    // The right one does not always stand first.
    chosen.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(Item {
        documents: Rc::new(Documents::Texts(chosen)),
        ..item
    })
}
