//! Tokens and the parts of a text that they stand for.

use std::ops::Range;

use super::controls::SENTINEL;

/// A text as a model reads it.
pub(crate) struct Ranged {
    pub(crate) text: String,
    pub(crate) ids: Vec<u32>,
    /// The bytes of the text that each token stands for, at boundaries of characters. Together
    /// they cover the text; tokens that are parts of one character share its range.
    pub(crate) ranges: Vec<Range<usize>>,
}

impl Ranged {
    /// With ranges as a tokenizer tells them.
    pub(super) fn new(text: String, ids: Vec<u32>, ranges: Vec<Range<usize>>) -> Self {
        let mut ranged = Self { text, ids, ranges };
        ranged.cover();
        ranged
    }

    /// White space that a tokenizer passes over belongs to the token behind it, and what is left
    /// at the end to the last one.
    fn cover(&mut self) {
        let (text, mut covered) = (&self.text, 0);
        for range in &mut self.ranges {
            let start = text.floor_char_boundary(range.start).min(covered);
            let end = text.ceil_char_boundary(range.end.min(text.len()));
            *range = start..end.max(start);
            covered = covered.max(end);
        }
        if let Some(last) = self.ranges.last_mut() {
            last.end = text.len();
        }
    }

    /// The same for the content that this text was made of, which may hold sentinels.
    pub(super) fn of_content(mut self, content: &str) -> Self {
        if content.contains(SENTINEL) {
            let characters = content.char_indices().filter(|(_, c)| *c != SENTINEL);
            let places = characters.flat_map(|(at, c)| at..at + c.len_utf8());
            let places = places.chain([content.len()]).collect::<Vec<_>>();
            for range in &mut self.ranges {
                *range = places[range.start]..places[range.end];
            }
            self.text = content.to_owned();
            self.cover();
        }
        self
    }

    /// The tokens of parts of the text, each looked for behind the one before it. One that is not
    /// found has none, and no token is in two.
    pub(crate) fn find<'a>(&self, parts: impl Iterator<Item = &'a str>) -> Vec<Range<usize>> {
        let (mut end, mut last_token) = (0, 0);
        let mut found = Vec::new();
        for part in parts {
            let part = part.replace(SENTINEL, "");
            let place = match part.is_empty() {
                true => None,
                false => self.text[end..].find(&part),
            };
            let Some(place) = place else {
                found.push(0..0);
                continue;
            };
            let start = end + place;
            end = start + part.len();
            let ends_by = |at: usize| move |range: &Range<usize>| range.end <= at;
            let first = last_token + self.ranges[last_token..].partition_point(ends_by(start));
            let begins_before = |range: &Range<usize>| range.start < end;
            last_token = first + self.ranges[first..].partition_point(begins_before);
            found.push(first..last_token);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Ranged {
        let mut end = 0;
        let ranges = text.split_inclusive(' ').map(|word| {
            let start = end;
            end += word.len();
            start..start + word.trim_end().len()
        });
        let ranges = ranges.collect::<Vec<_>>();
        Ranged::new(text.into(), vec![0; ranges.len()], ranges)
    }

    #[test]
    fn ranges_cover_the_text() {
        let ranged = words("one two  three ");
        assert_eq!(ranged.ranges, [0..3, 3..7, 7..8, 8..15]);
        // Two tokens that are each a part of 한.
        let parts = Ranged::new("a한".into(), vec![0; 3], vec![0..1, 1..3, 2..4]);
        assert_eq!(parts.ranges, [0..1, 1..4, 1..4]);
    }

    #[test]
    fn parts_are_found_in_their_order() {
        let ranged = words("a tea is a tea and a coffee");
        let check = |parts: &[&str], expected: &[Range<usize>]| {
            assert_eq!(ranged.find(parts.iter().copied()), expected, "{parts:?}");
        };
        check(&["a tea", "a tea", "a tea"], &[0..2, 3..5, 0..0]);
        check(&["tea and", "is", "a coffee"], &[4..6, 0..0, 6..8]);
        check(&["", "nd", "ee"], &[0..0, 5..6, 7..8]);
        check(&["te", "a is"], &[1..2, 2..3]);
    }

    #[test]
    fn places_in_content_count_its_sentinels() {
        let content = "a\u{FDD0}b c";
        let ranged = words("ab c").of_content(content);
        let pieces = ranged.ranges.iter().map(|range| &content[range.clone()]);
        assert_eq!(pieces.collect::<Vec<_>>(), ["a\u{FDD0}b", " c"]);
    }
}
