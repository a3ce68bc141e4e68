//! Bytes to text: which encoding a file is in.
//!
//! The order matters. A byte order mark is proof; UTF-16 is tried before UTF-8 because ASCII in
//! UTF-16 is valid UTF-8 full of NULs; valid UTF-8 is never anything else; UTF-8 with a few
//! damaged bytes must not be taken for a legacy encoding; only then is there a guess to make.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

use crate::utf16;

/// Bytes looked at where a sample is enough to judge the whole.
pub(crate) const SAMPLE_BYTES: usize = 64 << 10;

/// Bytes of legacy text shown to the detector.
const DETECT_BYTES: usize = 1 << 20;

/// How far into a page its declared encoding is looked for (HTML Living Standard, 13.2.3.2).
const DECLARATION_BYTES: usize = 1024;

/// The text of the bytes, or `None` when they are not text.
///
/// Damaged places become U+FFFD. The result is not canonical yet.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return Some(decode_as(encoding, &bytes[length..]));
    }
    if let Some(encoding) = utf16::detect(bytes) {
        return Some(decode_as(encoding, bytes));
    }
    if is_binary(bytes) {
        return None;
    }
    if is_utf8_with_damage(bytes) {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    let encoding = declared(bytes).unwrap_or_else(|| guess(bytes));
    Some(decode_as(encoding, bytes))
}

/// Whether the bytes are UTF-8 up to their cut end.
pub(crate) fn is_utf8_prefix(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let (text, _had_errors) = encoding.decode_without_bom_handling(bytes);
    text.into_owned()
}

/// Whether control characters are too frequent for text: a tenth of compressed or compiled data
/// is, while text has next to none. Valid UTF-8 gets more patience: stray NULs are removed.
fn is_binary(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    let controls = sample.iter().filter(|byte| is_control(byte)).count();
    let allowed_percent = if is_utf8_prefix(sample) { 30 } else { 5 };
    controls * 100 > sample.len() * allowed_percent
}

/// Whether the bytes are UTF-8, or were before a few of them were damaged.
///
/// In legacy encodings of two bytes a character, sequences that happen to be UTF-8 are far
/// rarer than ones that are not; in damaged UTF-8 it is the other way round.
fn is_utf8_with_damage(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk
            .valid()
            .bytes()
            .filter(|byte| !byte.is_ascii())
            .count();
        bad += chunk.invalid().len();
    }
    good >= bad * 4
}

/// The encoding that an HTML or XML file says it is in, if it says so near its start.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    if head.trim_ascii_start().first() != Some(&b'<') {
        return None;
    }
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = ["charset=", "encoding="]
        .iter()
        .find_map(|key| head.split_once(key).map(|(_, value)| value))?;
    let ends_label = |c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c);
    let label = value
        .trim_start_matches(['"', '\''])
        .split(ends_label)
        .next()?;
    // A page that were UTF-8 would have been taken as such already.
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| *encoding != UTF_8 && encoding.is_ascii_compatible())
}

/// The likeliest legacy encoding, judged from where the first byte beyond ASCII stands.
///
/// The detector knows EUC-KR with its CP949 extension, which encoding_rs decodes as one.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let start = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let sample = &bytes[start..bytes.len().min(start + DETECT_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, start + sample.len() == bytes.len());
    detector.guess(None, Utf8Detection::Deny)
}
