//! Korean: particles and endings grow onto the words, so a run is searched whole, without them, and
//! in overlapping pairs of syllables.

use super::everyday::is_korean_grammar;
use super::glyph::Glyph;
use super::loanword;
use super::register;
use super::script::{Class, class};
use super::{Kind, LoanScript, Sink, Sounds, text_of};

/// Longer runs of mixed script are not names such as `제750조` or `T셔츠`.
const MAX_MIXED: usize = 24;

/// At most this many endings are taken off one after the other: 학교에서는, 학교에서, 학교.
const MAX_STRIPPED: usize = 2;

/// Particles after nouns, and what 하다, 되다 and 이다 become. Stripped when two syllables remain.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    // Particles.
    "은", "는", "이", "가", "을", "를", "의", "에", "로", "와", "과", "도", "만", "나", "란", "며", "들",
    "에서", "에게", "에게서", "께서", "한테", "으로", "으로서", "으로써", "로서", "로써", "부터", "까지", "마다",
    "마저", "조차", "밖에", "처럼", "보다", "만큼", "대로", "하고", "이나", "이란", "이라", "라고", "이라고",
    "라는", "이라는", "라면", "이라면",
    // The copula.
    "인", "일", "이다", "이며", "이고", "이면", "이자", "이던", "인데", "인지", "인가", "인가요", "입니다", "입니까",
    "이에요", "예요", "이었다", "였다", "이었던", "이었으며", "이어야", "일까", "일까요", "이지만", "지만",
    // 하다.
    "하다", "한다", "하는", "하여", "하며", "하면", "하지", "하기", "하게", "하던", "한", "할", "함", "해", "해서",
    "해야", "해도", "했다", "했던", "했고", "했으며", "하자", "하는지", "하려면", "하려고", "하면서", "하도록",
    "하여야", "하였다", "하였던", "하였고", "하였으며", "합니다", "합니까", "했습니다", "하세요", "하나요",
    "할까요", "한다고", "한다면", "했는가", "하는가", "했나요", "했나", "하나",
    // 되다, 시키다.
    "되다", "된다", "되는", "되어", "되고", "되며", "되면", "되지", "되기", "된", "될", "됨", "돼", "됐다", "되었다",
    "되었던", "되었고", "되었으며", "됩니다", "되나요", "되는지", "되어야", "됐나요", "되었나", "시키는", "시킨",
    "시킬", "시켜", "시키고",
    // Verbs and adjectives in general.
    "다", "고", "지", "게", "기", "면", "서", "던", "자", "어", "아", "음", "으면", "으며", "는데", "는지", "는가",
    "나요", "려면", "으려면", "면서", "으면서", "도록", "어서", "아서", "어야", "아야", "어요", "아요", "지요",
    "네요", "습니다", "습니까", "었다", "았다", "었던", "았던", "었고", "았고", "었으며", "았으며", "었습니다",
    "았습니다", "었는가", "았는가", "었나", "았나", "었나요", "았나요", "는다", "는다면", "을까", "을까요", "지만",
];

/// Particles that are rarely the end of a noun; a single syllable may remain before them: 책은.
const SURE_PARTICLES: &[&str] = &[
    "은", "는", "을", "를", "의", "에", "로", "도", "만", "과", "와",
];

/// The terms of one run of Hangul, `behind` a letter of another script or a gap.
pub(super) fn terms(run: &[Glyph], behind: Option<char>, sink: &mut Sink) {
    let syllables = text_of(run);
    let joined = behind.is_some_and(char::is_alphabetic);
    let grammar = is_korean_grammar(&syllables) || (joined && is_all_ending(&syllables));
    let kind = |kind: Kind| if grammar { Kind::Everyday } else { kind };
    let stems = stem_lens(&syllables);
    if !grammar {
        let stem = &run[..stems.last().copied().unwrap_or(run.len())];
        sink.push_sound(|| loanword::of_hangul(stem), LoanScript::Hangul, run);
        if sink.sounds == Sounds::OfQuery {
            for form in stems.iter().map(|len| &run[..*len]).chain([run]) {
                sink.push_sound(|| loanword::of_hangul(form), LoanScript::Hangul, run);
            }
        }
    }
    if sink.sounds == Sounds::OfQuery {
        for written in register::written(&syllables) {
            sink.push_form(written.to_owned(), run, Kind::Written);
        }
    }
    sink.push_form(text_of(run), run, kind(whole_kind(run.len(), &stems)));
    for len in &stems {
        let bare = if *len > 2 { Kind::Bare } else { Kind::Word };
        sink.push_form(text_of(&run[..*len]), &run[..*len], kind(bare));
    }
    // A pair that is already the word or its stem would count twice.
    let first = usize::from(run.len() == 2 || stems.contains(&2));
    let stem_len = stems.last().copied().unwrap_or(run.len());
    for (at, pair) in run.windows(2).enumerate().skip(first) {
        let within_stem = at + 2 <= stem_len;
        let pair_kind = if within_stem {
            Kind::Gram
        } else {
            Kind::Ending
        };
        sink.push(pair, kind(pair_kind));
    }
}

/// Whether a run is nothing but what grows onto a word: the 에서는 of `React에서는`.
fn is_all_ending(run: &str) -> bool {
    let is_ending = |part: &str| ENDINGS.contains(&part) || SURE_PARTICLES.contains(&part);
    let cuts = run.char_indices().skip(1).map(|(at, _)| run.split_at(at));
    is_ending(run)
        || cuts
            .into_iter()
            .any(|(one, other)| is_ending(one) && is_ending(other))
}

fn whole_kind(len: usize, stems: &[usize]) -> Kind {
    match len {
        0..=2 => Kind::Word,
        _ if stems.is_empty() => Kind::Bare,
        _ => Kind::Inflected,
    }
}

/// The run of Hangul together with Latin letters or digits that begins at `start`, if one does.
pub(super) fn mixed_run(glyphs: &[Glyph], start: usize) -> Option<&[Glyph]> {
    let joins = |glyph: &&Glyph| matches!(class(glyph.letter), Class::Hangul | Class::Word);
    if start > 0 && joins(&&glyphs[start - 1]) {
        return None;
    }
    let rest = glyphs[start..].iter();
    let len = rest.take(MAX_MIXED + 1).take_while(joins).count();
    let run = &glyphs[start..start + len];
    (len <= MAX_MIXED && is_mixed(run)).then_some(run)
}

/// A mixed run as a whole and without its particle, as long as it stays mixed: 제750조는, 제750조.
pub(super) fn mixed_terms(run: &[Glyph], sink: &mut Sink) {
    let text = text_of(run);
    let stem_lens = stem_lens(&text);
    sink.push_form(text, run, Kind::Compound);
    for len in stem_lens {
        let stem = &run[..len];
        if is_mixed(stem) {
            sink.push_form(text_of(stem), stem, Kind::Compound);
        }
    }
}

fn is_mixed(run: &[Glyph]) -> bool {
    run.windows(2)
        .any(|pair| class(pair[0].letter) != class(pair[1].letter))
}

/// How many syllables remain when the longest ending is taken off, and again from what remains.
fn stem_lens(word: &str) -> Vec<usize> {
    let mut lens = Vec::new();
    let mut rest = word;
    for _ in 0..MAX_STRIPPED {
        let Some(stem) = without_ending(rest) else {
            break;
        };
        lens.push(stem.chars().count());
        rest = stem;
    }
    lens
}

fn without_ending(word: &str) -> Option<&str> {
    let long = |stem: &&str| stem.chars().nth(1).is_some();
    let stems = ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending));
    let shortest = stems.filter(long).min_by_key(|stem| stem.len());
    let sure = || {
        SURE_PARTICLES
            .iter()
            .find_map(|particle| word.strip_suffix(particle))
    };
    shortest.or_else(|| sure().filter(|stem| !stem.is_empty()))
}
