//! The languages that have a stemmer, and which of them a text is written in.

use frostem::{Algorithm, Stemmer};
use whichlang::{Lang, detect_language};

use super::everyday::{COMMON_WORDS, CommonWords};

/// So much of a document is looked at to tell its language.
const SAMPLE_WORDS: usize = 600;

/// Fewer letters than this tell nothing.
const MIN_LETTERS: usize = 24;

/// A language with a Snowball stemmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Language {
    Arabic,
    Danish,
    Dutch,
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
}

impl Language {
    /// Every language whose words are written in Latin letters.
    pub(crate) fn all_latin() -> impl Iterator<Item = Language> {
        COMMON_WORDS.iter().map(|entry| entry.language)
    }

    /// The term under which an index counts the passages of this language.
    pub(crate) fn code(self) -> &'static str {
        self.algorithm().name()
    }

    /// The language of the Latin words in a text: `None` for one without a stemmer (Vietnamese),
    /// English when there is nothing to go by, as for the English names in a Korean text.
    pub(crate) fn detect(text: &str) -> Option<Language> {
        let words = latin_words(text);
        let votes = |entry: &&CommonWords| count_votes(&words, entry.telling);
        // In running text every fifth word is one of these; one in twelve is plenty.
        match COMMON_WORDS.iter().rev().max_by_key(votes) {
            Some(best) if votes(&best) * 12 > words.len() => Some(best.language),
            _ => detect_by_letters(&words.join(" ")),
        }
    }

    /// Its two letters in ISO 639.
    fn iso(self) -> &'static str {
        match self {
            Language::Arabic => "ar",
            Language::Danish => "da",
            Language::Dutch => "nl",
            Language::English => "en",
            Language::Finnish => "fi",
            Language::French => "fr",
            Language::German => "de",
            Language::Greek => "el",
            Language::Hungarian => "hu",
            Language::Italian => "it",
            Language::Norwegian => "no",
            Language::Portuguese => "pt",
            Language::Romanian => "ro",
            Language::Russian => "ru",
            Language::Spanish => "es",
            Language::Swedish => "sv",
            Language::Tamil => "ta",
            Language::Turkish => "tr",
        }
    }

    /// The languages by which a word in small letters may be stemmed: its script decides, and for
    /// Latin letters the given ones.
    pub(super) fn of_word<'a>(word: &str, latin: &'a [Language]) -> &'a [Language] {
        match word.chars().find(|letter| letter.is_alphabetic()) {
            Some('a'..='z' | 'ß'..='ɏ' | 'ḁ'..='ỿ') => latin,
            Some('Ͱ'..='Ͽ' | 'ἀ'..='῿') => &[Language::Greek],
            Some('Ѐ'..='ӿ') => &[Language::Russian],
            Some('\u{600}'..='\u{6ff}') => &[Language::Arabic],
            Some('\u{b80}'..='\u{bff}') => &[Language::Tamil],
            _ => &[],
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Language::Arabic => Algorithm::Arabic,
            Language::Danish => Algorithm::Danish,
            Language::Dutch => Algorithm::Dutch,
            Language::English => Algorithm::English,
            Language::Finnish => Algorithm::Finnish,
            Language::French => Algorithm::French,
            Language::German => Algorithm::German,
            Language::Greek => Algorithm::Greek,
            Language::Hungarian => Algorithm::Hungarian,
            Language::Italian => Algorithm::Italian,
            Language::Norwegian => Algorithm::Norwegian,
            Language::Portuguese => Algorithm::Portuguese,
            Language::Romanian => Algorithm::Romanian,
            Language::Russian => Algorithm::Russian,
            Language::Spanish => Algorithm::Spanish,
            Language::Swedish => Algorithm::Swedish,
            Language::Tamil => Algorithm::Tamil,
            Language::Turkish => Algorithm::Turkish,
        }
    }
}

/// The language of a text in Latin letters, by its two letters in ISO 639: that of its most
/// frequent words, or else by its letters, and English where neither tells.
pub fn latin_language(text: &str) -> &'static str {
    // What has no stemmer and is told apart all the same.
    Language::detect(text).map_or("vi", Language::iso)
}

/// The stem of a word in small letters. A word that holds a digit is a name and has none.
pub(super) fn stem(word: &str, language: Language) -> String {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    Stemmer::new(language.algorithm()).stem(word).into_owned()
}

fn latin_words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphabetic())
        .filter(|word| {
            word.starts_with(|letter| matches!(letter, 'A'..='Z' | 'a'..='z' | 'À'..='ỿ'))
        })
        .take(SAMPLE_WORDS)
        .map(str::to_lowercase)
        .collect()
}

fn count_votes(words: &[String], telling: &[&str]) -> usize {
    let is_vote = |word: &&String| telling.contains(&word.as_str());
    words.iter().filter(is_vote).count()
}

fn detect_by_letters(text: &str) -> Option<Language> {
    if text.chars().count() < MIN_LETTERS {
        return Some(Language::English);
    }
    match detect_language(text) {
        Lang::Deu => Some(Language::German),
        Lang::Fra => Some(Language::French),
        Lang::Ita => Some(Language::Italian),
        Lang::Nld => Some(Language::Dutch),
        Lang::Por => Some(Language::Portuguese),
        Lang::Spa => Some(Language::Spanish),
        Lang::Swe => Some(Language::Swedish),
        Lang::Tur => Some(Language::Turkish),
        Lang::Vie => None,
        _ => Some(Language::English),
    }
}
