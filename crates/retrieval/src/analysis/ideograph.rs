//! Scripts without spaces: overlapping pairs, and the words that the script itself gives away.

use super::everyday::is_grammar;
use super::glyph::Glyph;
use super::script::{Class, is_han, is_katakana};
use super::{Kind, Sink};

/// Longer runs of Han are clauses, not words.
const MAX_HAN_WORD: usize = 4;

/// The terms of one run of Han and kana, or of an alphabet without spaces.
pub(super) fn terms(run: &[Glyph], class: Class, sink: &mut Sink) {
    if run.len() == 1 {
        sink.push(run, Kind::Word);
        return;
    }
    for pair in run.windows(2) {
        let everyday = class == Class::Ideograph && is_grammar(pair);
        sink.push(pair, if everyday { Kind::Everyday } else { Kind::Gram });
    }
    if class == Class::Ideograph {
        script_words(run, sink);
    }
}

/// A change of script is a word boundary in Japanese: 東京タワーへ holds 東京 and タワー.
fn script_words(run: &[Glyph], sink: &mut Sink) {
    let script = |glyph: &Glyph| (is_han(glyph.letter), is_katakana(glyph.letter));
    for word in run.chunk_by(|a, b| script(a) == script(b)) {
        match script(&word[0]) {
            (true, _) if (3..=MAX_HAN_WORD).contains(&word.len()) => sink.push(word, Kind::Bare),
            (_, true) if word.len() > 2 => sink.push(word, Kind::Bare),
            _ => {}
        }
    }
}
