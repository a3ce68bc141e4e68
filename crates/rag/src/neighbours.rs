//! Passages that follow one another in a document, put together again: what was cut apart for the
//! index is read and cited as one.

use retrieval::Passage;

use crate::sources::Source;

/// The sources, with those joined that follow one another under the same headings. A joined one
/// stands where the better of its parts stood.
pub(crate) fn joined(sources: impl IntoIterator<Item = Source>) -> Vec<Source> {
    let mut kept: Vec<Source> = Vec::new();
    for mut source in sources {
        let mut place = kept.len();
        let together = |one: &Source, other: &Source| {
            let passage = together(&one.passage, &other.passage)?;
            let score = one.score.max(other.score);
            let meaning = None;
            Some(Source {
                passage,
                score,
                meaning,
            })
        };
        // One that stands between two joins both.
        while let Some((at, whole)) = kept
            .iter()
            .enumerate()
            .find_map(|(at, other)| Some((at, together(other, &source)?)))
        {
            kept.remove(at);
            place = place.min(at);
            source = whole;
        }
        kept.insert(place, source);
    }
    kept
}

/// `None` unless they are of one section, and nothing but white space is between them.
fn together(one: &Passage, other: &Passage) -> Option<Passage> {
    let (first, second) = match one.start <= other.start {
        true => (one, other),
        false => (other, one),
    };
    let same_section = (&first.file_id, &first.title, &first.heading)
        == (&second.file_id, &second.title, &second.heading);
    let gap = match second.start.checked_sub(first.end) {
        None | Some(0) => "",
        Some(bytes) if bytes == first.gap.len() => &first.gap,
        Some(_) => return None,
    };
    if !same_section {
        return None;
    }
    if second.end <= first.end {
        return Some(first.clone());
    }
    // Where they overlap they say the same.
    let overlap = first.end.saturating_sub(second.start);
    let begun_between = begun_between(first, second);
    let breaks_behind = second.page_breaks.iter().filter(|at| **at > first.end);
    let breaks = first.page_breaks.iter().copied().chain(begun_between);
    Some(Passage {
        page_breaks: breaks.chain(breaks_behind.copied()).collect(),
        end: second.end,
        gap: second.gap.clone(),
        text: format!("{}{gap}{}", first.text, &second.text[overlap..]),
        ..first.clone()
    })
}

/// Pages that begin behind the text of the first and not behind that of the second, all at the
/// place where the second goes on.
fn begun_between(first: &Passage, second: &Passage) -> Vec<usize> {
    let at = second.start.max(first.end);
    let pages = |passage: &Passage, at| passage.page_at(at).unwrap_or(0);
    let begun = pages(second, at).saturating_sub(pages(first, first.end - 1));
    vec![at; begun as usize]
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    const TEXT: &str = "하나. 둘.\n\n셋. 넷. 다섯.";

    fn source(span: Range<usize>, gap: &str, score: f32) -> Source {
        let passage = Passage {
            file_id: "f".into(),
            filename: "f.txt".into(),
            title: String::new(),
            page: None,
            page_breaks: Vec::new(),
            heading: None,
            start: span.start,
            end: span.end,
            start_char: TEXT[..span.start].chars().count(),
            gap: gap.into(),
            text: TEXT[span].into(),
        };
        Source {
            passage,
            score,
            meaning: None,
        }
    }

    fn spans(sources: &[Source]) -> Vec<(usize, usize)> {
        let check = |Source { passage, .. }: &Source| {
            assert_eq!(passage.text, TEXT[passage.start..passage.end]);
            (passage.start, passage.end)
        };
        sources.iter().map(check).collect()
    }

    #[test]
    fn neighbours_are_one_in_the_place_of_the_better() {
        let (one, two, three) = (0..12, 14..23, 24..TEXT.len());
        let middle_last = [
            source(three.clone(), "", 0.9),
            source(one.clone(), "\n\n", 0.7),
            source(two.clone(), " ", 0.5),
        ];
        let whole = joined(middle_last.clone());
        assert_eq!(spans(&whole), [(0, TEXT.len())]);
        assert_eq!(whole[0].score, 0.9);
        let apart = joined(middle_last[..2].to_vec());
        assert_eq!(spans(&apart), [(24, TEXT.len()), (0, 12)]);
        let unknown_gap = joined([source(one.clone(), "", 0.7), source(two, " ", 0.5)]);
        assert_eq!(unknown_gap.len(), 2);
        let overlapping = joined([source(0..18, "", 0.1), source(14..23, " ", 0.2)]);
        assert_eq!(spans(&overlapping), [(0, 23)]);
        let contained = joined([source(0..18, "", 0.1), source(14..18, " ", 0.2)]);
        assert_eq!(spans(&contained), [(0, 18)]);
        let mut other_section = source(14..23, " ", 0.5);
        other_section.passage.heading = Some("B".into());
        assert_eq!(joined([source(one, "\n\n", 0.7), other_section]).len(), 2);
    }

    #[test]
    fn pages_stay_where_they_begin() {
        let mut first = source(0..12, "\n\n", 0.1);
        first.passage.page = Some(1);
        first.passage.page_breaks = vec![8];
        let mut second = source(14..23, " ", 0.1);
        second.passage.page = Some(4);
        second.passage.page_breaks = vec![19];
        let whole = &joined([second, first])[0].passage;
        let pages = [0, 8, 11, 14, 18, 19].map(|at| whole.page_at(at));
        assert_eq!(pages, [1, 2, 2, 4, 4, 5].map(Some));
    }
}
