//! A file is what its content says; its name decides where that leaves a choice.

use crate::check;

#[track_caller]
fn check_format(filename: &str, content: &str, expected: &str) {
    assert_eq!(check::document(filename, content).format.name(), expected);
}

#[test]
fn content_first_name_second() {
    check_format("notes.txt", "# not a heading", "text");
    check_format("notes.md", "# a heading", "markdown");
    check_format("NOTES.MD", "# a heading", "markdown");
    check_format("folder.md/notes", "plain", "text");
    check_format("page", "<!doctype html><p>text", "html");
    check_format("page.txt", " <!-- saved -->\n<HTML><p>text", "html");
    check_format(
        "page.md",
        "<?xml version='1.0'?><!DOCTYPE html><p>text",
        "html",
    );
    check_format("list.md", "<div>text in Markdown</div>", "markdown");
    check_format("upload", "<div>text</div>", "html");
    check_format("template.vue", "<div>text</div>", "text");
    check_format("upload", "{ \"a\": 1 }", "json");
    check_format("upload", "[1] see the notes", "text");
    check_format("main.rs", "fn main() {}", "text");
    check_format("report.pdf", "plain text after all", "text");
    check_format("data.tsv", "a\tb\n1\t2", "tsv");
    check_format("data.ndjson", "{\"a\":1}", "jsonl");
    check_format("", "no name", "text");
}

#[test]
fn only_markdown_is_markdown() {
    assert!(check::document("a.md", "text").markdown);
    assert!(!check::document("a.html", "text").markdown);
}

#[test]
fn no_two_formats_share_a_name_or_an_extension() {
    let mut names: Vec<&str> = extract::formats()
        .iter()
        .map(|format| format.name())
        .collect();
    let mut extensions: Vec<&str> = extract::formats()
        .iter()
        .flat_map(|format| format.extensions().iter().copied())
        .collect();
    for words in [&mut names, &mut extensions] {
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
