//! PDF: text in reading order, page by page.

use extract::ExtractError;

use crate::check;

#[test]
fn korean_fonts_that_are_not_embedded() {
    let document = check::document("a.bin", include_bytes!("../data/law-cid.pdf"));
    assert_eq!(document.format.name(), "pdf");
    assert!(document.text.contains("근로시간"), "{}", document.text);
    assert!(!document.pages.is_empty());
    assert_eq!(
        document.pages.last().map(|page| page.end),
        Some(document.text.len())
    );
}

#[test]
fn a_page_of_columns_and_tables() {
    let pdf = include_bytes!("../data/movie-theater-booking-2024.pdf");
    let document = check::document("a.pdf", pdf);
    assert_eq!(document.pages.len(), 1);
    assert!(document.text.contains("BOOKING"), "{}", document.text);
}

#[test]
fn a_password() {
    let error = check::error("a.pdf", include_bytes!("../data/encrypted.pdf"));
    assert_eq!(error, ExtractError::Protected);
}

#[test]
fn what_is_left_of_a_file() {
    let whole = include_bytes!("../data/law-cid.pdf");
    for length in [5, 100, 1000, 3000] {
        // Whatever can still be read is, the rest says why not.
        if let Err(error) = extract::extract("a.pdf", &whole[..length]) {
            assert_eq!(error.code(), "invalid_file", "{length}: {error}");
        }
    }
}
