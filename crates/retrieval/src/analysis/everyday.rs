//! Words that every text and every question is full of. They are searched like all others, but say
//! next to nothing about the subject, and in a small collection their rarity is an accident.

use super::glyph::Glyph;
use super::language::Language;
use super::text_of;

/// The common words of a language that is written in Latin letters.
pub(super) struct CommonWords {
    pub(super) language: Language,
    /// Rare in other languages: every one of these is a vote for this language.
    pub(super) telling: &'static [&'static str],
    /// Common too, but shared with other languages, or common only in questions.
    pub(super) shared: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) const COMMON_WORDS: &[CommonWords] = &[
    CommonWords {
        language: Language::Danish,
        telling: &["og", "af", "at", "ikke", "som", "blev", "efter", "fra", "hvad", "hvor", "eller", "også", "der", "til", "på", "hvem"],
        shared: &["den", "det", "de", "en", "et", "er", "i", "for", "med", "hvilken", "hvordan", "hvorfor", "hvornår"],
    },
    CommonWords {
        language: Language::Dutch,
        telling: &["het", "een", "van", "zijn", "niet", "voor", "met", "werd", "ook", "wat", "welke", "hoe", "naar", "aan", "wordt", "en"],
        shared: &["de", "in", "is", "op", "te", "die", "dat", "wie", "waar", "wanneer", "waarom", "door"],
    },
    CommonWords {
        language: Language::English,
        telling: &["the", "of", "and", "to", "is", "was", "that", "with", "what", "which", "how", "are", "for", "by", "from", "who", "does", "did"],
        shared: &["a", "an", "in", "on", "at", "as", "it", "be", "or", "i", "you", "my", "me", "this", "were", "do", "can", "when", "where", "why", "whom", "whose", "have", "has", "had", "there", "these", "those"],
    },
    CommonWords {
        language: Language::Finnish,
        telling: &["ja", "on", "ei", "oli", "että", "ovat", "mutta", "sekä", "myös", "kun", "hän", "mikä", "kuka", "joka", "ole", "tai"],
        shared: &["se", "ne", "missä", "milloin", "miten", "miksi", "kuinka"],
    },
    CommonWords {
        language: Language::French,
        telling: &["le", "les", "des", "et", "est", "une", "dans", "que", "qui", "du", "pour", "sur", "quel", "quelle", "ce", "au", "aux", "avec"],
        shared: &["la", "de", "un", "en", "a", "il", "elle", "se", "par", "où", "quand", "comment", "pourquoi", "l", "d", "qu", "sont"],
    },
    CommonWords {
        language: Language::German,
        telling: &["der", "die", "das", "und", "ist", "nicht", "von", "mit", "ein", "eine", "wurde", "auf", "den", "dem", "im", "zu", "was", "wie", "wer", "für", "welche"],
        shared: &["in", "an", "des", "es", "er", "sie", "sich", "als", "war", "wo", "wann", "warum", "welcher", "welches", "sind", "hat", "bei", "einer", "eines", "einem"],
    },
    CommonWords {
        language: Language::Hungarian,
        telling: &["az", "és", "hogy", "nem", "egy", "volt", "ez", "mint", "meg", "csak", "mi", "milyen", "vagy", "ki", "szerint"],
        shared: &["a", "is", "melyik", "hol", "mikor", "hogyan", "miért"],
    },
    CommonWords {
        language: Language::Italian,
        telling: &["il", "di", "che", "è", "gli", "della", "del", "per", "una", "sono", "con", "nel", "non", "quale", "come", "alla", "dei", "delle"],
        shared: &["la", "le", "lo", "e", "un", "in", "a", "i", "da", "si", "chi", "cosa", "dove", "quando", "perché"],
    },
    CommonWords {
        language: Language::Norwegian,
        telling: &["og", "av", "ikke", "som", "ble", "etter", "fra", "hva", "hvor", "eller", "også", "til", "på", "hvem", "å", "være"],
        shared: &["den", "det", "de", "en", "et", "er", "i", "for", "med", "hvilken", "hvordan", "hvorfor", "når"],
    },
    CommonWords {
        language: Language::Portuguese,
        telling: &["os", "do", "da", "que", "não", "em", "uma", "um", "para", "com", "por", "dos", "das", "na", "no", "foi", "são", "ao"],
        shared: &["o", "a", "as", "e", "de", "se", "é", "qual", "quais", "quem", "onde", "quando", "como"],
    },
    CommonWords {
        language: Language::Romanian,
        telling: &["și", "şi", "în", "este", "care", "din", "cu", "pentru", "nu", "ce", "al", "fost", "lui", "unde", "câte", "că", "sau", "pe", "au"],
        shared: &["de", "la", "a", "o", "un", "cine", "când", "cum", "cât", "câți", "sunt"],
    },
    CommonWords {
        language: Language::Spanish,
        telling: &["el", "los", "las", "que", "en", "y", "una", "un", "por", "con", "para", "del", "se", "qué", "cuál", "es", "fue", "lo", "su"],
        shared: &["la", "de", "a", "al", "quién", "dónde", "cuándo", "cómo", "cuántos", "cuántas", "o"],
    },
    CommonWords {
        language: Language::Swedish,
        telling: &["och", "att", "inte", "som", "är", "från", "vad", "eller", "också", "till", "på", "var", "av", "det", "efter", "hur"],
        shared: &["den", "de", "en", "ett", "i", "för", "med", "vem", "vilken", "när", "varför"],
    },
    CommonWords {
        language: Language::Turkish,
        telling: &["ve", "bir", "bu", "için", "ile", "olarak", "da", "de", "ne", "olan", "hangi", "daha", "kim", "kaç", "gibi", "sonra", "olduğu"],
        shared: &["nedir", "nerede", "nasıl", "neden", "kimdir", "mi", "mı"],
    },
];

/// How Korean question words begin; particles and endings follow.
const KOREAN_STARTS: &[&str] = &[
    "무엇", "어떻", "어떤", "누구", "누가", "언제", "어디", "얼마", "무슨", "왜", "몇", "며칠",
    "어느",
];

/// Pairs of characters that Chinese and Japanese questions are made of.
const IDEOGRAPH_PAIRS: &[&str] = &[
    "什么", "什麼", "多少", "哪个", "哪些", "哪里", "如何", "为何", "为什", "是谁", "怎么", "怎样",
    "何で", "何と", "何が", "何を", "何の", "誰が", "誰の",
];

/// Whether a Latin word in small letters is a common word of one of the languages.
pub(super) fn is_common(word: &str, languages: &[Language]) -> bool {
    let mut entries = COMMON_WORDS
        .iter()
        .filter(|entry| languages.contains(&entry.language));
    entries.any(|entry| entry.telling.contains(&word) || entry.shared.contains(&word))
}

/// Whether a run of Hangul is a question word in any of its forms.
pub(super) fn is_korean_question(run: &str) -> bool {
    KOREAN_STARTS.iter().any(|start| run.starts_with(start))
}

/// Whether a pair of Han or kana is grammar: a question word, or two hiragana.
pub(super) fn is_grammar(pair: &[Glyph]) -> bool {
    let hiragana = |glyph: &Glyph| matches!(glyph.letter, 'ぁ'..='ゖ');
    pair.iter().all(hiragana) || IDEOGRAPH_PAIRS.contains(&text_of(pair).as_str())
}
