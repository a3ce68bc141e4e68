//! The 수 of 할 수 있다, which means «can». With a particle it is spelt like other nouns: 읽을 수도
//! 있다 is «may also read», while 수도 alone is a capital or the tap.

use super::glyph::Glyph;

/// 수 with the particles that may follow it there.
const FORMS: &[&str] = &["수도", "수는", "수가", "수만", "수조차", "수밖에"];

/// The number of ㄹ among the finals of a syllable (The Unicode Standard, section 3.12).
const RIEUL: u32 = 8;

/// Whether the run `glyphs[start..end]` is it: behind a verb, which ends in ㄹ, and before 있다 or 없다.
pub(super) fn is_can(glyphs: &[Glyph], start: usize, end: usize) -> bool {
    let letter = |at: usize| glyphs.get(at).map(|glyph| glyph.letter);
    let is_space = |at: usize| letter(at).is_some_and(char::is_whitespace);
    let run = glyphs[start..end].iter().map(|glyph| glyph.letter);
    let is_form = |form: &&str| form.chars().eq(run.clone());
    let verb = start.checked_sub(2).and_then(letter);
    FORMS.iter().any(is_form)
        && verb.is_some_and(ends_in_rieul)
        && is_space(start - 1)
        && is_space(end)
        && matches!(letter(end + 1), Some('있' | '없'))
}

fn ends_in_rieul(syllable: char) -> bool {
    matches!(syllable, '가'..='힣') && (u32::from(syllable) - u32::from('가')) % 28 == RIEUL
}
