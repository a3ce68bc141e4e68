//! English words that are written with a full stop which does not end the sentence.

/// What a full stop behind a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The sentence goes on.
    Inside,
    /// The sentence goes on when a number follows, as in "No. 5".
    InsideBeforeNumber,
    /// The sentence goes on unless the next word is one that commonly begins a sentence, as in
    /// "the U.S. Army" and "in the U.S. The army".
    InsideBeforeName,
    /// The word says nothing about it.
    Plain,
}

/// What a full stop behind `word` means.
pub(super) fn stop_after(word: &str) -> Stop {
    if is_initialism(word) {
        return Stop::InsideBeforeName;
    }
    let lower = word.to_ascii_lowercase();
    let lower = lower.as_str();
    if INSIDE.contains(&lower) {
        Stop::Inside
    } else if BEFORE_NUMBER.contains(&lower) {
        Stop::InsideBeforeNumber
    } else if BEFORE_NAME.contains(&lower) {
        Stop::InsideBeforeName
    } else {
        Stop::Plain
    }
}

/// The word commonly begins a sentence and is no part of a name.
pub(super) fn begins_sentences(word: &str) -> bool {
    STARTERS.contains(&word)
}

/// "J", "U.S", "Ph.D", "a.m": one or two letters at a time with full stops between.
fn is_initialism(word: &str) -> bool {
    let is_short = |part: &str| {
        matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_initial = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    is_initial || (word.contains('.') && word.split('.').all(is_short))
}

const INSIDE: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "gen", "sen", "rep", "rev", "hon", "capt", "lt", "col", "sgt",
    "gov", "st", "mt", "ft", "e.g", "i.e", "cf", "vs", "viz", "ca", "approx",
];

const BEFORE_NUMBER: &[&str] = &[
    "no", "nos", "fig", "figs", "vol", "vols", "p", "pp", "eq", "eqs", "sec", "ch", "art", "tab",
    "ver", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];

const BEFORE_NAME: &[&str] = &[
    "inc", "ltd", "co", "corp", "jr", "sr", "al", "etc", "dept", "univ", "bros",
];

const STARTERS: &[&str] = &[
    "A", "After", "All", "Although", "An", "And", "As", "At", "Because", "But", "By", "During",
    "Each", "For", "From", "He", "Her", "His", "How", "However", "I", "If", "In", "It", "Its",
    "Many", "Most", "No", "On", "One", "Our", "She", "Since", "So", "Some", "Such", "That", "The",
    "Their", "Then", "There", "These", "They", "This", "Those", "To", "Under", "We", "What",
    "When", "Where", "Which", "While", "Who", "With", "You",
];
