//! The zero-width joiner and non-joiner: where they belong to the spelling.
//!
//! Between two letters of Persian or of an Indic script they choose between forms and can make
//! another word; between two emoji they make one picture of them. Everywhere else they show
//! nothing, and only hide words from search or text from a reader. (UAX #31, 2.3, allows them in
//! identifiers in the same places.)

/// U+200C and U+200D.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER)
}

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';

/// Whether a joiner means something behind the text `before` and in front of `after`.
pub(crate) fn joins(before: &str, joiner: char, mut after: impl Iterator<Item = char>) -> bool {
    let Some(last) = before.chars().next_back() else {
        return false;
    };
    // It also shapes what stands at the end of a word, behind the sign that mutes a vowel.
    if is_virama(last) {
        return true;
    }
    let Some(next) = after.find(|c| !is_variation_selector(*c)) else {
        return false;
    };
    let in_script = joining_script(last).is_some() && joining_script(last) == joining_script(next);
    in_script || joiner == JOINER && is_pictograph(last) && is_pictograph(next)
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}')
}

/// The first character of the block of a script whose letters joiners shape: Arabic (Persian,
/// Urdu, Kurdish, ...), Syriac, N'Ko, the scripts of India from Devanagari to Sinhala, Myanmar,
/// Mongolian, Khmer.
fn joining_script(c: char) -> Option<char> {
    const BLOCK: u32 = 0x80;
    match c {
        '\u{0600}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08FF}' => {
            Some('\u{0600}')
        }
        '\u{0700}'..='\u{074F}' => Some('\u{0700}'),
        '\u{07C0}'..='\u{07FF}' => Some('\u{07C0}'),
        '\u{0900}'..='\u{0DFF}' => char::from_u32(u32::from(c) / BLOCK * BLOCK),
        '\u{1000}'..='\u{109F}' => Some('\u{1000}'),
        '\u{1780}'..='\u{17FF}' => Some('\u{1780}'),
        '\u{1800}'..='\u{18AF}' => Some('\u{1800}'),
        _ => None,
    }
}

/// Signs that mute the vowel of the letter before them.
fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{094D}'
            | '\u{09CD}'
            | '\u{0A4D}'
            | '\u{0ACD}'
            | '\u{0B4D}'
            | '\u{0BCD}'
            | '\u{0C4D}'
            | '\u{0CCD}'
            | '\u{0D4D}'
            | '\u{0DCA}'
            | '\u{1039}'
            | '\u{17D2}'
    )
}

/// Emoji, by the blocks they stand in, and the tones of skin behind them.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}'
        | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}
