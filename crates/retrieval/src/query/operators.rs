//! What people write into a search box beside words: quotes and minus signs.

/// A search text taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Operators {
    /// The words to look for, those in quotes among them.
    pub(super) text: String,
    pub(super) phrases: Vec<String>,
    pub(super) excluded: Vec<String>,
}

impl Operators {
    /// A quote that is never closed, and a minus sign that stands within a word or before a
    /// number, are only characters.
    pub(super) fn read(text: &str) -> Operators {
        let mut operators = Operators::default();
        let mut rest = text;
        let mut at_start = true;
        while let Some(letter) = rest.chars().next() {
            if let Some((phrase, behind)) = quoted(rest) {
                operators.keep(phrase);
                operators.phrases.extend(not_blank(phrase));
                rest = behind;
            } else if let Some((word, behind)) = excluded(rest).filter(|_| at_start) {
                operators.excluded.extend(not_blank(word));
                rest = behind;
            } else {
                operators.text.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
            at_start = letter.is_whitespace();
        }
        operators
    }

    fn keep(&mut self, phrase: &str) {
        self.text.push(' ');
        self.text.push_str(phrase);
        self.text.push(' ');
    }
}

fn not_blank(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// What the quotes that `text` begins with hold, and what stands behind them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix(['"', '“', '”'])?;
    let end = inner.find(['"', '“', '”'])?;
    let behind = &inner[end..];
    let quote_len = behind.chars().next().map_or(0, char::len_utf8);
    Some((&inner[..end], &behind[quote_len..]))
}

/// The word or quoted phrase that the minus sign at the start of `text` excludes.
fn excluded(text: &str) -> Option<(&str, &str)> {
    let word = text.strip_prefix('-')?;
    if let Some(found) = quoted(word) {
        return Some(found);
    }
    word.starts_with(char::is_alphabetic)
        .then(|| word.split_at(word.find(char::is_whitespace).unwrap_or(word.len())))
}

#[cfg(test)]
mod tests {
    use super::Operators;

    fn check(text: &str, words: &str, phrases: &[&str], excluded: &[&str]) {
        let read = Operators::read(text);
        let kept: Vec<&str> = read.text.split_whitespace().collect();
        assert_eq!(kept.join(" "), words, "{text:?}");
        assert_eq!(read.phrases, phrases, "{text:?}");
        assert_eq!(read.excluded, excluded, "{text:?}");
    }

    #[test]
    fn quotes_and_minus_signs_are_taken_out() {
        check("plain words", "plain words", &[], &[]);
        check("a \"b c\" d", "a b c d", &["b c"], &[]);
        check("“연차 휴가” 일수", "연차 휴가 일수", &["연차 휴가"], &[]);
        check("apple -pie", "apple", &[], &["pie"]);
        check("휴가 -\"출산 휴가\"", "휴가", &[], &["출산 휴가"]);
    }

    #[test]
    fn what_only_looks_like_an_operator_is_text() {
        check("well-known x - y", "well-known x - y", &[], &[]);
        check("at -40 degrees", "at -40 degrees", &[], &[]);
        check("cargo --release", "cargo --release", &[], &[]);
        check("5\" pipe", "5\" pipe", &[], &[]);
        check("\"\" x", "x", &[], &[]);
    }
}
