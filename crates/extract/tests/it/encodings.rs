//! Any encoding comes out as the same canonical text.

use crate::check;

const TWO_SENTENCES: &str =
    "연락처 안내\n\n담당자는 김하늘이고 근무지는 부산입니다. 내선 번호는 4821번입니다.\n";

#[track_caller]
fn check_file(bytes: &[u8]) {
    assert_eq!(check::text("note.txt", bytes), TWO_SENTENCES);
}

#[test]
fn files_in_old_and_odd_encodings() {
    check_file(include_bytes!("../data/utf8-bom.txt"));
    check_file(include_bytes!("../data/utf16le-bom.txt"));
    check_file(include_bytes!("../data/utf16be-nobom.txt"));
    check_file(include_bytes!("../data/euc-kr.txt"));
    check_file(include_bytes!("../data/nfd.txt"));
    check_file(include_bytes!("../data/nul-bytes.txt"));
    check_file(include_bytes!("../data/crlf.txt"));
}

#[test]
fn cp949_letters_beyond_euc_kr() {
    let text = check::text("note.txt", include_bytes!("../data/cp949.txt"));
    assert_eq!(text, format!("{TWO_SENTENCES}똠방각하 펲시콜라 햏햏\n"));
}

#[test]
fn damaged_utf8_stays_utf8() {
    let text = check::text("note.txt", include_bytes!("../data/invalid-utf8.txt"));
    assert!(
        text.starts_with("연락처 안내\n\n담당자는 김하늘\u{FFFD}"),
        "{text}"
    );
    assert!(
        text.contains("(이고 근무지는 부산입니다. 내선 번호는 4821번입니다."),
        "{text}"
    );
}

#[track_caller]
fn check_bytes(bytes: &[u8], expected: &str) {
    assert_eq!(check::text("note.txt", bytes), expected);
}

#[test]
fn legacy_encodings_are_guessed() {
    check_bytes(
        b"Le caf\xE9 est ferm\xE9 \xE0 cause de la f\xEAte; o\xF9 \xEAtes-vous all\xE9s?",
        "Le café est fermé à cause de la fête; où êtes-vous allés?",
    );
    check_bytes(
        b"\xCC\xEE\xF1\xEA\xE2\xE0 \x97 \xF1\xF2\xEE\xEB\xE8\xF6\xE0 \xD0\xEE\xF1\xF1\xE8\xE8.",
        "Москва — столица России.",
    );
    check_bytes(
        b"\xB1\xB1\xBE\xA9\xCA\xC7\xD6\xD0\xBB\xAA\xC8\xCB\xC3\xF1\xB9\xB2\xBA\xCD\xB9\xFA\xB5\xC4\xCA\xD7\xB6\xBC\xA1\xA3",
        "北京是中华人民共和国的首都。",
    );
    check_bytes(
        b"\xC5\xEC\xB5\xFE\xA4\xCF\xC6\xFC\xCB\xDC\xA4\xCE\xBC\xF3\xC5\xD4\xA4\xC7\xA4\xA2\xA4\xEB\xA1\xA3",
        "東京は日本の首都である。",
    );
    check_bytes(
        b"\x8D\xB2\x93\xA1\x91\xBE\x98Y\x82\xCD\x93\x8C\x8B\x9E\x82\xC9\x8FZ\x82\xF1\x82\xC5\x82\xA2\x82\xE9\x81B",
        "佐藤太郎は東京に住んでいる。",
    );
}

#[test]
fn utf16_without_a_mark() {
    let little = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let big = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect::<Vec<_>>()
    };
    for text in [
        "plain English text in sixteen bits",
        "한국어 문장입니다.",
        "日本語の文章です。 二行目\n",
        "Смешанный text",
    ] {
        check_bytes(&little(text), text);
        check_bytes(&big(text), text);
    }
}

#[test]
fn text_that_resembles_utf16_is_not_taken_for_it() {
    check_bytes(b"Bush hid the facts", "Bush hid the facts");
    check_bytes(b"ab\0\nabab", "ab\nabab");
    check_bytes(b"\xB0\xA1\xB3\xAA\xB4\xD9\xB6\xF3", "가나다라");
}

#[test]
fn html_says_its_encoding() {
    let page = b"<html><meta charset='windows-1253'><p>\xE1\xE2</p>";
    assert_eq!(check::text("page.html", page), "αβ");
}

#[test]
fn newlines_become_one_kind() {
    check_bytes(b"a\r\nb\rc\nd\x0Ce", "a\nb\nc\nd\ne");
    check_bytes("a\u{2028}b\u{2029}c\u{85}d".as_bytes(), "a\nb\nc\nd");
}

#[test]
fn invisible_characters_are_removed() {
    check_bytes("a\u{200B}b\u{FEFF}c\u{AD}d\u{2060}e".as_bytes(), "abcde");
    check_bytes("\u{202E}abc\u{202C} \u{2066}d\u{2069}".as_bytes(), "abc d");
    check_bytes("x\u{E0049}\u{E0047}\u{E007F}y".as_bytes(), "xy");
    check_bytes("x\u{FE0F}\u{E0101}y".as_bytes(), "xy");
    check_bytes(b"a\x07b\x1B[1mc\ttab", "ab[1mc\ttab");
}

#[test]
fn joiners_stay_where_they_are_part_of_the_spelling() {
    let kept = |text: &str| check_bytes(text.as_bytes(), text);
    kept("می\u{200C}خواهم");
    kept("क्\u{200D}ष और क्\u{200C}ष");
    kept("ന്\u{200D}"); // at the end of a word
    kept("👩\u{200D}👩\u{200D}👧 👩🏽\u{200D}🚀");
    check_bytes("❤\u{FE0F}\u{200D}🔥".as_bytes(), "❤\u{200D}🔥");
    let removed = |text: &str| {
        let plain = text.replace(['\u{200C}', '\u{200D}'], "");
        check_bytes(text.as_bytes(), &plain);
    };
    removed("pass\u{200C}word");
    removed("비\u{200D}밀\u{200C}번호");
    removed("秘\u{200D}密");
    removed("\u{200D}a\u{200C} \u{200D}b\u{200C}");
    removed("👩\u{200C}👧 👩\u{200D} a\u{200D}👧");
    removed("می\u{200C}a \u{200C}می");
    // One is spelling, more are not.
    check_bytes(
        "می\u{200D}\u{200C}\u{200C}خواهم".as_bytes(),
        "می\u{200C}خواهم",
    );
    // Marks are counted across joiners.
    let flood = format!("क{}", "\u{200D}\u{0902}".repeat(100));
    assert!(check::text("note.txt", &flood).chars().count() < 20);
}

#[test]
fn stacked_marks_are_cut_short() {
    let text = check::text("note.txt", include_bytes!("../data/zalgo-bidi.txt"));
    assert!(text.starts_with("김하늘 담당 부산 é"), "{text}");
    assert!(text.chars().count() < 40, "{text}");
}

#[test]
fn canonical_text_stays_as_it_is() {
    for bytes in [
        &include_bytes!("../data/zalgo-bidi.txt")[..],
        include_bytes!("../data/nfd.txt"),
        include_bytes!("../data/invalid-utf8.txt"),
        include_bytes!("../data/cp949.txt"),
    ] {
        let once = check::text("note.txt", bytes);
        assert_eq!(check::text("note.txt", &once), once);
    }
}
