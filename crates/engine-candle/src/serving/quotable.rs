//! Texts that may be quoted: which byte may follow the beginning of a quotation.
//!
//! All beginnings of all parts of the texts, sorted, are a suffix array (Manber and Myers 1990):
//! parts that begin alike lie beside each other in it, and one more byte narrows them down by
//! binary search.

/// The texts, prepared.
pub(crate) struct Quotable {
    /// One after the other, each with a byte behind it that no text has.
    bytes: Vec<u8>,
    /// Where characters begin, in the order of what follows from there.
    places: Vec<u32>,
}

/// Parts of the texts that begin with the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which of the sorted places.
    start: usize,
    end: usize,
    /// In bytes.
    pub(crate) len: usize,
}

/// No byte of UTF-8.
const BETWEEN: u8 = 0xFF;

impl Quotable {
    /// Sorts the parts of these texts.
    pub(crate) fn new(texts: &[String]) -> Self {
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend(text.as_bytes());
            bytes.push(BETWEEN);
        }
        let mut places = sorted_suffixes(&bytes);
        places.retain(|&place| begins_character(bytes[place as usize]));
        Self { bytes, places }
    }

    /// Every part, before its first byte.
    pub(crate) fn all(&self) -> Part {
        Part {
            start: 0,
            end: self.places.len(),
            len: 0,
        }
    }

    /// Those that go on with this byte, if there are any.
    pub(crate) fn narrow(&self, part: Part, byte: u8) -> Option<Part> {
        let places = &self.places[part.start..part.end];
        let next = |place: u32| self.bytes.get(place as usize + part.len).copied();
        let start = places.partition_point(|&place| next(place) < Some(byte));
        let same = places[start..].partition_point(|&place| next(place) == Some(byte));
        (same > 0 && byte != BETWEEN).then_some(Part {
            start: part.start + start,
            end: part.start + start + same,
            len: part.len + 1,
        })
    }
}

fn begins_character(byte: u8) -> bool {
    byte != BETWEEN && !(0x80..0xC0).contains(&byte)
}

/// All places in the order of what follows from there. Places that agree in some bytes are put in
/// order by what follows behind these, which is known of every place already, so that each round
/// looks twice as far as the one before, however often a text repeats itself.
fn sorted_suffixes(bytes: &[u8]) -> Vec<u32> {
    let mut places = (0..bytes.len() as u32).collect::<Vec<_>>();
    let mut ranks = bytes
        .iter()
        .map(|&byte| u32::from(byte))
        .collect::<Vec<_>>();
    let mut known = 0;
    loop {
        let behind = |place: u32| ranks.get(place as usize + known).map_or(0, |rank| rank + 1);
        let key = |place: u32| match known {
            0 => (ranks[place as usize], 0),
            _ => (ranks[place as usize], behind(place)),
        };
        places.sort_unstable_by_key(|&place| key(place));
        let mut next = vec![0; ranks.len()];
        let mut rank = 0;
        for pair in places.windows(2) {
            rank += u32::from(key(pair[0]) != key(pair[1]));
            next[pair[1] as usize] = rank;
        }
        ranks = next;
        if rank as usize + 1 >= places.len() {
            return places;
        }
        known = (known * 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_sorted() {
        for text in [
            "",
            "a",
            "banana",
            "aaaaaaaa",
            "서울은 서울이다",
            "abcabcabcab",
        ] {
            let places = sorted_suffixes(text.as_bytes());
            let suffixes = places
                .iter()
                .map(|&place| &text.as_bytes()[place as usize..]);
            assert!(suffixes.is_sorted(), "{text}");
            assert_eq!(places.len(), text.len());
        }
    }

    #[test]
    fn a_part_is_what_a_text_holds() {
        let texts = ["tea and cake", "", "한강 and"].map(String::from);
        let quotable = Quotable::new(&texts);
        let found = |part: &[u8]| {
            let mut bytes = part.iter();
            bytes.try_fold(quotable.all(), |part, &byte| quotable.narrow(part, byte))
        };
        for part in ["tea", "and cake", "d", "강 and", ""] {
            assert!(found(part.as_bytes()).is_some(), "{part}");
        }
        for part in ["tee", "cake한", "and cakes", "and and"] {
            assert!(found(part.as_bytes()).is_none(), "{part}");
        }
        assert!(
            found(&"한".as_bytes()[1..]).is_none(),
            "a part of a character"
        );
        assert!(found(&[BETWEEN]).is_none());
    }
}
