//! Quotations that are true: between quotation marks only what the sources say can be chosen.

use std::sync::Arc;

use super::quotable::{Part, Quotable};
use crate::text::ModelTokenizer;

/// What opens a quotation, and what closes it.
const MARKS: [(&str, &str); 5] = [
    ("\"", "\""),
    ("“", "”"),
    ("「", "」"),
    ("『", "』"),
    ("«", "»"),
];

/// The tokens of a vocabulary, as quotations need them.
pub(crate) struct Spellings {
    /// Those with a text, in the order of their bytes.
    tokens: Vec<(Box<[u8]>, u32)>,
    /// Which of them hold what may be the beginning of a quotation.
    openers: Vec<usize>,
    /// Where each token of the vocabulary is among them.
    places: Vec<Option<u32>>,
}

/// The quotations of one answer.
pub(crate) struct Quotation {
    spellings: Arc<Spellings>,
    quotable: Quotable,
    place: Place,
}

/// Where in an answer we are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Not in a quotation. The last two bytes may be the beginning of a mark.
    Outside([u8; 2]),
    Inside(Inside),
}

#[derive(Clone, Copy, Debug)]
struct Inside {
    /// What is quoted, as far as it goes. `None` if no source says so: then a mark must follow.
    part: Option<Part>,
    /// Which of the marks closes it.
    mark: usize,
    /// Bytes of the closing mark that were written.
    closing: usize,
    /// Bytes that the last character lacks.
    lacking: usize,
}

impl Spellings {
    /// Of a vocabulary of so many tokens.
    pub(crate) fn new(tokenizer: &ModelTokenizer, vocab: usize) -> Self {
        let tokens = (0..vocab as u32).map(|id| (tokenizer.bytes(id).into_boxed_slice(), id));
        Self::of(tokens.collect())
    }

    fn of(mut tokens: Vec<(Box<[u8]>, u32)>) -> Self {
        tokens.retain(|(bytes, _)| !bytes.is_empty());
        tokens.sort_unstable();
        let indexed = tokens.iter().enumerate();
        let openers = indexed.filter(|(_, (bytes, _))| may_open(bytes));
        let vocab = tokens.iter().map(|(_, id)| *id as usize + 1).max();
        let mut places = vec![None; vocab.unwrap_or(0)];
        for (place, (_, id)) in (0..).zip(&tokens) {
            places[*id as usize] = Some(place);
        }
        Self {
            places,
            openers: openers.map(|(index, _)| index).collect(),
            tokens,
        }
    }
}

/// A mark, or the end of one, and more behind it.
fn may_open(bytes: &[u8]) -> bool {
    MARKS.iter().any(|(open, _)| {
        let open = open.as_bytes();
        let whole = bytes.windows(open.len()).position(|part| part == open);
        let whole = whole.is_some_and(|at| at + open.len() < bytes.len());
        let mut ends = (1..open.len()).map(|at| &open[at..]);
        whole || ends.any(|end| bytes.starts_with(end) && bytes.len() > end.len())
    })
}

impl Quotation {
    /// Begins an answer that quotes nothing but parts of these texts.
    pub(crate) fn new(spellings: Arc<Spellings>, texts: &[String]) -> Self {
        Self {
            spellings,
            quotable: Quotable::new(texts),
            place: Place::Outside([0; 2]),
        }
    }

    /// Makes every token impossible that would make a quotation untrue. In a quotation that no
    /// token can continue or close everything stays possible.
    pub(crate) fn restrict(&self, logits: &mut [f32]) {
        let tokens = &self.spellings.tokens;
        if let Place::Outside(_) = self.place {
            for (bytes, id) in self.spellings.openers.iter().map(|&index| &tokens[index]) {
                if self.after(bytes).is_none() {
                    logits[*id as usize] = f32::NEG_INFINITY;
                }
            }
            return;
        }
        let mut possible = Vec::new();
        self.walk(tokens, 0, self.place, &mut possible);
        let possible = possible.into_iter().map(|id| (id, logits[id as usize]));
        let possible = possible.collect::<Vec<_>>();
        if possible.iter().any(|(_, logit)| logit.is_finite()) {
            logits.fill(f32::NEG_INFINITY);
            for (id, logit) in possible {
                logits[id as usize] = logit;
            }
        }
    }

    /// The text goes on with this token. One that has no text changes nothing.
    pub(crate) fn consume(&mut self, id: u32) {
        let place = self.spellings.places.get(id as usize).copied().flatten();
        if let Some(place) = place {
            let (bytes, _) = &self.spellings.tokens[place as usize];
            self.place = self.after(bytes).unwrap_or(Place::Outside([0; 2]));
        }
    }

    /// Collects the tokens that can follow. `tokens` agree in their first `depth` bytes, and lead
    /// to `place` by these.
    fn walk(
        &self,
        mut tokens: &[(Box<[u8]>, u32)],
        depth: usize,
        place: Place,
        possible: &mut Vec<u32>,
    ) {
        while let Some((bytes, id)) = tokens.first() {
            let Some(&byte) = bytes.get(depth) else {
                possible.push(*id);
                tokens = &tokens[1..];
                continue;
            };
            let same = tokens.partition_point(|(bytes, _)| bytes[depth] == byte);
            if let Some(next) = self.step(place, byte) {
                self.walk(&tokens[..same], depth + 1, next, possible);
            }
            tokens = &tokens[same..];
        }
    }

    fn after(&self, bytes: &[u8]) -> Option<Place> {
        let mut bytes = bytes.iter();
        bytes.try_fold(self.place, |place, &byte| self.step(place, byte))
    }

    /// Where the next byte leads, if it may follow.
    fn step(&self, place: Place, byte: u8) -> Option<Place> {
        match place {
            Place::Outside([before, last]) => {
                let recent = [before, last, byte];
                let mut marks = MARKS.iter();
                let opened = marks.position(|(open, _)| recent.ends_with(open.as_bytes()));
                Some(match opened {
                    None => Place::Outside([last, byte]),
                    Some(mark) => Place::Inside(Inside {
                        part: Some(self.quotable.all()),
                        mark,
                        closing: 0,
                        lacking: 0,
                    }),
                })
            }
            Place::Inside(inside) => self.step_inside(inside, byte),
        }
    }

    /// The sources may themselves say what a closing mark begins with, so both are followed. A
    /// quotation never begins with its closing mark, even if a source says so there: whoever reads
    /// it would find nothing between the marks.
    fn step_inside(&self, inside: Inside, byte: u8) -> Option<Place> {
        let close = MARKS[inside.mark].1.as_bytes();
        let may_close = inside.closing > 0 || inside.lacking == 0;
        let closing = match may_close && close[inside.closing] == byte {
            true => inside.closing + 1,
            false => 0,
        };
        let is_empty = inside.part.is_some_and(|part| part.len == inside.closing);
        if closing == close.len() {
            return (!is_empty).then_some(Place::Outside([0; 2]));
        }
        let part = inside
            .part
            .and_then(|part| self.quotable.narrow(part, byte));
        if part.is_none() && (closing == 0 || is_empty) {
            return None;
        }
        let lacking = match byte {
            0xC0..=0xDF => 1,
            0xE0..=0xEF => 2,
            0xF0..=0xFF => 3,
            _ => inside.lacking.saturating_sub(1),
        };
        Some(Place::Inside(Inside {
            part,
            mark: inside.mark,
            closing,
            lacking,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotation(tokens: &[&[u8]], texts: &[&str]) -> Quotation {
        let tokens = (0..).zip(tokens).map(|(id, bytes)| (Box::from(*bytes), id));
        let spellings = Arc::new(Spellings::of(tokens.collect()));
        let texts = texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>();
        Quotation::new(spellings, &texts)
    }

    /// Which of the tokens may follow a text.
    fn possible(tokens: &[&[u8]], before: &[u8]) -> Vec<usize> {
        let texts = ["the “old” tea", "한강’s length"];
        let mut quotation = quotation(tokens, &texts);
        for &byte in before {
            let next = quotation.step(quotation.place, byte);
            quotation.place = next.unwrap_or(Place::Outside([0; 2]));
        }
        let mut logits = vec![0.0; tokens.len()];
        quotation.restrict(&mut logits);
        (0..tokens.len()).filter(|&id| logits[id] == 0.0).collect()
    }

    #[test]
    fn only_what_is_there_is_quoted() {
        let check = |before: &str, tokens: &[&str], expected: &[usize]| {
            let tokens = tokens.iter().map(|token| token.as_bytes());
            let found = possible(&tokens.collect::<Vec<_>>(), before.as_bytes());
            assert_eq!(found, expected, "after {before}");
        };
        check(
            "it says ",
            &["no", "\"", "\"tea", "\"no", " «an"],
            &[0, 1, 2],
        );
        check(
            "it says \"",
            &["the", "no", "\"", "ea\" so", "ea no"],
            &[0, 3],
        );
        check(
            "“the",
            &[" “old", "”", "\"", "n", "” and «te", "” and «ta"],
            &[0, 1, 4],
        );
        // Nothing would stand between the marks, though a source has the mark itself.
        check("it says “", &["”", "” tea", "old", "old”"], &[2, 3]);
        check("it says \"", &["“", "”"], &[0, 1]);
        // A mark of another kind is a part of the source like any other.
        check("“the “old", &["”", "” tea", "” no"], &[0, 1, 2]);
        check("「한", &["강", "」", "江", "」 「한", "」「江"], &[0, 1, 3]);
        // Nobody says “no”: it is given up, and the next mark opens a quotation.
        check("\"no\" ", &["no", "\"no"], &[1]);
        check("", &["anything"], &[0]);
    }

    #[test]
    fn marks_and_characters_come_in_pieces() {
        // ’ of the source and ” have two bytes in common.
        let pieces: [&[u8]; 4] = [b"\xE2", b"\x80\x9D", b"\x80\x99", b"\xE2\x80"];
        assert_eq!(possible(&pieces, "“한강".as_bytes()), [0, 3]);
        assert_eq!(
            possible(&pieces, "“한강\u{2019}".as_bytes()[..10].as_ref()),
            [1, 2]
        );
        // An unfinished character cannot be followed by a mark, nor begin in its middle.
        let pieces: [&[u8]; 4] = [b"\"", b"\x95\x9C", b"\x95", b"\x9C"];
        assert_eq!(possible(&pieces, b"\"\xED"), [1, 2]);
        let opening: [&[u8]; 2] = [b"\x9Cno", b"\x9Cthe"];
        assert_eq!(possible(&opening, b"\xE2\x80"), [1]);
    }

    #[test]
    fn what_cannot_be_closed_is_given_up() {
        assert_eq!(possible(&[b"x", b"y"], "\"tea".as_bytes()), [0, 1]);
    }
}
