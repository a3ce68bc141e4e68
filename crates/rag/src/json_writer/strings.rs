//! The strings that are values in a JSON text, and where their characters stand in it.

use std::ops::Range;

/// A string that is not the name of a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StringValue {
    /// What it says.
    pub(super) text: String,
    /// For each byte of `text`, and for its end, where it comes from in the JSON.
    origins: Vec<usize>,
}

impl StringValue {
    /// The bytes of the JSON that `span` of the text comes from.
    pub(super) fn place(&self, span: &Range<usize>) -> Range<usize> {
        self.origins[span.start]..self.origins[span.end]
    }
}

/// The strings that are values in `json`, which may break off, but for a string that is cut.
pub(super) fn string_values(json: &str) -> Vec<StringValue> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(quote) = json[at..].find('"') {
        let Some((value, end)) = read_string(json, at + quote + 1) else {
            break;
        };
        at = end;
        let is_name = json[at..].trim_start().starts_with(':');
        if !is_name {
            values.push(value);
        }
    }
    values
}

/// The string that begins at `start`, behind its quotation mark, and where it ends, behind the
/// other one; `None` if it never does.
fn read_string(json: &str, start: usize) -> Option<(StringValue, usize)> {
    let (mut text, mut origins) = (String::new(), Vec::new());
    let mut at = start;
    loop {
        let rest = &json[at..];
        let (character, length) = match rest.chars().next()? {
            '"' => {
                origins.push(at);
                return Some((StringValue { text, origins }, at + 1));
            }
            '\\' => escaped(rest)?,
            plain => (plain, plain.len_utf8()),
        };
        text.push(character);
        origins.resize(text.len(), at);
        at += length;
    }
}

/// The character that an escape at the beginning of `text` stands for, and the bytes it takes.
fn escaped(text: &str) -> Option<(char, usize)> {
    let character = match text.chars().nth(1)? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{C}',
        'u' => return unicode(text),
        same => return Some((same, 1 + same.len_utf8())),
    };
    Some((character, 2))
}

/// `\u00e9`, or the two escapes of a surrogate pair.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u32::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let first = unit(0)?;
    let is_pair = (0xD800..0xDC00).contains(&first) && text[6..].starts_with("\\u");
    if let Some(second) = unit(6).filter(|_| is_pair) {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
        return Some((
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            12,
        ));
    }
    Some((
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        6,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_with_their_places() {
        let check = |json: &str, expected: &[(&str, &str)]| {
            let values = string_values(json);
            let found = values.iter().map(|value| {
                let place = value.place(&(0..value.text.len()));
                (value.text.as_str(), &json[place])
            });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{json}");
        };
        check(r#"{"name": "차", "n": 3}"#, &[("차", "차")]);
        check(
            r#"{"a" : ["x\ny", "\u00e9\ud83c\udf75\"!"]}"#,
            &[("x\ny", r"x\ny"), ("é🍵\"!", r#"\u00e9\ud83c\udf75\"!"#)],
        );
        check(r#"{"a": "whole", "b": "cut"#, &[("whole", "whole")]);
        check(r#"{"a": "\ud83"#, &[]);
        check(
            r#"["\ud83c no pair"]"#,
            &[("\u{FFFD} no pair", r"\ud83c no pair")],
        );
        check("{}", &[]);
    }
}
