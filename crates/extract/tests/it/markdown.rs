//! Markdown keeps its source; headings and title are found in it.

use crate::check;

#[track_caller]
fn check_headings(content: &str, expected: &[&str]) {
    let document = check::document("a.md", content);
    assert_eq!(document.text, content);
    assert_eq!(check::headings(&document), expected);
}

#[test]
fn headings() {
    check_headings(
        "# 제1장\n\ntext\n\n## 제1조 (목적)\n",
        &["1 제1장", "2 제1조 (목적)"],
    );
    check_headings("   ## closed ##  \n", &["2 closed"]);
    check_headings("Title\n=====\n\nSection\n---\n", &["1 Title", "2 Section"]);
    check_headings("two\nlines\n===\n", &["1 two lines"]);
    check_headings("## *a* `b` [c](d) <i>e</i> &amp;\n", &["2 a b c e &"]);
    check_headings("## title {#anchor}\n", &["2 title"]);
    check_headings("####### seven\n\n#none\n\n#\n", &[]);
}

#[test]
fn what_is_not_a_heading() {
    check_headings("```sh\n# comment\n```\n\n# real\n", &["1 real"]);
    check_headings("~~~\n# a\n```\n# b\n~~~\n# real\n", &["1 real"]);
    check_headings("text\n\n    # indented code\n", &[]);
    check_headings("<!--\n# comment\n-->\n\n# real\n", &["1 real"]);
    check_headings("> # quoted\n\n- # listed\n\n# real\n", &["1 real"]);
}

#[track_caller]
fn check_title(content: &str, expected: Option<&str>) {
    assert_eq!(check::document("a.md", content).title.as_deref(), expected);
}

#[test]
fn titles() {
    check_title(
        "---\ntitle: \"From: front matter\"\nx: y\n---\n# Heading\n",
        Some("From: front matter"),
    );
    check_title("+++\ntitle = 'TOML'\n+++\ntext", Some("TOML"));
    check_title("---\nother: x\n---\n\n## Heading\n", Some("Heading"));
    check_title("---\ntitle: never closed\n", None);
    check_title("just text", None);
    check_headings("---\ntitle: t\n---\n# Heading\n", &["1 Heading"]);
}
