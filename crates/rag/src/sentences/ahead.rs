//! Looking ahead in a text that may not be all there yet.

/// A rule would have to see text that has not come yet.
pub(super) struct Undecided;

/// A text, and whether more may follow.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    /// What is there so far.
    pub(super) text: &'a str,
    complete: bool,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(text: &'a str, complete: bool) -> Self {
        Self { text, complete }
    }

    /// The character at byte `at`; `Ok(None)` when the text certainly ends there.
    pub(super) fn char_at(&self, at: usize) -> Result<Option<char>, Undecided> {
        match self.text[at..].chars().next() {
            Some(c) => Ok(Some(c)),
            None if self.complete => Ok(None),
            None => Err(Undecided),
        }
    }

    /// The byte behind the run of characters from `at` on that are all `wanted`.
    pub(super) fn skip(
        &self,
        at: usize,
        wanted: impl Fn(char) -> bool,
    ) -> Result<usize, Undecided> {
        let mut end = at;
        while let Some(c) = self.char_at(end)? {
            if !wanted(c) {
                break;
            }
            end += c.len_utf8();
        }
        Ok(end)
    }
}
