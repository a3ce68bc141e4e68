//! What cannot be read says what it is, under a stable code.

use crate::check;

#[track_caller]
fn check_error(filename: &str, content: &[u8], code: &str, message: &str) {
    let error = check::error(filename, content);
    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

#[track_caller]
fn check_kind(content: &[u8], kind: &str) {
    let message = format!("this is {kind}, which this version does not read yet");
    check_error("innocent.txt", content, "unsupported_file", &message);
}

#[test]
fn known_kinds_are_named() {
    check_kind(b"%!PS-Adobe-3.0", "a PostScript document");
    check_kind(b"\x1F\x8B\x08\0\0\0\0\0", "a gzip archive");
    check_kind(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "a PNG image");
    check_kind(b"\0\0\0\x20ftypisom", "an MP4 or HEIF file");
}

#[test]
fn unknown_binary_data() {
    let noise: Vec<u8> = (0..4096u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let message = "this is binary data of an unknown kind, not text";
    check_error("a.txt", &noise, "unsupported_file", message);
    check_error("a.txt", &[0; 100], "unsupported_file", message);
    check_error(
        "a.md",
        b"\x01\x02\x03\xFFabcdef",
        "unsupported_file",
        message,
    );
}

#[test]
fn prose_that_begins_like_a_signature() {
    for prose in [
        "PK is short for Pyung Kang",
        "MZ세대는",
        "ID3 tags",
        "BZh is",
        "Rar! they cried",
    ] {
        assert_eq!(check::text("a.txt", prose), prose);
    }
}

#[test]
fn no_text() {
    let message = "the file holds no text";
    check_error("a.txt", b"", "invalid_file", message);
    check_error("a.pdf", b"", "invalid_file", message);
    check_error("a.txt", b"\xEF\xBB\xBF", "invalid_file", message);
    check_error(
        "a.md",
        " \n\t\n\u{3000}\u{200B}".as_bytes(),
        "invalid_file",
        message,
    );
    check_error(
        "a.html",
        b"<html><script>x</script><p> &nbsp; ",
        "invalid_file",
        message,
    );
    check_error("a.csv", b",,\n,,\n", "invalid_file", message);
    check_error("a.json", b"{}", "invalid_file", message);
    check_error("a.jsonl", b"\n\n", "invalid_file", message);
}
