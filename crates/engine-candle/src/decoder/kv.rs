//! Keys and values of one sequence, in pages.

use std::ops::Range;

/// Tokens whose keys and values share a page.
pub(crate) const PAGE_TOKENS: usize = 32;

/// What attention needs of the tokens a sequence has already read.
///
/// It grows page by page; what is written is never moved. Dropping it frees all pages.
pub struct KvCache {
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    pages: Vec<KvPage>,
    len: usize,
}

/// Keys and values of [`PAGE_TOKENS`] tokens in all layers, laid out
/// `[layer][key or value][head][token][head_dim]`, so that attention reads one head's keys of a
/// page in one run.
struct KvPage(Box<[f32]>);

/// The first or the second half of a layer's part of a page.
#[derive(Clone, Copy)]
enum Half {
    Keys = 0,
    Values = 1,
}

impl KvCache {
    /// A cache without tokens, which takes no memory yet.
    pub(crate) fn new(layers: usize, kv_heads: usize, head_dim: usize) -> Self {
        Self {
            layers,
            kv_heads,
            head_dim,
            pages: Vec::new(),
            len: 0,
        }
    }

    /// Numbers in one head of one token.
    pub(crate) fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Tokens whose keys and values are here.
    pub fn len(&self) -> usize {
        self.len
    }

    /// No tokens are here.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds pages for `tokens` more tokens.
    pub(crate) fn make_room(&mut self, tokens: usize) {
        let page_len = self.layers * 2 * self.kv_heads * PAGE_TOKENS * self.head_dim;
        let pages = (self.len + tokens).div_ceil(PAGE_TOKENS);
        while self.pages.len() < pages {
            self.pages.push(KvPage(vec![0.0; page_len].into()));
        }
    }

    /// Counts `tokens` that were written in every layer.
    pub(crate) fn advance(&mut self, tokens: usize) {
        self.len += tokens;
    }

    /// Writes one token's keys and values of one layer, `[kv_heads * head_dim]` each. There must
    /// be room for `position`.
    pub(crate) fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let token = position % PAGE_TOKENS * self.head_dim;
        for (half, rows) in [(Half::Keys, keys), (Half::Values, values)] {
            for (head, row) in rows.chunks_exact(self.head_dim).enumerate() {
                let start = self.start(layer, half, head) + token;
                let page = &mut self.pages[position / PAGE_TOKENS].0;
                page[start..start + self.head_dim].copy_from_slice(row);
            }
        }
    }

    /// One head's keys and values of these tokens, page by page. Each item is
    /// `[tokens of the page * head_dim]` of keys, and of values.
    pub(crate) fn pages(
        &self,
        layer: usize,
        head: usize,
        tokens: Range<usize>,
    ) -> impl Iterator<Item = (&[f32], &[f32])> {
        let keys = self.start(layer, Half::Keys, head);
        let values = self.start(layer, Half::Values, head);
        let first_page = tokens.start / PAGE_TOKENS;
        let pages = self.pages.iter().enumerate().skip(first_page);
        pages.map_while(move |(index, page)| {
            let before = index * PAGE_TOKENS;
            let from = tokens.start.saturating_sub(before) * self.head_dim;
            let to = tokens.end.checked_sub(before)?.min(PAGE_TOKENS) * self.head_dim;
            let part = |start: usize| &page.0[start + from..start + to];
            (from < to).then(|| (part(keys), part(values)))
        })
    }

    fn start(&self, layer: usize, half: Half, head: usize) -> usize {
        ((layer * 2 + half as usize) * self.kv_heads + head) * PAGE_TOKENS * self.head_dim
    }
}
