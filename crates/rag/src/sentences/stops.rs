//! Whether a full stop, question mark or the like ends the sentence.

use super::abbreviations::{Stop, begins_sentences, stop_after};
use super::ahead::{Ahead, Undecided};
use super::blocks::is_hangul_enumerator;
use super::nesting::{Nesting, may_follow_stop};

/// The character can end a sentence.
pub(super) fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…') || is_wide(c)
}

/// One or more stops in a row, with the marks that close behind them.
pub(super) struct StopRun {
    /// Byte where the sentence begins.
    pub(super) sentence: usize,
    /// Byte of the first stop.
    pub(super) at: usize,
    /// Byte behind the last stop.
    pub(super) stops_end: usize,
    /// Byte behind the closing marks: where the sentence ends, if it ends.
    pub(super) end: usize,
}

impl StopRun {
    /// The run at byte `at` in the sentence that begins at byte `sentence`, as far as the
    /// text has come.
    pub(super) fn new(text: &str, sentence: usize, at: usize) -> Self {
        let behind = |from: usize, wanted: fn(char) -> bool| {
            let run = text[from..].chars().take_while(|&c| wanted(c));
            from + run.map(char::len_utf8).sum::<usize>()
        };
        let stops_end = behind(at, is_stop);
        let end = behind(stops_end, may_follow_stop);
        Self {
            sentence,
            at,
            stops_end,
            end,
        }
    }

    /// Whether the sentence ends behind this run.
    pub(super) fn ends_sentence(&self, ahead: Ahead, nesting: &Nesting) -> Result<bool, Undecided> {
        let Some(behind) = ahead.char_at(self.end)? else {
            return Ok(true);
        };
        if !self.nesting_behind(ahead, nesting).is_flat(self.end) {
            return Ok(false);
        }
        if !behind.is_whitespace() {
            return Ok(self.ends_without_space(ahead, behind));
        }
        match Next::after(ahead, self.end)? {
            Next::Paragraph => Ok(true),
            Next::Text { at, first } => self.ends_before(ahead, at, first),
        }
    }

    fn nesting_behind(&self, ahead: Ahead, nesting: &Nesting) -> Nesting {
        let mut nesting = nesting.clone();
        let closing = ahead.text[self.stops_end..self.end].char_indices();
        for (offset, c) in closing {
            nesting.take(c, self.stops_end + offset, Some('.'));
        }
        nesting
    }

    /// Text goes on without a space: "。" ends a sentence all the same, unless a quotation
    /// closes and its sentence goes on; so does a Korean "…다." before Hangul.
    fn ends_without_space(&self, ahead: Ahead, behind: char) -> bool {
        let stops = &ahead.text[self.at..self.stops_end];
        let closes = self.end > self.stops_end;
        if stops.chars().any(is_wide) {
            return !closes || !behind.is_alphanumeric();
        }
        let word = self.word_before(ahead);
        stops == "." && !closes && is_hangul(behind) && is_korean_ending(word)
    }

    /// Text goes on behind white space with `first` at byte `at`.
    fn ends_before(&self, ahead: Ahead, at: usize, first: char) -> Result<bool, Undecided> {
        let stops = &ahead.text[self.at..self.stops_end];
        if stops.chars().any(is_wide) {
            return Ok(true);
        }
        let closes = self.end > self.stops_end;
        if closes && goes_on_behind_quote(ahead, at)? {
            return Ok(false);
        }
        if stops.contains(['!', '?']) {
            return Ok(!closes || !first.is_lowercase());
        }
        let word = self.word_before(ahead);
        if first.is_lowercase() && !word.ends_with(is_hangul) {
            return Ok(false);
        }
        if stops != "." {
            let trails_off = word.ends_with(is_hangul) && is_hangul(first);
            return Ok(!trails_off || is_korean_ending(word));
        }
        self.full_stop_ends(ahead, word, at)
    }

    /// Whether a single full stop behind `word` ends the sentence, when text goes on at `at`.
    fn full_stop_ends(&self, ahead: Ahead, word: &str, at: usize) -> Result<bool, Undecided> {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            let begins_sentence = self.at - word.len() == self.sentence;
            let is_enumerator = begins_sentence && word.len() <= 3;
            return Ok(!is_enumerator && !self.is_inside_date(ahead, word, at)?);
        }
        if only_char(word).is_some_and(is_hangul_enumerator) {
            return Ok(false);
        }
        match stop_after(word) {
            Stop::Plain => Ok(true),
            Stop::Inside => Ok(false),
            Stop::InsideBeforeNumber => Ok(ahead.skip(at, |c| c.is_ascii_digit())? == at),
            Stop::InsideBeforeName => begins_new_sentence(ahead, at),
        }
    }

    /// The number `word` is part of a date in the Korean way: "2024. 3. 5. 시행".
    fn is_inside_date(&self, ahead: Ahead, word: &str, at: usize) -> Result<bool, Undecided> {
        let digits_end = ahead.skip(at, |c| c.is_ascii_digit())?;
        if matches!(digits_end - at, 1 | 2) && ahead.char_at(digits_end)? == Some('.') {
            return Ok(true);
        }
        let before_word = ahead.text[self.sentence..self.at - word.len()].trim_end();
        let number_before = before_word.strip_suffix('.').unwrap_or_default();
        Ok(number_before.ends_with(|c: char| c.is_ascii_digit()))
    }

    /// The word that ends at the stop, without the quotation mark or bracket before it.
    fn word_before<'a>(&self, ahead: Ahead<'a>) -> &'a str {
        let is_outside = |c: char| c.is_whitespace() || "\"'`([“‘「『（*_".contains(c);
        let sentence = &ahead.text[self.sentence..self.at];
        sentence.rsplit(is_outside).next().unwrap_or(sentence)
    }
}

/// The word at byte `at` begins a sentence even behind an abbreviation.
fn begins_new_sentence(ahead: Ahead, at: usize) -> Result<bool, Undecided> {
    let end = ahead.skip(at, |c| c.is_ascii_alphabetic())?;
    let word = &ahead.text[at..end];
    let is_latin = ahead.char_at(at)?.is_some_and(|c| c.is_ascii());
    Ok(!is_latin || begins_sentences(word))
}

/// The Korean at byte `at` belongs to the quotation before it: “…이다.” 라는 말.
fn goes_on_behind_quote(ahead: Ahead, at: usize) -> Result<bool, Undecided> {
    if !ahead.char_at(at)?.is_some_and(|c| "라이하".contains(c)) {
        return Ok(false);
    }
    let second = at + '라'.len_utf8();
    ahead.char_at(second)?;
    let rest = &ahead.text[at..];
    Ok([
        "라고", "라는", "라며", "라면", "이라", "하고", "하며", "하는",
    ]
    .iter()
    .any(|particle| rest.starts_with(particle)))
}

/// What follows the white space behind a stop.
enum Next {
    /// A new paragraph, or the end of the text.
    Paragraph,
    /// More text of the same paragraph.
    Text { at: usize, first: char },
}

impl Next {
    fn after(ahead: Ahead, end: usize) -> Result<Self, Undecided> {
        let mut line_breaks = 0;
        let mut at = end;
        loop {
            match ahead.char_at(at)? {
                None => return Ok(Next::Paragraph),
                Some('\n') if line_breaks == 1 => return Ok(Next::Paragraph),
                Some(c) if c.is_whitespace() => {
                    line_breaks += usize::from(c == '\n');
                    at += c.len_utf8();
                }
                Some(first) => return Ok(Next::Text { at, first }),
            }
        }
    }
}

/// The word ends the way Korean sentences end. A single syllable is rather an enumerator.
fn is_korean_ending(word: &str) -> bool {
    let mut back = word.chars().rev();
    let last = back.next();
    last.is_some_and(|c| "다요죠까".contains(c)) && back.next().is_some_and(is_hangul)
}

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

fn is_wide(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡')
}

fn only_char(word: &str) -> Option<char> {
    let mut chars = word.chars();
    chars.next().filter(|_| chars.next().is_none())
}
