//! Vectors of texts, kept for further questions.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use engine::Side;

/// The most vectors that are kept, of a few thousand bytes each.
const MOST_KEPT: usize = 4096;

pub(super) type Vector = Arc<[f32]>;

/// The vectors that were asked for last, under hashes of their texts: further questions are often
/// answered from the same passages. When there are too many, those go that nobody has asked for
/// since there were half as many.
#[derive(Default)]
pub(super) struct Kept {
    hasher: RandomState,
    young: HashMap<u64, Vector>,
    old: HashMap<u64, Vector>,
}

impl Kept {
    pub(super) fn get(&mut self, side: Side, text: &str) -> Option<Vector> {
        let key = self.hasher.hash_one((side, text));
        if let Some(vector) = self.young.get(&key) {
            return Some(vector.clone());
        }
        let vector = self.old.remove(&key)?;
        self.insert(key, vector.clone());
        Some(vector)
    }

    pub(super) fn put(&mut self, side: Side, text: &str, vector: Vector) {
        self.insert(self.hasher.hash_one((side, text)), vector);
    }

    fn insert(&mut self, key: u64, vector: Vector) {
        if self.young.len() >= MOST_KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut kept = Kept::default();
        let vector = |n: usize| Vector::from([n as f32]);
        for n in 0..MOST_KEPT * 4 {
            kept.put(Side::Passage, &n.to_string(), vector(n));
            assert!(kept.get(Side::Passage, "0").is_some(), "after {n}");
        }
        assert!(kept.young.len() + kept.old.len() <= MOST_KEPT);
        assert_eq!(kept.get(Side::Passage, "1"), None);
        assert_eq!(
            kept.get(Side::Query, "0"),
            None,
            "a question is another text"
        );
    }
}
