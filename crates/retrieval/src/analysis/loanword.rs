//! Loanwords: a Korean text calls a component 컴포넌트, so that no letter of it stands in the English
//! one. Vowels go their own ways when a word is borrowed, consonants follow rules, so that both are
//! written here as the consonants that Korean hears: `KMPNT`.

use super::glyph::Glyph;
use super::text_of;

/// Fewer consonants are shared by too many words.
const MIN_CONSONANTS: usize = 3;

/// Words of fewer letters or syllables are not borrowed, or not told apart.
const MIN_LETTERS: usize = 3;
const MIN_SYLLABLES: usize = 2;

/// What Korean hears of the first consonants of a syllable, in their order in Unicode. ㅎ is heard
/// at the beginning of a word only: 하이브리드, but 알코올.
const INITIALS: [&str; 19] = [
    "G", "K", "N", "D", "T", "L", "M", "B", "P", "S", "S", "", "J", "J", "C", "K", "T", "P", "",
];

/// And of the last ones; Q is the sound of `ng`.
const FINALS: [&str; 28] = [
    "", "K", "K", "", "N", "", "", "T", "L", "", "", "", "", "", "", "", "M", "P", "", "T", "T",
    "Q", "T", "T", "K", "T", "P", "",
];

/// Letters that are heard as another consonant, longest first; all others are in [`heard`].
const GROUPS: &[(&str, &str)] = &[
    ("tion", "SN"),
    ("sion", "SN"),
    ("cian", "SN"),
    ("sch", "SK"),
    ("tch", "C"),
    ("dge", "J"),
    ("ch", "C"),
    ("ck", "K"),
    ("ph", "P"),
    ("qu", "K"),
    ("kn", "N"),
    ("wh", ""),
    ("th", "S"),
    ("sh", "S"),
    ("nk", "QK"),
];

/// The consonants of a Latin word in small letters; `None` when they tell too little.
pub(super) fn of_latin(word: &str) -> Option<String> {
    if word.len() < MIN_LETTERS || !word.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return None;
    }
    let mut sound = Sound::default();
    let mut at = 0;
    while at < word.len() {
        let rest = &word[at..];
        if let Some((letters, heard)) = GROUPS.iter().find(|(letters, _)| rest.starts_with(letters))
        {
            sound.hear(heard);
            at += letters.len();
        } else if rest.starts_with("ng") && !is_soft_g(&rest[1..]) {
            sound.hear("Q");
            at += 2;
        } else {
            sound.hear(heard(&word[..at], rest));
            at += 1;
        }
    }
    sound.telling()
}

/// The consonants of a run of Hangul; `None` when they tell too little.
pub(super) fn of_hangul(run: &[Glyph]) -> Option<String> {
    if run.len() < MIN_SYLLABLES {
        return None;
    }
    let mut sound = Sound::default();
    if matches!(run[0].letter, '하'..='힣') {
        sound.hear("H");
    }
    for letter in text_of(run).chars() {
        let syllable = (letter as usize).checked_sub('가' as usize)?;
        sound.hear(INITIALS.get(syllable / 588)?);
        sound.hear(FINALS[syllable % 28]);
    }
    sound.telling()
}

/// What is heard of the first letter of `rest`.
fn heard(before: &str, rest: &str) -> &'static str {
    let next = rest.as_bytes().get(1).copied();
    match rest.as_bytes()[0] {
        b'b' | b'v' => "B",
        b'c' if matches!(next, Some(b'e' | b'i' | b'y')) => "S",
        b'c' | b'k' => "K",
        b'd' => "D",
        b'f' | b'p' => "P",
        b'g' if is_soft_g(rest) => "J",
        b'g' => "G",
        b'h' if before.is_empty() => "H",
        b'j' | b'z' => "J",
        b'l' => "L",
        b'm' => "M",
        b'n' => "N",
        b'r' if is_silent_r(before, rest) => "",
        b'r' => "L",
        b's' => "S",
        b't' => "T",
        b'x' => "KS",
        _ => "",
    }
}

/// As in `page` and `logi`, not as in `get` alone: spelling does not say.
fn is_soft_g(rest: &str) -> bool {
    rest.starts_with("ge") || matches!(rest, "gi" | "gy")
}

/// Behind a vowel and before a consonant or the end, r only makes the vowel longer: 서버, server.
fn is_silent_r(before: &str, rest: &str) -> bool {
    before.ends_with(['a', 'e', 'i', 'o', 'u'])
        && (rest == "re" || !rest[1..].starts_with(['a', 'e', 'i', 'o', 'u', 'y']))
}

/// Consonants one after the other; the same one twice is heard once.
#[derive(Default)]
struct Sound(String);

impl Sound {
    fn hear(&mut self, consonants: &str) {
        for consonant in consonants.chars() {
            if !self.0.ends_with(consonant) {
                self.0.push(consonant);
            }
        }
    }

    fn telling(self) -> Option<String> {
        (self.0.len() >= MIN_CONSONANTS).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::glyph::glyphs;
    use super::*;

    #[test]
    fn a_borrowed_word_sounds_like_the_original() {
        let check = |hangul: &str, latin: &str| {
            let sound = of_hangul(&glyphs(hangul));
            assert!(sound.is_some(), "{hangul}");
            assert_eq!(sound, of_latin(latin), "{hangul} {latin}");
        };
        check("컴포넌트", "component");
        check("제너레이터", "generator");
        check("인터프리터", "interpreter");
        check("스레드", "thread");
        check("패키지", "package");
        check("딕셔너리", "dictionary");
        check("렌더링", "rendering");
        check("클래스", "class");
        check("하이브리드", "hybrid");
        check("알코올", "alcohol");
    }

    #[test]
    fn the_h_that_a_word_begins_with_is_heard() {
        assert_ne!(of_hangul(&glyphs("하이브리드")), of_latin("bread"));
    }

    #[test]
    fn few_consonants_tell_nothing() {
        assert_eq!(of_hangul(&glyphs("나라")), None);
        assert_eq!(of_hangul(&glyphs("책")), None);
        assert_eq!(of_latin("data"), None);
        assert_eq!(of_latin("x86"), None);
    }
}
