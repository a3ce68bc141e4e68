//! Where each token of a sequence stands, and what it does not see: sources may be read one
//! independently of the other.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

/// The tokens by which a model tells sources from the rest of a prompt, if it was trained with
/// block attention (Ma et al. 2025, «Block-Attention for Efficient Prefilling»).
///
/// A source begins with one of `opens` and ends where the next begins, or with the token `closes`,
/// behind which there are no sources any more. Its tokens see what comes before the first source,
/// and their own source, whose positions begin anew behind what comes before the first. So what
/// is computed of a source depends neither on the others nor on the question. What follows
/// `closes` sees everything, at the positions behind the longest source.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) opens: Vec<u32>,
    pub(crate) closes: u32,
}

/// Reads the tokens of one sequence, in order.
#[derive(Clone, Default)]
pub(crate) struct Reader {
    /// Without any, each token sees all before it.
    blocks: Option<Arc<Blocks>>,
    /// Tokens so far.
    read: usize,
    /// Of the next token, for its rotation.
    position: usize,
    /// The token with which the first source begins, and its position.
    first: Option<(usize, usize)>,
    /// The token with which the present source begins.
    source: Option<usize>,
    /// The position behind the longest source.
    furthest: usize,
    closed: bool,
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// By which queries and keys are turned.
    pub(crate) position: usize,
    /// Tokens before it that it does not see.
    pub(crate) unseen: Range<usize>,
}

impl Reader {
    /// At the beginning of a sequence.
    pub(crate) fn new(blocks: Option<Arc<Blocks>>) -> Self {
        Self {
            blocks,
            ..Self::default()
        }
    }

    /// The place of the next token.
    pub(crate) fn read(&mut self, token: u32) -> Place {
        if let Some(blocks) = self.blocks.as_deref().filter(|_| !self.closed) {
            if token == blocks.closes {
                (self.closed, self.source) = (true, None);
                self.position = self.position.max(self.furthest);
            } else if blocks.opens.contains(&token) {
                let (_, start) = *self.first.get_or_insert((self.read, self.position));
                self.source = Some(self.read);
                self.position = start;
            }
        }
        let unseen = match (self.first, self.source) {
            (Some((first, _)), Some(source)) => first..source,
            _ => 0..0,
        };
        let place = Place {
            position: self.position,
            unseen,
        };
        self.read += 1;
        self.position += 1;
        self.furthest = self.furthest.max(self.position);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(blocks: Option<Blocks>, tokens: &[u32]) -> Vec<(usize, Range<usize>)> {
        let mut reader = Reader::new(blocks.map(Arc::new));
        let places = tokens.iter().map(|&token| reader.read(token));
        let places = places.map(|place| (place.position, place.unseen));
        places.collect()
    }

    fn blocks() -> Option<Blocks> {
        Some(Blocks {
            opens: vec![1, 2, 3],
            closes: 9,
        })
    }

    #[test]
    fn without_blocks_everything_before_is_seen() {
        let expected = [(0, 0..0), (1, 0..0), (2, 0..0)];
        assert_eq!(places(None, &[1, 9, 2]), expected);
    }

    #[test]
    fn sources_begin_at_the_same_place_and_do_not_see_each_other() {
        let tokens = [0, 1, 50, 51, 2, 60, 9, 70, 2];
        let expected = [
            (0, 0..0),
            (1, 1..1),
            (2, 1..1),
            (3, 1..1),
            (1, 1..4),
            (2, 1..4),
            // The question comes behind the longest source, and an answer opens none.
            (4, 0..0),
            (5, 0..0),
            (6, 0..0),
        ];
        assert_eq!(places(blocks(), &tokens), expected);
    }

    #[test]
    fn a_question_alone_follows_the_beginning() {
        assert_eq!(places(blocks(), &[0, 9, 5])[1..], [(1, 0..0), (2, 0..0)]);
    }
}
