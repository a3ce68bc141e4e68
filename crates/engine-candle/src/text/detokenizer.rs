//! Generated tokens to text, as a stream that never breaks a character.

use std::sync::Arc;

use engine::EngineError;
use unicode_segmentation::UnicodeSegmentation;

use super::Text;
use super::stop::StopStrings;

/// Turns one answer's tokens into text.
///
/// Text is held back while it may still change (the bytes of a Hangul syllable come in two
/// tokens, an emoji may go on after a joiner) or may be the beginning of a stop string.
pub(crate) struct Detokenizer {
    text: Arc<Text>,
    /// Tokens whose text depends on each other.
    window: Vec<u32>,
    /// Bytes of the window's text that were already taken.
    taken: usize,
    /// Tokens at the window's start whose text was taken.
    settled: usize,
    /// Text that is certain but may be part of an emoji or a stop string.
    held: String,
    stop: StopStrings,
}

/// What became certain with a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Text to send.
    pub(crate) text: String,
    /// A stop string came up; the text ends before it.
    pub(crate) stopped: bool,
}

/// A character has at most four bytes, so after this many tokens what comes before the last
/// character is certain, good or bad.
const MOST_UNSETTLED: usize = 4;

impl Detokenizer {
    /// Begins an answer that ends before any of the stop strings.
    pub(crate) fn new(text: Arc<Text>, stop: Vec<String>) -> Self {
        Self {
            text,
            window: Vec::new(),
            taken: 0,
            settled: 0,
            held: String::new(),
            stop: StopStrings::new(stop),
        }
    }

    /// Takes the next token.
    pub(crate) fn push(&mut self, token: u32) -> Result<Piece, EngineError> {
        // A special token adds no text. In the window it would stand where the context should,
        // and the blank before the next word be taken for one at the beginning.
        if self.text.tokenizer.bytes(token).is_empty() {
            return Ok(self.release(false));
        }
        self.window.push(token);
        let text = self.text.tokenizer.decode(&self.window)?;
        let uncertain = uncertain(&text);
        let unsettled = self.window.len() - self.settled;
        if uncertain == 0 || unsettled >= MOST_UNSETTLED {
            self.take(&text, uncertain)?;
        }
        Ok(self.release(false))
    }

    /// Takes a whole text in a token's place.
    pub(crate) fn say(&mut self, said: &str) -> Result<Piece, EngineError> {
        self.take_rest()?;
        self.held.push_str(said);
        self.window.clear();
        (self.taken, self.settled) = (0, 0);
        Ok(self.release(false))
    }

    /// Gives up waiting: everything that is left.
    pub(crate) fn finish(&mut self) -> Result<Piece, EngineError> {
        self.take_rest()?;
        Ok(self.release(true))
    }

    /// Moves all that is left of the window's text to `held`.
    fn take_rest(&mut self) -> Result<(), EngineError> {
        let text = self.text.tokenizer.decode(&self.window)?;
        self.held.push_str(text.get(self.taken..).unwrap_or(""));
        self.taken = text.len();
        Ok(())
    }

    /// Moves new text to `held`, all but the `uncertain` bytes at its end, and drops tokens from
    /// the window that no later token depends on.
    fn take(&mut self, text: &str, uncertain: usize) -> Result<(), EngineError> {
        let new = text.get(self.taken..text.len() - uncertain);
        self.held.push_str(new.unwrap_or(""));
        // The last tokens stay as context: a decoder may treat the first one differently, such
        // as dropping its leading blank.
        self.window.drain(..self.settled);
        self.settled = self.window.len();
        let context = self.text.tokenizer.decode(&self.window)?;
        self.taken = context.len().saturating_sub(uncertain);
        Ok(())
    }

    fn release(&mut self, all: bool) -> Piece {
        if let Some(at) = self.stop.find(&self.held) {
            let text = self.held[..at].to_owned();
            self.held.clear();
            let stopped = true;
            return Piece { text, stopped };
        }
        let keep = match all {
            true => 0,
            false => unfinished_emoji(&self.held).max(self.stop.beginning(&self.held)),
        };
        let rest = self.held.split_off(self.held.len() - keep);
        let text = std::mem::replace(&mut self.held, rest);
        let stopped = false;
        Piece { text, stopped }
    }
}

/// Bytes of a bad character at the end: the next token may make it a good one.
fn uncertain(text: &str) -> usize {
    match text.ends_with(char::REPLACEMENT_CHARACTER) {
        true => char::REPLACEMENT_CHARACTER.len_utf8(),
        false => 0,
    }
}

/// Bytes at the end that the next character may join.
fn unfinished_emoji(text: &str) -> usize {
    let joins = text.chars().next_back().is_some_and(may_be_joined);
    let last = text.graphemes(true).next_back();
    last.filter(|_| joins).map_or(0, str::len)
}

/// Emoji and what joins them; also the parts of decomposed Hangul syllables.
fn may_be_joined(character: char) -> bool {
    matches!(
        character,
        '\u{200D}' | '\u{FE0F}' | '\u{1100}'..='\u{11FF}' | '\u{2600}'..='\u{27BF}' | '\u{1F1E6}'..='\u{1FAFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{ChatTemplate, ModelTokenizer, SpecialTokens};

    fn bundled() -> Arc<Text> {
        let json = include_bytes!("../../../bundled/model/tokenizer.json");
        Arc::new(Text {
            tokenizer: ModelTokenizer::from_json(json).expect("the bundled tokenizer"),
            template: ChatTemplate::compile(None, SpecialTokens::default()).expect("it compiles"),
        })
    }

    /// The pieces as they would be sent.
    fn stream(text: &Arc<Text>, tokens: &[u32], stop: &[&str]) -> (Vec<String>, bool) {
        let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
        let mut detokenizer = Detokenizer::new(text.clone(), stop);
        let mut pieces = Vec::new();
        for token in tokens {
            let piece = detokenizer.push(*token).expect("it is decoded");
            pieces.push(piece.text);
            if piece.stopped {
                return (pieces, true);
            }
        }
        let last = detokenizer.finish().expect("it is decoded");
        pieces.push(last.text);
        (pieces, last.stopped)
    }

    #[test]
    fn pieces_never_split_a_character() {
        let bundled = bundled();
        for text in [
            "plain words, and numbers 123",
            "쀍퀧 뷁 한글 음절",
            "👨‍👩‍👧 family 🇰🇷 flag ❤️ heart 👍🏽",
            "한글",
            "\n\n  blanks\t漢字かな",
        ] {
            let tokens = bundled.content_tokens(text).expect("it is encoded");
            let (pieces, _) = stream(&bundled, &tokens, &[]);
            assert_eq!(pieces.concat(), text);
            let whole = text.graphemes(true).collect::<Vec<_>>();
            let parts = pieces.iter().flat_map(|piece| piece.graphemes(true));
            assert_eq!(parts.collect::<Vec<_>>(), whole, "{pieces:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_the_stream() {
        let bundled = bundled();
        let syllable = bundled.content_tokens("쀍").expect("it is encoded");
        let first_byte = syllable[0];
        let good = bundled.content_tokens(" fine").expect("it is encoded");
        let tokens = [vec![first_byte; 9], good].concat();
        let (pieces, _) = stream(&bundled, &tokens, &[]);
        assert!(pieces.concat().ends_with(" fine"), "{pieces:?}");
    }

    #[test]
    fn a_whole_text_comes_in_a_tokens_place() {
        let bundled = bundled();
        let mut detokenizer = Detokenizer::new(bundled.clone(), vec!["hot".into()]);
        for token in bundled.content_tokens("It says").expect("encoded") {
            detokenizer.push(token).expect("it is decoded");
        }
        let said = |piece: Piece| (piece.text, piece.stopped);
        let first = detokenizer.say(": tea is a drink.").expect("it is said");
        assert_eq!(said(first), (": tea is a drink.".into(), false));
        let second = detokenizer.say(" It is drunk hot or cold.");
        let second = second.expect("it is said");
        assert_eq!(said(second), (" It is drunk ".into(), true));
    }

    #[test]
    fn stop_strings_across_tokens_are_never_sent() {
        let bundled = bundled();
        let check = |text: &str, stop: &[&str], expected: &str, stops: bool| {
            let tokens = bundled.content_tokens(text).expect("it is encoded");
            let (pieces, stopped) = stream(&bundled, &tokens, stop);
            assert_eq!(
                (pieces.concat().as_str(), stopped),
                (expected, stops),
                "{pieces:?}"
            );
        };
        check("one two three", &["two"], "one ", true);
        check("one two three", &["e tw", "three"], "on", true);
        check("one two three", &["threes"], "one two three", false);
        check("끝이다. 아니다", &["다. 아"], "끝이", true);
        check("aab", &["ab"], "a", true);
    }
}
