//! Large and hostile files take linear time and bounded memory.
//!
//! There is no stopwatch here: quadratic work on these inputs would take minutes.

use extract::{ExtractError, MAX_HEADINGS, MAX_TEXT_BYTES, MAX_TITLE_CHARS};

use crate::check;

#[track_caller]
fn check_too_large(filename: &str, content: &str) {
    let limit = MAX_TEXT_BYTES;
    assert_eq!(
        check::error(filename, content),
        ExtractError::TooLarge { limit }
    );
}

#[test]
fn text_is_bounded() {
    check_too_large("a.txt", &"x".repeat(MAX_TEXT_BYTES + 1));
    check_too_large(
        "a.csv",
        &format!("{},a\n{}", "n".repeat(1000), "1,2\n".repeat(300_000)),
    );
    check_too_large(
        "a.json",
        &format!("{{\"{}\":[{}0]}}", "k".repeat(100_000), "0,".repeat(1000)),
    );
}

#[test]
fn titles_and_headings_are_bounded() {
    let document = check::document("a.md", "# a\n".repeat(MAX_HEADINGS + 10));
    assert_eq!(document.headings.len(), MAX_HEADINGS);
    let document = check::document("a.html", format!("<h1>{}", "가 ".repeat(100_000)));
    let title = document.title.expect("the heading is the title");
    assert_eq!(title.trim_end().chars().count(), MAX_TITLE_CHARS - 1);
}

#[test]
fn long_lines_and_words() {
    for line in [
        "부산 ".repeat(60_000),
        "가나다라마바사".repeat(30_000),
        "a".repeat(600_000),
    ] {
        for filename in ["a.txt", "a.md", "a.html", "a.csv"] {
            assert_eq!(check::text(filename, &line).trim_end(), line.trim_end());
        }
    }
}

#[test]
fn deep_html() {
    for tag in [
        "div",
        "b",
        "ul><li",
        "table><tr><td",
        "h1",
        "pre",
        "main",
        "nav",
        "span hidden",
    ] {
        let page = format!("start{}deep", format!("<{tag}>").repeat(50_000));
        assert!(check::text("a.html", page).starts_with("start"), "{tag}");
    }
    let closed = format!("{}deep{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
    assert_eq!(check::text("a.html", closed), "deep");
}

#[test]
fn repetitive_markup() {
    for part in [
        "&",
        "<",
        "</",
        "<!--",
        "&#",
        "<a b=",
        "&notit",
        "<p>&#x300;",
        "<td>",
        "<h1>a",
        "<pre> ",
    ] {
        let page = format!("text {}", part.repeat(100_000));
        assert!(check::text("a.html", page).starts_with("text"), "{part}");
    }
    for part in [
        "[", "*a ", "> ", "![](", "`", "- ", "#", "<a ", "a\n=\n", "[a]: b\n", "|",
    ] {
        let source = format!("text {}", part.repeat(50_000));
        assert_eq!(check::text("a.md", &source), source);
    }
    for part in ["\"", "\"a\n", ",", ";,\t|", "\n", "a,\"\n"] {
        let table = format!("text,b\n{}", part.repeat(100_000));
        assert!(check::text("a.csv", table).starts_with("text"), "{part}");
    }
}
