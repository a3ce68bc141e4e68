//! EPUB and RTF.

use crate::check;

#[test]
fn chapters_in_order() {
    let document = check::document("a.zip", include_bytes!("../data/test.epub"));
    assert_eq!(document.format.name(), "epub");
    assert_eq!(document.title.as_deref(), Some("Test EPUB Document"));
    assert_eq!(
        check::headings(&document),
        ["1 Chapter 1: Test Content", "1 Chapter 2: More Content"]
    );
    assert!(document.text.ends_with("This is a blockquote for testing."));
}

#[track_caller]
fn check_rtf(body: &str, expected: &str) {
    let file = format!("{{\\rtf1\\ansi\\ansicpg949\\deff0{body}}}");
    assert_eq!(check::text("a.bin", file), expected);
}

#[test]
fn rich_text() {
    check_rtf("one\\par two\\line three\\tab x", "one\n\ntwo\n\nthree\tx");
    check_rtf("a\n\\b b\\b0  c\\~d", "ab c d");
    check_rtf("\\'b0\\'a1\\'b3\\'aa", "가나");
    check_rtf("\\uc1\\u44032?\\u45208?!", "가나!");
    check_rtf("\\uc2\\u44032\\'b0\\'a1{\\uc0\\u45208}x", "가나x");
    check_rtf("\\u-10179?\\u-8704?", "😀");
    check_rtf(
        "{\\fonttbl{\\f0 Gulim;}{\\f1\\fcharset204 X;}}\\f1\\'e4\\'e0",
        "да",
    );
    check_rtf(
        "{\\*\\unknown x}{\\info{\\title t}}{\\v hidden}{\\pict ffd8}y",
        "y",
    );
    check_rtf("a\\cell b\\cell\\row c", "a | b |\n\nc");
    check_rtf("{\\pict\\bin3 }}}}z", "z");
    check_rtf("\\{\\}\\\\", "{}\\");
}

#[test]
fn rich_text_without_bounds() {
    let deep = format!("{{\\rtf1 {}", "{".repeat(100_000));
    assert_eq!(check::error("a.rtf", deep), extract::ExtractError::TooDeep);
    check_rtf("a}}}}}}b", "ab");
}
