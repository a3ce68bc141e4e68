//! The budget of pages that all sequences of a model share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::KvLoad;

use super::prefix::{BlockId, BlockTokens, PrefixCache, Tenant};
use crate::decoder::{KvCache, KvLayout, KvPage, PAGE_TOKENS, Reader};
use crate::serving::network::Wanted;

/// Hands out pages within a budget.
///
/// Every page is either reserved by one sequence, written or yet to be, or kept in the prefix
/// cache, where any number of sequences may use it. Reserved and kept pages together never
/// exceed the budget. Kept pages that no sequence uses are reclaimed as they are needed.
pub(crate) struct KvPool {
    layout: KvLayout,
    /// At the beginning of a sequence.
    reader: Reader,
    /// Pages of the budget.
    budget: usize,
    state: Mutex<State>,
}

struct State {
    reserved: usize,
    prefixes: PrefixCache<KvPage>,
    era: u64,
    prompt_tokens: u64,
    cached_tokens: u64,
}

/// The pages of one sequence: reserved for all its tokens, given back when dropped.
pub(crate) struct SequenceMemory {
    /// Goes before its reservation does.
    pub(super) cache: KvCache,
    /// Tokens in the cache.
    tokens: Vec<u32>,
    /// Blocks of the tokens that stand in the prefix cache, and the last of them.
    kept: usize,
    last_kept: BlockId,
    tenant: Tenant,
    /// Pages reserved and not in the prefix cache.
    reserved: usize,
    pool: Arc<KvPool>,
}

impl KvPool {
    /// A pool of as many pages as fit in so many bytes.
    pub(crate) fn new(layout: KvLayout, reader: Reader, bytes: usize) -> Self {
        Self {
            budget: bytes / layout.page_bytes(),
            layout,
            reader,
            state: Mutex::new(State {
                reserved: 0,
                prefixes: PrefixCache::new(),
                era: 0,
                prompt_tokens: 0,
                cached_tokens: 0,
            }),
        }
    }

    /// The most tokens that a sequence can have.
    pub(crate) fn tokens(&self) -> usize {
        self.budget * PAGE_TOKENS
    }

    /// Reserves all pages that a sequence will need and is not given by the prefix cache, or
    /// `None` while other sequences hold too many.
    pub(crate) fn admit(self: &Arc<Self>, wanted: &Wanted<'_>) -> Option<SequenceMemory> {
        let mut state = self.lock();
        let tenant = Tenant {
            salt: wanted.sharing.salt.as_deref().map(Arc::from),
            era: wanted.sharing.era.unwrap_or(state.era),
        };
        let blocks = shareable(wanted.prompt);
        let (pages, last_kept) = state.prefixes.find(&tenant, BlockId::ROOT, &blocks);
        let needed = wanted.tokens.div_ceil(PAGE_TOKENS) - pages.len();
        let missing = |state: &State| {
            let taken = state.reserved + state.prefixes.pages() + needed;
            taken.saturating_sub(self.budget)
        };
        // The pages that were found are in use from here on, and stay.
        let missing_pages = missing(&state);
        state.prefixes.evict(missing_pages);
        if missing(&state) > 0 {
            return None;
        }
        state.reserved += needed;
        state.prompt_tokens += wanted.prompt.len() as u64;
        state.cached_tokens += (pages.len() * PAGE_TOKENS) as u64;
        let mut cache = KvCache::new(self.layout.clone(), self.reader.clone());
        let kept = pages.len();
        for (page, tokens) in pages.into_iter().zip(&blocks) {
            cache.adopt(page, tokens);
        }
        Some(SequenceMemory {
            cache,
            tokens: wanted.prompt[..kept * PAGE_TOKENS].to_vec(),
            kept,
            last_kept,
            tenant,
            reserved: needed,
            pool: self.clone(),
        })
    }

    /// Lets go of what is kept for later sequences. What running ones use goes with them.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.era += 1;
        let era = state.era;
        state.prefixes.forget_before(era);
    }

    /// How often that was asked.
    pub(crate) fn era(&self) -> u64 {
        self.lock().era
    }

    /// What all sequences take.
    pub(crate) fn load(&self) -> KvLoad {
        let state = self.lock();
        let bytes = |pages: usize| pages * self.layout.page_bytes();
        KvLoad {
            budget_bytes: bytes(self.budget),
            reserved_bytes: bytes(state.reserved),
            cached_bytes: bytes(state.prefixes.pages()),
            prompt_tokens: state.prompt_tokens,
            cached_tokens: state.cached_tokens,
            evicted_pages: state.prefixes.evicted(),
        }
    }

    /// Each change under the lock is complete or was not begun, so a poisoned lock is as good as
    /// any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SequenceMemory {
    /// Takes over pages that others have filled meanwhile with the next tokens of this prompt.
    /// Returns how many of its tokens are in memory then.
    pub(super) fn recall(&mut self, prompt: &[u32]) -> usize {
        let at_a_page = self.cache.ends_with_a_page() && self.kept == self.cache.full_pages();
        let blocks = match at_a_page {
            true => shareable(&prompt[self.tokens.len()..]),
            false => Vec::new(),
        };
        if blocks.is_empty() {
            return self.tokens.len();
        }
        let mut state = self.pool.lock();
        let (pages, last) = state.prefixes.find(&self.tenant, self.last_kept, &blocks);
        let tokens = pages.len() * PAGE_TOKENS;
        state.reserved -= pages.len();
        state.cached_tokens += tokens as u64;
        self.reserved -= pages.len();
        self.kept += pages.len();
        self.last_kept = last;
        for (page, tokens) in pages.into_iter().zip(&blocks) {
            self.cache.adopt(page, tokens);
        }
        let start = self.tokens.len();
        self.tokens.extend(&prompt[start..start + tokens]);
        self.tokens.len()
    }

    /// Takes note of tokens that went through the model, and keeps the pages they filled for
    /// others to share.
    pub(super) fn note(&mut self, tokens: &[u32]) {
        self.tokens.extend(tokens);
        let full = self.cache.full_pages();
        if full == self.kept {
            return;
        }
        let blocks = blocks(&self.tokens[self.kept * PAGE_TOKENS..]);
        let mut state = self.pool.lock();
        for tokens in blocks {
            let page = self.cache.page(self.kept);
            let (id, same) = state
                .prefixes
                .insert(&self.tenant, self.last_kept, tokens, page);
            if let Some(same) = same {
                self.cache.replace(self.kept, same);
            }
            self.last_kept = id;
            self.kept += 1;
            self.reserved -= 1;
            state.reserved -= 1;
        }
    }
}

impl Drop for SequenceMemory {
    fn drop(&mut self) {
        let blocks = blocks(&self.tokens);
        let mut state = self.pool.lock();
        state.reserved -= self.reserved;
        if self.tenant.era == state.era {
            state.prefixes.touch(&self.tenant, &blocks);
        } else {
            // What it read was to be forgotten when nobody uses it any more.
            self.cache = KvCache::new(self.pool.layout.clone(), self.pool.reader.clone());
            let era = state.era;
            state.prefixes.forget_before(era);
        }
    }
}

/// The full blocks of some tokens.
fn blocks(tokens: &[u32]) -> Vec<BlockTokens> {
    let (blocks, _) = tokens.as_chunks::<PAGE_TOKENS>();
    blocks.to_vec()
}

/// The blocks that may be taken over: the last token is always computed, for its logits.
fn shareable(prompt: &[u32]) -> Vec<BlockTokens> {
    blocks(&prompt[..prompt.len() - 1])
}
