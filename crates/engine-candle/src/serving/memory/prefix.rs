//! What was read before, by the tokens that were read: a tree whose nodes are blocks of one page
//! of tokens each.
//!
//! A block is found by its parent's number and its tokens themselves, compared in full: a hash
//! only leads there, so no collision can hand out the wrong block. Tenants (salts) have trees of
//! their own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::decoder::PAGE_TOKENS;

/// Pages by the tokens they hold and those before them. `P` is the page.
///
/// A page that somebody else holds too is in use and is not evicted. Others are, in the order of
/// their last use, from the tenant who has the most of them: who floods the cache loses their
/// own pages first.
pub(crate) struct PrefixCache<P> {
    trees: HashMap<Tenant, Tree<P>>,
    pages: usize,
    evicted: u64,
    /// Counts uses and blocks.
    clock: u64,
}

/// Who shares blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tenant {
    pub(crate) salt: Option<Arc<str>>,
    /// Counts how often everything was to be forgotten: what was read before is not shared with
    /// what is read after.
    pub(crate) era: u64,
}

/// A block, as its children know it. Never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct BlockId(u64);

struct Tree<P> {
    blocks: HashMap<Arc<Key>, Block<P>>,
    by_age: BTreeMap<u64, Arc<Key>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    parent: BlockId,
    tokens: [u32; PAGE_TOKENS],
}

struct Block<P> {
    id: BlockId,
    page: Arc<P>,
    last_use: u64,
}

/// The tokens of one page.
pub(crate) type BlockTokens = [u32; PAGE_TOKENS];

impl BlockId {
    /// What the first block of every sequence follows.
    pub(crate) const ROOT: Self = Self(0);
}

impl<P> PrefixCache<P> {
    pub(crate) fn new() -> Self {
        Self {
            trees: HashMap::new(),
            pages: 0,
            evicted: 0,
            clock: 0,
        }
    }

    /// Pages that are held.
    pub(crate) fn pages(&self) -> usize {
        self.pages
    }

    /// Pages that were evicted so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The pages of as many of the blocks as are known, from the first on, and the last of these.
    pub(crate) fn find(
        &self,
        tenant: &Tenant,
        parent: BlockId,
        blocks: &[BlockTokens],
    ) -> (Vec<Arc<P>>, BlockId) {
        let (mut pages, mut last) = (Vec::new(), parent);
        let Some(tree) = self.trees.get(tenant) else {
            return (pages, last);
        };
        for tokens in blocks {
            let key = Key {
                parent: last,
                tokens: *tokens,
            };
            let Some(block) = tree.blocks.get(&key) else {
                break;
            };
            pages.push(block.page.clone());
            last = block.id;
        }
        (pages, last)
    }

    /// Keeps a page that follows `parent`, or returns the one that is kept for the same tokens.
    pub(crate) fn insert(
        &mut self,
        tenant: &Tenant,
        parent: BlockId,
        tokens: BlockTokens,
        page: &Arc<P>,
    ) -> (BlockId, Option<Arc<P>>) {
        let key = Arc::new(Key { parent, tokens });
        let tree = self.trees.entry(tenant.clone()).or_insert_with(Tree::new);
        if let Some(block) = tree.blocks.get(&key) {
            return (block.id, Some(block.page.clone()));
        }
        self.clock += 1;
        let block = Block {
            id: BlockId(self.clock),
            page: page.clone(),
            last_use: self.clock,
        };
        let id = block.id;
        tree.by_age.insert(self.clock, key.clone());
        tree.blocks.insert(key, block);
        self.pages += 1;
        (id, None)
    }

    /// Notes that these blocks, from the first on, were used now. The last becomes the oldest of
    /// them, so that no block is evicted before those that follow it.
    pub(crate) fn touch(&mut self, tenant: &Tenant, blocks: &[BlockTokens]) {
        let Some(tree) = self.trees.get_mut(tenant) else {
            return;
        };
        let mut parent = BlockId::ROOT;
        let mut keys = Vec::with_capacity(blocks.len());
        for tokens in blocks {
            let key = Key {
                parent,
                tokens: *tokens,
            };
            let Some((key, block)) = tree.blocks.get_key_value(&key) else {
                break;
            };
            keys.push(key.clone());
            parent = block.id;
        }
        for key in keys.into_iter().rev() {
            self.clock += 1;
            let block = tree.blocks.get_mut(&key).expect("it was found just now");
            tree.by_age.remove(&block.last_use);
            block.last_use = self.clock;
            tree.by_age.insert(self.clock, key);
        }
    }

    /// Drops up to so many pages that nobody uses.
    pub(crate) fn evict(&mut self, pages: usize) {
        for _ in 0..pages {
            if !self.evict_one() {
                return;
            }
        }
    }

    /// Drops the pages of earlier eras than this that nobody uses.
    pub(crate) fn forget_before(&mut self, era: u64) {
        let mut left = 0;
        self.trees.retain(|tenant, tree| {
            if tenant.era < era {
                tree.drop_unused();
            }
            left += tree.blocks.len();
            !tree.blocks.is_empty()
        });
        self.pages = left;
    }

    fn evict_one(&mut self) -> bool {
        let mut largest_first = self.trees.iter().collect::<Vec<_>>();
        largest_first.sort_by_key(|(_, tree)| std::cmp::Reverse(tree.blocks.len()));
        let found = largest_first
            .into_iter()
            .find_map(|(tenant, tree)| Some((tenant.clone(), tree.oldest_unused()?)));
        let Some((tenant, key)) = found else {
            return false;
        };
        let tree = self.trees.get_mut(&tenant).expect("it was found just now");
        if let Some(block) = tree.blocks.remove(&key) {
            tree.by_age.remove(&block.last_use);
        }
        if tree.blocks.is_empty() {
            self.trees.remove(&tenant);
        }
        self.pages -= 1;
        self.evicted += 1;
        true
    }
}

impl<P> Tree<P> {
    fn new() -> Self {
        Self {
            blocks: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    fn drop_unused(&mut self) {
        let is_used = |block: &Block<P>| Arc::strong_count(&block.page) > 1;
        self.blocks.retain(|_, block| is_used(block));
        self.by_age.retain(|_, key| self.blocks.contains_key(key));
    }

    fn oldest_unused(&self) -> Option<Arc<Key>> {
        let mut oldest_first = self.by_age.values();
        let unused = |key: &&Arc<Key>| Arc::strong_count(&self.blocks[&**key].page) == 1;
        oldest_first.find(unused).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(token: u32) -> BlockTokens {
        [token; PAGE_TOKENS]
    }

    fn tenant(salt: Option<&Arc<str>>) -> Tenant {
        let salt = salt.cloned();
        Tenant { salt, era: 0 }
    }

    /// Keeps a chain of blocks and returns its pages.
    fn keep(
        cache: &mut PrefixCache<u32>,
        salt: Option<&Arc<str>>,
        tokens: &[u32],
    ) -> Vec<Arc<u32>> {
        let mut parent = BlockId::ROOT;
        let mut pages = Vec::new();
        for &token in tokens {
            let page = Arc::new(token);
            let (id, kept) = cache.insert(&tenant(salt), parent, block(token), &page);
            pages.push(kept.unwrap_or(page));
            parent = id;
        }
        let blocks = tokens.iter().map(|&token| block(token)).collect::<Vec<_>>();
        cache.touch(&tenant(salt), &blocks);
        pages
    }

    fn known(cache: &PrefixCache<u32>, salt: Option<&Arc<str>>, tokens: &[u32]) -> Vec<u32> {
        let blocks = tokens.iter().map(|&token| block(token)).collect::<Vec<_>>();
        let (pages, _) = cache.find(&tenant(salt), BlockId::ROOT, &blocks);
        pages.iter().map(|page| **page).collect()
    }

    #[test]
    fn a_block_is_known_only_after_the_same_blocks() {
        let mut cache = PrefixCache::new();
        keep(&mut cache, None, &[1, 2, 3]);
        let again = keep(&mut cache, None, &[1, 2, 4]);
        assert_eq!(cache.pages(), 4);
        assert_eq!(Arc::strong_count(&again[1]), 2, "the page kept first");
        assert_eq!(known(&cache, None, &[1, 2, 4, 5]), [1, 2, 4]);
        assert!(known(&cache, None, &[2, 3]).is_empty());
        assert_eq!(known(&cache, None, &[1, 3]), [1]);
    }

    #[test]
    fn tenants_share_nothing() {
        let mut cache = PrefixCache::new();
        let (a, b) = (Arc::<str>::from("a"), Arc::<str>::from("b"));
        keep(&mut cache, Some(&a), &[1, 2]);
        for (salt, expected) in [(None, &[][..]), (Some(&a), &[1, 2]), (Some(&b), &[])] {
            assert_eq!(known(&cache, salt, &[1, 2]), expected, "{salt:?}");
        }
    }

    #[test]
    fn the_oldest_goes_first_and_never_before_what_follows_it() {
        let mut cache = PrefixCache::new();
        keep(&mut cache, None, &[1, 2, 3]);
        keep(&mut cache, None, &[7, 8]);
        cache.touch(&tenant(None), &[block(1), block(2)]);
        for (old, new) in [(&[1, 2][..], &[7, 8][..]), (&[1, 2], &[7]), (&[1, 2], &[])] {
            cache.evict(1);
            assert_eq!(known(&cache, None, &[1, 2, 3]), old);
            assert_eq!(known(&cache, None, &[7, 8]), new);
        }
        cache.evict(9);
        assert_eq!((cache.pages(), cache.evicted()), (0, 5));
    }

    #[test]
    fn pages_in_use_stay() {
        let mut cache = PrefixCache::new();
        let held = keep(&mut cache, None, &[1, 2]);
        keep(&mut cache, None, &[3]);
        cache.evict(3);
        assert_eq!(known(&cache, None, &[1, 2]), [1, 2]);
        assert!(known(&cache, None, &[3]).is_empty());
        drop(held);
        cache.evict(3);
        assert_eq!(cache.pages(), 0);
    }

    #[test]
    fn what_is_forgotten_goes_as_soon_as_nobody_uses_it() {
        let mut cache = PrefixCache::new();
        let held = keep(&mut cache, None, &[1, 2]);
        keep(&mut cache, None, &[3]);
        cache.forget_before(1);
        assert_eq!(cache.pages(), 2);
        let later = Tenant { salt: None, era: 1 };
        let (found, _) = cache.find(&later, BlockId::ROOT, &[block(1)]);
        assert!(found.is_empty(), "later prompts do not see it");
        let page = Arc::new(1);
        cache.insert(&later, BlockId::ROOT, block(1), &page);
        drop(held);
        cache.forget_before(1);
        assert_eq!(cache.pages(), 1);
        assert!(known(&cache, None, &[1]).is_empty());
        assert_eq!(cache.find(&later, BlockId::ROOT, &[block(1)]).0, [page]);
    }

    #[test]
    fn who_floods_the_cache_loses_their_own_pages() {
        let mut cache = PrefixCache::new();
        let quiet = Arc::<str>::from("quiet");
        keep(&mut cache, Some(&quiet), &[1, 2]);
        for token in 10..20 {
            keep(&mut cache, None, &[token]);
        }
        cache.evict(8);
        assert_eq!(known(&cache, Some(&quiet), &[1, 2]), [1, 2]);
    }
}
