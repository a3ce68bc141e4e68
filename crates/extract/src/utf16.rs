//! UTF-16 without a byte order mark.
//!
//! Windows programs still write it. Read in the right byte order, a text consists of characters
//! that texts are made of, and its spaces and line ends are ASCII, so that NUL bytes stand on
//! one side; read in the wrong order it falls all over Unicode.

use encoding_rs::{EUC_KR, Encoding, UTF_16BE, UTF_16LE};

use crate::decode::{SAMPLE_BYTES, is_utf8_prefix};

/// The byte order of UTF-16 text, or `None` when the bytes are something else.
pub(crate) fn detect(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let little = Census::take(sample, u16::from_le_bytes);
    let big = Census::take(sample, u16::from_be_bytes);
    let (census, encoding) = if little.evidence() >= big.evidence() {
        (little, UTF_16LE)
    } else {
        (big, UTF_16BE)
    };
    census.is_text(sample).then_some(encoding)
}

/// How many code units of a sample are what, in one byte order.
#[derive(Default)]
struct Census {
    units: usize,
    ascii: usize,
    alphabetic: usize,
    hangul: usize,
    wide: usize,
}

impl Census {
    fn take(sample: &[u8], unit: fn([u8; 2]) -> u16) -> Self {
        let mut census = Self::default();
        for pair in sample.chunks_exact(2) {
            census.units += 1;
            match unit([pair[0], pair[1]]) {
                0x09 | 0x0A | 0x0D | 0x20..=0x7E => census.ascii += 1,
                0x1100..=0x11FF | 0xAC00..=0xD7A3 => census.hangul += 1,
                // Latin, Greek and Cyrillic letters.
                0xA0..=0x52F => census.alphabetic += 1,
                // Punctuation, kana, Han, full-width forms.
                0x2010..=0x203F | 0x3000..=0x30FF | 0x3400..=0x9FFF | 0xFF01..=0xFFEE => {
                    census.wide += 1;
                }
                _ => {}
            }
        }
        census
    }

    /// What tells the two byte orders apart. Han does not: nearly half of all byte pairs are Han.
    fn evidence(&self) -> usize {
        self.ascii * 2 + self.alphabetic + self.hangul
    }

    fn is_text(&self, sample: &[u8]) -> bool {
        let known = self.ascii + self.alphabetic + self.hangul + self.wide;
        if self.units == 0 || known * 100 < self.units * 97 {
            return false;
        }
        if self.ascii == 0 {
            // Pairs of EUC-KR bytes look like Hangul too, and are the likelier of the two.
            return self.hangul == self.units && EUC_KR.decode(sample).2;
        }
        // Any two ASCII bytes look like Han: in valid UTF-8 a stray NUL is not evidence enough.
        (self.ascii + self.alphabetic) * 2 >= self.units || !is_utf8_prefix(sample)
    }
}
