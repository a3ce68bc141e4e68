//! JSON becomes lines that carry the path to their value.

use crate::check;

#[track_caller]
fn check_text(filename: &str, json: &str, expected: &str) {
    assert_eq!(check::text(filename, json).trim_end(), expected);
}

#[test]
fn values_carry_their_path() {
    check_text(
        "a.json",
        r#"{"a":{"b":["x",2]},"c":null}"#,
        "a.b[0]: x\na.b[1]: 2\nc: null",
    );
    check_text(
        "a.json",
        r#"[{"이름":"김"},{"이름":"이"}]"#,
        "[0].이름: 김\n\n[1].이름: 이",
    );
    check_text(
        "a.json",
        r#"{"a":[{"b":1},{"b":2}]}"#,
        "a[0].b: 1\n\na[1].b: 2",
    );
    check_text(
        "a.json",
        r#"{"a":1.5,"b":-3,"c":true,"d":""}"#,
        "a: 1.5\nb: -3\nc: true\nd: \"\"",
    );
    check_text("a.json", "\"text\"", "text");
    check_text("a.json", "{\"a\":1}\n{\"a\":2}", "a: 1\n\na: 2");
    check_text("a.json", r#"{"a":"x\u200b\u0000y\r\nz"}"#, "a: xy\nz");
    check_text(
        "a.json",
        r#"{"\u1100\u1161":"\u1112\u1161\u11ab"}"#,
        "가: 한",
    );
}

#[test]
fn each_line_is_a_block() {
    check_text(
        "a.jsonl",
        "{\"a\":1,\"b\":2}\n\n{\"a\":3}\n",
        "a: 1\nb: 2\n\na: 3",
    );
}

#[track_caller]
fn check_error(filename: &str, json: &str, expected: &str) {
    let error = check::error(filename, json);
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("invalid_file", expected)
    );
}

#[test]
fn errors_say_where() {
    check_error(
        "a.json",
        "{\"a\":\n}",
        "this is not valid JSON: expected value at line 2 column 1",
    );
    check_error(
        "a.json",
        "{\"a\":1} x",
        "this is not valid JSON: expected value at line 1 column 9",
    );
    check_error(
        "a.jsonl",
        "{\"a\":1}\n\n{\"a\":}\n",
        "this is not valid JSON Lines: expected value at line 3 column 6",
    );
    check_error(
        "a.jsonl",
        "1 2\n",
        "this is not valid JSON Lines: trailing characters at line 1 column 3",
    );
    check_error(
        "a.json",
        &"[".repeat(100_000),
        "this is not valid JSON: recursion limit exceeded at line 1 column 128",
    );
}
