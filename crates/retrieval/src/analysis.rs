//! Text to search terms, for every script at once.
//!
//! A text is normalised to small NFKC letters that remember their bytes in the original
//! ([`glyph`]), cut into runs of one kind of script ([`script`]), and each run is turned into terms
//! by the rules of its kind: [`word`] for scripts that put spaces between words, [`hangul`] for
//! Korean, [`ideograph`] for those that do not. One run yields several terms at one position, so
//! that a question may meet a passage in whichever form they share.

mod bound;
mod everyday;
mod glyph;
mod hangul;
mod ideograph;
mod language;
mod loanword;
mod register;
mod script;
mod word;

pub(crate) use language::Language;
pub use language::latin_language;

use glyph::{Glyph, glyphs};
use script::{Class, class};

/// Longer terms are noise (base64, minified code) and are left out.
const MAX_TERM_CHARS: usize = 64;

/// A term of a text: what the index compares, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The term as the index knows it.
    pub text: String,
    /// First byte in the analysed text.
    pub start: usize,
    /// One past the last byte in the analysed text.
    pub end: usize,
}

/// A term of a question, see [`Index::asked`](crate::Index::asked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is looked for, and the word that it stands for.
    pub term: Term,
    /// The passages say it otherwise than the question does: in the other script, or in the words
    /// of written texts.
    pub otherwise: bool,
}

/// What a term is of its run; a query weighs terms by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word that has one form only, in small letters.
    Word,
    /// A word as written, where a shorter form of it stands beside it.
    Surface,
    /// A Korean run with its particle or ending, where shorter forms of it stand beside it.
    Inflected,
    /// The stem of a word between spaces.
    Stem,
    /// A Korean run without its particle or ending, or a word of Han or kana: always beside pairs.
    Bare,
    /// Several words joined by punctuation or script: `snake_case`, `v1.2.3`, `제750조`.
    Compound,
    /// A part of a `CamelCase` word.
    Part,
    /// Two neighbouring characters of a run.
    Gram,
    /// Two neighbouring syllables of a Korean run that reach into its particle or ending.
    Ending,
    /// What a word sounds like in the other script, see [`loanword`].
    Sound,
    /// What written texts say instead of a spoken word, see [`register`].
    Written,
    /// Any form of a word that says nothing about the subject: `the`, `무엇인가요`.
    Everyday,
}

/// A term with its kind and the position of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) term: Term,
    pub(crate) kind: Kind,
    /// Counts runs from 0; the terms of one run share it.
    pub(crate) position: u32,
}

/// Analyses texts whose Latin words are stemmed by the given languages.
///
/// A passage is stemmed by its document's language. A query is stemmed by every language that the
/// index holds, since a few words are too little to tell a language by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Analyzer {
    pub(crate) latin: Vec<Language>,
    pub(crate) sounds: Sounds,
}

/// Whose loanwords are to meet whose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sounds {
    /// Nobody's.
    #[default]
    None,
    /// Those of a passage: each word in the name of its script.
    OfPassage,
    /// Those of a query: each word in the name of the other script, in which it would be found.
    OfQuery,
}

impl Analyzer {
    /// The terms of `text`, run after run; those of one run in no particular order.
    pub(crate) fn tokens(&self, text: &str) -> Vec<Token> {
        let glyphs = glyphs(text);
        let mut sink = Sink {
            sounds: self.sounds,
            ..Sink::default()
        };
        let mut at = 0;
        let mut compound_end = 0;
        while at < glyphs.len() {
            let class = class(glyphs[at].letter);
            let end = run_end(&glyphs, at, class);
            let run = &glyphs[at..end];
            match class {
                Class::Gap => {}
                Class::Hangul if bound::is_can(&glyphs, at, end) => {}
                Class::Word => word::terms(run, &self.latin, &mut sink),
                Class::Hangul => {
                    let behind = at.checked_sub(1).map(|before| glyphs[before].letter);
                    hangul::terms(run, behind, &mut sink);
                }
                Class::Ideograph | Class::Unspaced => ideograph::terms(run, class, &mut sink),
            }
            if class == Class::Word && at >= compound_end {
                compound_end = word::compound_end(&glyphs, at);
                let compound = &glyphs[at..compound_end];
                sink.push_form(word::compound_text(compound), compound, Kind::Compound);
            }
            if let Some(mixed) = hangul::mixed_run(&glyphs, at) {
                hangul::mixed_terms(mixed, &mut sink);
            }
            sink.close_run();
            at = end;
        }
        sink.tokens
    }
}

/// A text as phrases are compared: small NFKC letters, every stretch of white space one space.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for glyph in glyphs(text) {
        let is_space = glyph.letter.is_whitespace();
        if !is_space {
            folded.push(glyph.letter);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}

/// Collects the terms of one run after the other, each text once per run.
#[derive(Debug, Default)]
struct Sink {
    tokens: Vec<Token>,
    position: u32,
    run_start: usize,
    sounds: Sounds,
}

/// A script that words are borrowed from or into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoanScript {
    Latin,
    Hangul,
}

impl Sink {
    /// One of the terms that follow one another along a run.
    fn push(&mut self, glyphs: &[Glyph], kind: Kind) {
        self.push_text(text_of(glyphs), glyphs, kind);
    }

    /// One of the few forms of a whole run; only the first of equal forms is kept.
    fn push_form(&mut self, text: String, glyphs: &[Glyph], kind: Kind) {
        let same_run = &self.tokens[self.run_start..];
        if same_run.iter().all(|token| token.term.text != text) {
            self.push_text(text, glyphs, kind);
        }
    }

    /// What a word sounds like. No other term begins with these signs.
    fn push_sound(
        &mut self,
        sound: impl FnOnce() -> Option<String>,
        script: LoanScript,
        glyphs: &[Glyph],
    ) {
        let sign = match (self.sounds, script) {
            (Sounds::None, _) => return,
            (Sounds::OfPassage, LoanScript::Latin) | (Sounds::OfQuery, LoanScript::Hangul) => '=',
            (Sounds::OfPassage, LoanScript::Hangul) | (Sounds::OfQuery, LoanScript::Latin) => '~',
        };
        if let Some(sound) = sound() {
            self.push_form(format!("{sign}{sound}"), glyphs, Kind::Sound);
        }
    }

    fn push_text(&mut self, text: String, glyphs: &[Glyph], kind: Kind) {
        let (Some(first), Some(last)) = (glyphs.first(), glyphs.last()) else {
            return;
        };
        if text.is_empty() || glyphs.len() > MAX_TERM_CHARS {
            return;
        }
        let term = Term {
            text,
            start: first.start,
            end: last.end,
        };
        self.tokens.push(Token {
            term,
            kind,
            position: self.position,
        });
    }

    fn close_run(&mut self) {
        if self.tokens.len() > self.run_start {
            self.position += 1;
        }
        self.run_start = self.tokens.len();
    }
}

fn text_of(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.letter).collect()
}

fn run_end(glyphs: &[Glyph], start: usize, run_class: Class) -> usize {
    let run = glyphs[start..].iter();
    start
        + run
            .take_while(|glyph| class(glyph.letter) == run_class)
            .count()
}
