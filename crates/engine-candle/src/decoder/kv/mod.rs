//! Keys and values of one sequence, in pages.

mod head;
mod page;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use head::Head;
pub use page::KvType;
pub(crate) use page::{KvLayout, KvPage, PAGE_TOKENS};

use super::reader::Reader;

/// What attention needs of the tokens a sequence has already read.
///
/// It grows page by page; what is written is never moved. A page that is full may be shared with
/// other sequences, and is never written again. Dropping the cache frees the pages that nobody
/// shares.
///
/// Pages hold all layers, so layers with a sliding window keep what they do not look at any more
/// as long as the others do: to the end of the sequence.
pub struct KvCache {
    layout: KvLayout,
    pages: Vec<Arc<KvPage>>,
    len: usize,
    /// Has read the tokens that are here.
    reader: Reader,
}

impl KvCache {
    /// A cache without tokens, which takes no memory yet.
    pub(crate) fn new(layout: KvLayout, reader: Reader) -> Self {
        Self {
            layout,
            pages: Vec::new(),
            len: 0,
            reader,
        }
    }

    /// The sizes and the type of its numbers.
    pub(crate) fn layout(&self) -> &KvLayout {
        &self.layout
    }

    /// Tokens whose keys and values are here.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What tells where the next tokens stand.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// No tokens are here.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tokens here end with a page.
    pub(crate) fn ends_with_a_page(&self) -> bool {
        self.len.is_multiple_of(PAGE_TOKENS) && self.pages.len() == self.full_pages()
    }

    /// Pages that are full.
    pub(crate) fn full_pages(&self) -> usize {
        self.len / PAGE_TOKENS
    }

    /// A page that is full, to share it.
    pub(crate) fn page(&self, index: usize) -> &Arc<KvPage> {
        &self.pages[index]
    }

    /// Takes over a full page that another sequence computed for these tokens, the next ones.
    /// What is here must [end with a page](Self::ends_with_a_page).
    pub(crate) fn adopt(&mut self, page: Arc<KvPage>, tokens: &[u32]) {
        debug_assert!(self.ends_with_a_page(), "a page can only follow a page");
        debug_assert_eq!(tokens.len(), PAGE_TOKENS);
        self.pages.push(page);
        self.advance(tokens);
    }

    /// Puts a shared page in the place of one with the same content, which is freed.
    pub(crate) fn replace(&mut self, index: usize, page: Arc<KvPage>) {
        self.pages[index] = page;
    }

    /// Adds pages for `tokens` more tokens.
    pub(crate) fn make_room(&mut self, tokens: usize) {
        let pages = (self.len + tokens).div_ceil(PAGE_TOKENS);
        while self.pages.len() < pages {
            self.pages.push(Arc::new(KvPage::new(&self.layout)));
        }
    }

    /// These tokens were written in every layer.
    pub(crate) fn advance(&mut self, tokens: &[u32]) {
        self.len += tokens.len();
        for &token in tokens {
            self.reader.read(token);
        }
    }

    /// Writes one token's keys and values of one layer, `[kv_heads * head_dim]` each. There must
    /// be room for `position`.
    pub(crate) fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let page = Arc::get_mut(&mut self.pages[position / PAGE_TOKENS])
            .expect("only full pages are shared, and those are not written");
        page.write(&self.layout, layer, position % PAGE_TOKENS, [keys, values]);
    }

    /// One head's keys and values in the pages with these tokens, each with the token it begins
    /// with.
    pub(crate) fn heads(
        &self,
        layer: usize,
        head: usize,
        tokens: &Range<usize>,
    ) -> impl Iterator<Item = (usize, Head<'_>)> {
        let first = tokens.start / PAGE_TOKENS;
        let pages = &self.pages[first..tokens.end.div_ceil(PAGE_TOKENS)];
        let heads = pages.iter().enumerate();
        heads.map(move |(index, page)| {
            let page_start = (first + index) * PAGE_TOKENS;
            (page_start, page.head(&self.layout, layer, head))
        })
    }
}
