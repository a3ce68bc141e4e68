//! Words between spaces: stems, compounds and the parts of identifiers.

use super::everyday::is_common;
use super::glyph::Glyph;
use super::language::{Language, stem};
use super::loanword;
use super::script::{Class, class};
use super::{Kind, LoanScript, MAX_TERM_CHARS, Sink, text_of};

/// The terms of one run of letters and digits: the word, its stems, its `CamelCase` parts.
pub(super) fn terms(run: &[Glyph], latin: &[Language], sink: &mut Sink) {
    if run.len() > MAX_TERM_CHARS {
        return;
    }
    let word = text_of(run);
    let stems = stems(&word, latin);
    if is_common(&word, latin) {
        for form in stems.into_iter().chain([word]) {
            sink.push_form(form, run, Kind::Everyday);
        }
        return;
    }
    let inflected = stems.iter().any(|stem| *stem != word);
    let kind = if inflected { Kind::Surface } else { Kind::Word };
    for form in stems.iter().chain([&word]) {
        sink.push_sound(|| loanword::of_latin(form), LoanScript::Latin, run);
    }
    sink.push_form(word, run, kind);
    for stem in stems {
        sink.push_form(stem, run, Kind::Stem);
    }
    part_terms(run, latin, sink);
}

fn part_terms(run: &[Glyph], latin: &[Language], sink: &mut Sink) {
    let parts: Vec<&[Glyph]> = run.chunk_by(|a, b| a.capital || !b.capital).collect();
    if parts.len() < 2 {
        return;
    }
    for part in parts {
        let text = text_of(part);
        sink.push_sound(|| loanword::of_latin(&text), LoanScript::Latin, part);
        for form in stems(&text, latin).into_iter().chain([text]) {
            sink.push_form(form, part, Kind::Part);
        }
    }
}

fn stems(word: &str, latin: &[Language]) -> Vec<String> {
    let languages = Language::of_word(word, latin).iter();
    languages.map(|language| stem(word, *language)).collect()
}

/// Where the compound that begins at `start` ends: words joined by single connectors, as in
/// `snake_case`, `std::fs::File`, `v1.2.3`, `src/main.rs`, `1,000`, and `c++`. For a plain word it
/// is the end of the word.
pub(super) fn compound_end(glyphs: &[Glyph], start: usize) -> usize {
    let mut end = word_end(glyphs, start);
    loop {
        let next = end + connector_len(glyphs, end);
        if next == end || !glyphs.get(next).is_some_and(is_word) {
            break;
        }
        end = word_end(glyphs, next);
    }
    end + sharp_or_plus_len(&glyphs[end..])
}

/// The compound as a term. Commas within numbers are only for reading: `1,000` is `1000`.
pub(super) fn compound_text(compound: &[Glyph]) -> String {
    let letters = compound.iter().map(|glyph| glyph.letter);
    letters.filter(|letter| *letter != ',').collect()
}

fn word_end(glyphs: &[Glyph], start: usize) -> usize {
    let rest = glyphs[start..].iter();
    start + rest.take_while(|glyph| is_word(glyph)).count()
}

fn is_word(glyph: &Glyph) -> bool {
    class(glyph.letter) == Class::Word
}

fn connector_len(glyphs: &[Glyph], at: usize) -> usize {
    let letter = |at: usize| glyphs.get(at).map(|glyph| glyph.letter);
    let digit = |at: usize| letter(at).is_some_and(|letter| letter.is_ascii_digit());
    match letter(at) {
        Some('_' | '-' | '.' | '/' | '@') => 1,
        Some(',') if digit(at - 1) && digit(at + 1) => 1,
        Some(':') if letter(at + 1) == Some(':') => 2,
        _ => 0,
    }
}

/// `c++` and `c#` are not `c`.
fn sharp_or_plus_len(rest: &[Glyph]) -> usize {
    let letter = |at: usize| rest.get(at).map(|glyph| glyph.letter);
    match (letter(0), letter(1)) {
        (Some('+'), Some('+')) => 2,
        (Some('#'), _) => 1,
        _ => 0,
    }
}
