//! What a token of a vocabulary is in bytes.
//!
//! A vocabulary spells tokens in its own letters: byte-level ones write each byte as a printable
//! character, SentencePiece writes blanks as `▁` and single bytes as `<0x0A>`.

use tokenizers::DecoderWrapper;

/// The bytes of an ordinary token that is `spelt` like this in the vocabulary of a tokenizer with
/// this decoder.
pub(super) fn token_bytes(spelt: &str, decoder: Option<&DecoderWrapper>) -> Vec<u8> {
    if decoder.is_some_and(is_byte_level) {
        return spelt.chars().flat_map(spelt_byte).collect();
    }
    match single_byte(spelt) {
        Some(byte) => vec![byte],
        None => spelt.replace('▁', " ").into_bytes(),
    }
}

fn is_byte_level(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteLevel(_) => true,
        DecoderWrapper::Sequence(parts) => parts.get_decoders().iter().any(is_byte_level),
        _ => false,
    }
}

/// GPT-2's letters for bytes: printable ones of Latin-1 stand for themselves, and the other 68
/// are counted from U+0100 on. A letter outside of these stands for itself.
fn spelt_byte(letter: char) -> Vec<u8> {
    let byte = match u32::from(letter) {
        code @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => code,
        code @ 0x100..=0x120 => code - 0x100,
        code @ 0x121..=0x142 => code - 0x121 + 0x7F,
        0x143 => 0xAD,
        _ => return letter.to_string().into_bytes(),
    };
    vec![byte as u8]
}

fn single_byte(spelt: &str) -> Option<u8> {
    let digits = spelt.strip_prefix("<0x")?.strip_suffix('>')?;
    let two_digits = digits.len() == 2 && !digits.starts_with('+');
    two_digits.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use tokenizers::decoders::byte_level::ByteLevel;

    use super::*;

    #[test]
    fn tokens_are_bytes() {
        let byte_level = DecoderWrapper::ByteLevel(ByteLevel::default());
        let check = |spelt: &str, decoder: Option<&DecoderWrapper>, expected: &[u8]| {
            assert_eq!(token_bytes(spelt, decoder), expected, "{spelt}");
        };
        check("Ġtea", Some(&byte_level), b" tea");
        check("Ċ", Some(&byte_level), b"\n");
        check("ìĦľ", Some(&byte_level), "서".as_bytes());
        check("ł", Some(&byte_level), b"\xA0");
        check("Ń", Some(&byte_level), b"\xAD");
        check("▁tea", None, b" tea");
        check("<0xEA>", None, b"\xEA");
        check("<0x+A>", None, b"<0x+A>");
    }
}
