//! Bytes in base64 (RFC 4648): the form in which vectors travel, and signatures.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of `bytes`, with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let six = (bits >> (18 - 6 * index)) & 63;
            let is_written = index <= group.len();
            text.push(if is_written {
                ALPHABET[six as usize] as char
            } else {
                '='
            });
        }
    }
    text
}

/// The text of `bytes` that needs no care in a URL: another alphabet, and no padding.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    let text = encode(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_examples_of_the_standard() {
        let check = |bytes: &str, expected| assert_eq!(super::encode(bytes.as_bytes()), expected);
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foo", "Zm9v");
        check("foob", "Zm9vYg==");
        check("foobar", "Zm9vYmFy");
        assert_eq!(super::encode(&[0xfb, 0xff]), "+/8=");
        assert_eq!(super::encode_url(&[0xfb, 0xff]), "-_8");
    }
}
