//! Documents cut into passages.

use std::ops::Range;

use retrieval::{Heading, Passage, PassageSettings, SourceDocument};

use crate::{count_words, cut, passages};

fn heading(text: &str, line: &str, level: u8) -> Heading {
    let start = text.find(line).expect("the heading is in the text");
    Heading {
        level,
        start,
        title: line.trim_start_matches('#').trim().to_owned(),
    }
}

/// A document without structure but for its pages.
fn plain<'a>(text: &'a str, pages: &'a [Range<usize>]) -> SourceDocument<'a> {
    SourceDocument {
        file_id: "a",
        filename: "a",
        title: "",
        text,
        headings: &[],
        pages,
        markdown: false,
    }
}

/// What must hold for every passage.
fn check(text: &str, passages: &[Passage], max_tokens: usize) {
    for passage in passages {
        let span = &text[passage.start..passage.end];
        assert_eq!(passage.text, span, "a passage is a span of its document");
        assert_eq!(span, span.trim(), "passages are trimmed");
        assert!(!span.is_empty(), "no passage is empty");
        assert!(
            count_words(span) <= max_tokens,
            "{} words in {span:?}",
            count_words(span)
        );
        assert_eq!(passage.start_char, text[..passage.start].chars().count());
    }
    assert!(passages.is_sorted_by_key(|passage| passage.start));
}

#[test]
fn passages_carry_the_headings_above_them() {
    let text = "# Clay\n\nClay is dug in the hills and left to age for years.\n\n## Glaze\n\nGlaze melts at high heat and seals the pot.\n\n# 가마\n\n가마는 이틀 동안 식힌다.";
    let headings = [
        heading(text, "# Clay", 1),
        heading(text, "## Glaze", 2),
        heading(text, "# 가마", 1),
    ];
    let passages = cut("a.md", text, &headings, 13);
    check(text, &passages, 13);
    let paths: Vec<_> = passages
        .iter()
        .map(|passage| passage.heading.as_deref().unwrap_or(""))
        .collect();
    assert_eq!(paths, ["Clay", "Clay > Glaze", "가마"]);
}

#[test]
fn rows_of_a_long_table_carry_its_columns() {
    let rows: String = (0..12)
        .map(|n| format!("| pot {n} | {n}0 cm |\n"))
        .collect();
    let text = format!("# Kiln\n\n| Name | Height |\n| --- | --- |\n{rows}\nThat was all.\n");
    let passages = cut("a.md", &text, &[heading(&text, "# Kiln", 1)], 24);
    check(&text, &passages, 24);
    assert!(passages.len() > 3, "{passages:?}");
    for passage in &passages {
        let is_row = passage.text.starts_with("| pot");
        let expected = if is_row {
            "Kiln > Name | Height"
        } else {
            "Kiln"
        };
        assert_eq!(passage.heading.as_deref(), Some(expected), "{passage:?}");
    }
}

#[test]
fn nothing_is_lost_at_any_budget() {
    let text = "어텐션은 🙂 관련이 큰 단어를 본다. ".repeat(40)
        + "\n\n- 하나\n- 둘\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nlet x = 1;\n```\n";
    for max_tokens in [1, 2, 7, 30, 1000] {
        let passages = passages("a.md", &text, max_tokens);
        check(&text, &passages, max_tokens);
        let kept: usize = passages
            .iter()
            .map(|passage| count_words(&passage.text))
            .sum();
        assert_eq!(kept, count_words(&text), "at {max_tokens}");
    }
}

#[test]
fn long_runs_without_a_break_are_cut() {
    let count_chars = |text: &str| text.chars().count();
    let text = "가".repeat(5000);
    let document = plain(&text, &[]);
    let settings = PassageSettings {
        max_tokens: 64,
        overlap_tokens: 0,
        count_tokens: &count_chars,
    };
    let passages = retrieval::split(&document, &settings);
    assert!(
        passages
            .iter()
            .all(|passage| passage.text.chars().count() <= 64)
    );
    assert_eq!(
        passages
            .iter()
            .map(|passage| passage.text.chars().count())
            .sum::<usize>(),
        5000
    );
}

#[test]
fn an_endless_word_takes_linear_time() {
    // There is no stopwatch here: the square of this would take minutes.
    let text = "a".repeat(4_000_000);
    let settings = PassageSettings {
        max_tokens: 1000,
        overlap_tokens: 0,
        count_tokens: &str::len,
    };
    let passages = retrieval::split(&plain(&text, &[]), &settings);
    assert_eq!(
        passages.iter().map(|p| p.text.len()).sum::<usize>(),
        4_000_000
    );
}

#[test]
fn overlapping_passages_share_words_and_keep_exact_places() {
    let text = (0..100)
        .map(|n| format!("낱말{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    let document = plain(&text, &[]);
    let settings = PassageSettings {
        max_tokens: 10,
        overlap_tokens: 3,
        count_tokens: &count_words,
    };
    let passages = retrieval::split(&document, &settings);
    check(&text, &passages, 10);
    assert!(
        passages.windows(2).all(|pair| pair[1].start < pair[0].end),
        "neighbours overlap"
    );
}

#[test]
fn passages_know_their_page() {
    let text = "first page\n\nsecond page\n\nthird page";
    let pages = [0..12, 12..25, 25..text.len()];
    let document = SourceDocument {
        file_id: "a",
        filename: "a.pdf",
        title: "",
        text,
        headings: &[],
        pages: &pages,
        markdown: false,
    };
    let settings = PassageSettings {
        max_tokens: 2,
        overlap_tokens: 0,
        count_tokens: &count_words,
    };
    let passages = retrieval::split(&document, &settings);
    let found: Vec<_> = passages
        .iter()
        .map(|passage| (passage.page, passage.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Some(1), "first page"),
            (Some(2), "second page"),
            (Some(3), "third page")
        ]
    );
}

#[test]
fn a_passage_over_several_pages_knows_where_each_begins() {
    let text = "first page\n\nthird page\n\nfourth page";
    // The second page is empty.
    let pages = [0..12, 12..12, 12..24, 24..text.len()];
    let settings = PassageSettings {
        max_tokens: 100,
        overlap_tokens: 0,
        count_tokens: &count_words,
    };
    let passages = retrieval::split(&plain(text, &pages), &settings);
    let page_of = |words| passages[0].page_at(text.find(words).expect("it is there"));
    let found = ["first", "page", "third", "fourth"].map(page_of);
    assert_eq!(found, [Some(1), Some(1), Some(3), Some(4)]);
    let without = retrieval::split(&plain(text, &[]), &settings);
    assert_eq!(without[0].page_at(20), None);
    // A page that begins late leaves what stands before it without one.
    let late = retrieval::split(&plain(text, &pages[3..]), &settings);
    assert_eq!([0, 24].map(|at| late[0].page_at(at)), [None, Some(1)]);
}

#[test]
fn a_heading_alone_is_no_passage() {
    let text = "# Title\n\n## Empty\n\n## Full\n\nSome words stand here.";
    let headings = [
        heading(text, "# Title", 1),
        heading(text, "## Empty", 2),
        heading(text, "## Full", 2),
    ];
    for max_tokens in [6, 200] {
        let passages = cut("a.md", text, &headings, max_tokens);
        check(text, &passages, max_tokens);
        assert!(
            passages
                .iter()
                .all(|passage| passage.text.contains("Some words")),
            "{passages:?}"
        );
    }
    assert!(passages("a.md", "", 10).is_empty());
}
