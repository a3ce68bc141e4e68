//! Which segments a change leaves: a new one for what is new, and fewer when they become many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::snapshot::Part;
use super::{VectorChange, VectorRow};
use crate::error::RetrievalError;

/// With more segments than this the smaller half becomes one.
const MOST_SEGMENTS: usize = 16;

/// A segment up to this size is rewritten as soon as one of its files is gone: what a user
/// deletes is to leave the disk. A larger one is, when a tenth of its rows are gone.
const REWRITTEN_AT_ONCE_BYTES: usize = 64 * 1024 * 1024;
const DEAD_SHARE_BEFORE_REWRITE: f64 = 0.1;

/// Files and their vectors, in the order of their ids.
type Files = BTreeMap<String, Vec<VectorRow>>;

/// The segments after `changes`. `write` makes a segment.
pub(super) fn after(
    before: &[Part],
    changes: Vec<VectorChange>,
    write: impl Fn(Vec<(String, Vec<VectorRow>)>) -> Result<Part, RetrievalError>,
) -> Result<Vec<Part>, RetrievalError> {
    let mut new = Files::new();
    let mut gone = BTreeSet::new();
    for change in changes {
        match change {
            VectorChange::Upsert { file_id, rows } => {
                gone.insert(file_id.clone());
                new.insert(file_id, rows);
            }
            VectorChange::Delete { file_id } => {
                new.remove(&file_id);
                gone.insert(file_id);
            }
        }
    }
    let mut parts: Vec<Part> = before.iter().map(|part| without(part, &gone)).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.segment.rows()));
    let many = parts.len() >= MOST_SEGMENTS;
    let kept = if many { parts.len() / 2 } else { parts.len() };
    let merged: Vec<Part> = parts
        .extract_if(.., |part| wastes_space(part))
        .collect::<Vec<_>>();
    let few = parts.split_off(kept.min(parts.len()));
    for part in merged.iter().chain(&few) {
        for (segment, file) in part.living() {
            new.insert(file.file_id.clone(), segment.rows_of(file));
        }
    }
    if !new.is_empty() {
        parts.push(write(new.into_iter().collect())?);
    }
    Ok(parts)
}

fn without(part: &Part, gone: &BTreeSet<String>) -> Part {
    let places: Vec<usize> = gone.iter().filter_map(|id| part.segment.find(id)).collect();
    if places.is_empty() {
        return part.clone();
    }
    let mut dead = part.dead.to_vec();
    for place in places {
        dead[place] = true;
    }
    Part {
        dead: Arc::new(dead),
        ..part.clone()
    }
}

fn wastes_space(part: &Part) -> bool {
    let living: usize = part.living().map(|(_, file)| file.rows.len()).sum();
    let all_count = part.dead.iter().all(|dead| !dead);
    let gone = part.segment.rows() - living;
    !all_count
        && (part.segment.len_bytes() <= REWRITTEN_AT_ONCE_BYTES
            || gone as f64 >= DEAD_SHARE_BEFORE_REWRITE * part.segment.rows() as f64)
}
