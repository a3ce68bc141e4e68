//! Containers that lie, and those that are not opened.

use extract::ExtractError;

use crate::archive::{docx, odf, zip};
use crate::check;

#[test]
fn bombs() {
    let zeros = vec![b'0'; 20 << 20];
    let bomb = zip(&[("word/document.xml", zeros.as_slice())]);
    assert!(bomb.len() < 100_000);
    let error = check::error("a.docx", bomb);
    assert!(matches!(error, ExtractError::Bomb { .. }), "{error}");
    assert_eq!(error.code(), "invalid_file");
}

#[test]
fn too_many_parts() {
    let names: Vec<String> = (0..10_001).map(|n| format!("word/{n}")).collect();
    let mut parts: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    parts.insert(0, ("content.xml", b"<a/>"));
    parts.insert(0, ("META-INF/manifest.xml", b"<a/>"));
    let error = check::error("a.odt", zip(&parts));
    assert!(error.to_string().contains("10000 are allowed"), "{error}");
}

#[test]
fn entities_are_nothing() {
    let bomb = include_bytes!("../data/entity-bomb.docx");
    let external = include_bytes!("../data/external-entity.docx");
    for file in [&bomb[..], external] {
        if let Ok(document) = extract::extract("a.docx", file) {
            assert!(document.text.len() < 100, "{}", document.text);
        }
    }
    let odt = odf("text", "<text:p>a&b;&#44032;&lt;</text:p>");
    assert_eq!(check::text("a.odt", odt), "a가<");
}

#[test]
fn names_that_climb_are_only_names() {
    let climbing = include_bytes!("../data/zip-slip.docx");
    assert!(extract::extract("a.docx", climbing).is_ok());
    assert!(!std::path::Path::new("/tmp/escaped.txt").exists());
}

#[test]
fn archives_stay_closed() {
    let archive = zip(&[("notes.txt", b"not to be read")]);
    let error = check::error("notes.zip", archive);
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "unsupported_file",
            "this is a ZIP archive, which this version does not read yet"
        )
    );
}

#[test]
fn damage_is_named() {
    let whole = docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>");
    let error = check::error("a.docx", &whole[..whole.len() / 2]);
    assert_eq!(
        error.to_string(),
        "this is not valid Office file or archive: it is cut off or damaged"
    );
}
