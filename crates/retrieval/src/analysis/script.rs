//! Kinds of script, as far as finding words is concerned.

use unicode_normalization::char::is_combining_mark;

/// How the words of a script are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// No letter: space, punctuation, symbols, emoji.
    Gap,
    /// Letters and digits of scripts that put spaces between words.
    Word,
    /// Korean: spaces, but particles and endings grow onto the words.
    Hangul,
    /// Han and kana: no spaces, and every character carries much.
    Ideograph,
    /// Thai, Lao, Khmer, Burmese: no spaces, and an alphabet.
    Unspaced,
}

/// The class of a normalised letter.
pub(super) fn class(letter: char) -> Class {
    match letter {
        'a'..='z' | '0'..='9' => Class::Word,
        '\0'..='\u{7f}' => Class::Gap,
        '가'..='힣'
        | '\u{1100}'..='\u{11ff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{d7b0}'..='\u{d7ff}' => Class::Hangul,
        _ if is_han(letter) || is_kana(letter) => Class::Ideograph,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => {
            if letter.is_alphanumeric() || is_combining_mark(letter) {
                Class::Unspaced
            } else {
                Class::Gap
            }
        }
        _ if letter.is_alphanumeric() || is_combining_mark(letter) => Class::Word,
        _ => Class::Gap,
    }
}

/// Chinese characters, with the marks that repeat one.
pub(super) fn is_han(letter: char) -> bool {
    matches!(letter, '々' | '〆' | '〇' | '㐀'..='䶿' | '一'..='鿿' | '豈'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Katakana with its long-vowel mark.
pub(super) fn is_katakana(letter: char) -> bool {
    matches!(letter, 'ァ'..='ヺ' | 'ー' | '\u{31f0}'..='\u{31ff}')
}

fn is_kana(letter: char) -> bool {
    is_katakana(letter) || matches!(letter, 'ぁ'..='ゖ' | 'ゝ' | 'ゞ' | 'ヽ' | 'ヾ')
}
