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

/// Verbs that only carry an ending or another verb: 할 수 있나요, 하지 않습니다.
const KOREAN_AUXILIARIES: &[&str] = &[
    "하", "되", "있", "없", "않", "같", "못하", "아니", "싶", "해야", "돼야", "해도", "돼도",
];

/// What stands behind them; nothing may, too.
const KOREAN_AUXILIARY_ENDINGS: &[&str] = &[
    "",
    "다",
    "는",
    "은",
    "을",
    "던",
    "고",
    "지",
    "게",
    "면",
    "으면",
    "니",
    "으니",
    "니까",
    "기",
    "나요",
    "는데",
    "는지",
    "는다",
    "었다",
    "었나요",
    "려면",
    "세요",
    "까요",
    "을까요",
    "어요",
    "아요",
    "습니다",
    "습니까",
];

/// Words that say how others hang together, or stand for any of them.
#[rustfmt::skip]
const KOREAN_FUNCTION_WORDS: &[&str] = &[
    "할", "될", "한", "된", "함", "됨", "해", "돼", "해요", "돼요", "합니까", "됩니까", "합니다", "됩니다", "입니까",
    "입니다", "인가요", "일까요", "수", "것", "것이", "것은", "것을", "때", "및", "등", "더", "그", "이", "저",
    "위해", "위한", "위하여", "대해", "대한", "대하여", "통해", "따라", "따른", "관한", "관하여", "경우", "또는",
    "그리고", "하지만", "만약", "때문", "때문에",
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

/// Whether a run of Hangul is a question word in any of its forms, or grammar.
pub(super) fn is_korean_grammar(run: &str) -> bool {
    let mut rests = KOREAN_AUXILIARIES
        .iter()
        .filter_map(|verb| run.strip_prefix(verb));
    KOREAN_STARTS.iter().any(|start| run.starts_with(start))
        || KOREAN_FUNCTION_WORDS.contains(&run)
        || rests.any(|rest| KOREAN_AUXILIARY_ENDINGS.contains(&rest))
}

/// Whether a pair of Han or kana is grammar: a question word, or two hiragana.
pub(super) fn is_grammar(pair: &[Glyph]) -> bool {
    let hiragana = |glyph: &Glyph| matches!(glyph.letter, 'ぁ'..='ゖ');
    pair.iter().all(hiragana) || IDEOGRAPH_PAIRS.contains(&text_of(pair).as_str())
}
