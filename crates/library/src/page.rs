//! Reading long lists piece by piece.

/// The most items one page may hold, as OpenAI's file list has it.
pub(crate) const MAX_LIMIT: usize = 10_000;

/// Which piece of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many items; clamped to 1..=10,000.
    pub limit: usize,
    /// Begin behind the item with this id.
    pub after: Option<String>,
    /// The order of the whole list.
    pub order: Order,
}

impl Default for Page {
    /// The newest items, as many as a page holds.
    fn default() -> Page {
        Page {
            limit: MAX_LIMIT,
            after: None,
            order: Order::NewestFirst,
        }
    }
}

/// Lists are ordered by when their items were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// `desc` on the wire.
    #[default]
    NewestFirst,
    /// `asc` on the wire.
    OldestFirst,
}

/// One piece of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    /// The items, in the order asked for.
    pub data: Vec<T>,
    /// Whether further items follow.
    pub has_more: bool,
}
