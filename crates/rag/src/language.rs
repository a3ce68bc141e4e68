//! What little this crate knows of languages: which one a question is asked in, and which of
//! its words only make it a question.

/// A language that refusals are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, and every language not listed.
    English,
    /// Korean.
    Korean,
    /// Japanese.
    Japanese,
    /// Chinese.
    Chinese,
}

impl Language {
    /// The language `text` is asked in. Foreign words do not count: "Rust의 소유권은 뭐야?" is
    /// Korean and "What does 인공지능 mean?" is English.
    pub fn of(text: &str) -> Self {
        let english = count_words(text, |word| FUNCTION_WORDS.contains(&word));
        let korean = count_words(text, |word| word.chars().any(is_hangul));
        if korean > english {
            Language::Korean
        } else if english > 0 {
            Language::English
        } else if text.chars().any(is_kana) {
            Language::Japanese
        } else if text.chars().any(is_han) {
            Language::Chinese
        } else {
            Language::English
        }
    }
}

/// The word, without punctuation around it, says nothing of what a text is about.
pub(crate) fn is_function_word(word: &str) -> bool {
    let word = word.to_lowercase();
    FUNCTION_WORDS.contains(&word.as_str())
        || KOREAN_WORDS.contains(&word.as_str())
        || KOREAN_QUESTION_STEMS
            .iter()
            .any(|stem| word.starts_with(stem))
}

/// The question asks for a number, a date or an amount.
pub(crate) fn asks_for_number(question: &str) -> bool {
    let lower = question.to_lowercase();
    let asks = |word: &str| NUMBER_WORDS.iter().any(|stem| word.starts_with(stem));
    words(&lower).any(asks) || NUMBER_PHRASES.iter().any(|phrase| lower.contains(phrase))
}

/// The sentence says that the sources do not answer, and so needs no source itself.
pub(crate) fn declines(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let names_one = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    DECLINING
        .iter()
        .any(|(sources, denials)| names_one(sources) && names_one(denials))
}

pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
}

fn count_words(text: &str, wanted: impl Fn(&str) -> bool) -> usize {
    let lower = text.to_lowercase();
    words(&lower).filter(|word| wanted(word)).count()
}

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

fn is_kana(c: char) -> bool {
    ('ぁ'..='ヺ').contains(&c)
}

fn is_han(c: char) -> bool {
    ('一'..='鿿').contains(&c)
}

const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by",
    "can", "could", "did", "do", "does", "explain", "for", "from", "had", "has", "have", "how",
    "i", "if", "in", "into", "is", "it", "its", "many", "may", "me", "much", "must", "my", "of",
    "on", "or", "our", "please", "shall", "should", "so", "some", "tell", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were",
    "what", "what's", "when", "where", "which", "who", "whom", "whose", "why", "will", "with",
    "would", "you", "your",
];

const KOREAN_WORDS: &[&str] = &[
    "그",
    "이",
    "저",
    "수",
    "것",
    "때",
    "더",
    "및",
    "등",
    "좀",
    "제가",
    "나는",
    "저는",
    "내가",
    "대해",
    "대해서",
    "대한",
    "하나요",
    "한가요",
    "인가요",
    "되나요",
    "된가요",
    "있나요",
    "없나요",
    "있는",
    "하는",
    "되는",
    "있어요",
    "해요",
    "돼요",
    "하려면",
    "한다",
    "된다",
    "있다",
    "합니까",
    "됩니까",
    "입니까",
    "있습니까",
    "인가",
    "하나",
    "해야",
    "하면",
    "되면",
    "주세요",
    "줘",
    "알려",
    "말해",
];

/// Every word that begins so asks.
const KOREAN_QUESTION_STEMS: &[&str] = &[
    "무엇",
    "뭐",
    "뭔",
    "뭘",
    "무슨",
    "누구",
    "누가",
    "언제",
    "어디",
    "어떻",
    "어떤",
    "어느",
    "왜",
    "얼마",
    "며칠",
    "몇",
    "알려줘",
    "알려주",
    "설명해",
    "말해줘",
];

const NUMBER_WORDS: &[&str] = &["when", "언제", "며칠", "몇", "얼마"];

const NUMBER_PHRASES: &[&str] = &[
    "how many",
    "how much",
    "how long",
    "how old",
    "how far",
    "how high",
    "how tall",
    "what year",
    "which year",
    "what date",
    "how often",
    "년도",
    "연도",
    "날짜",
    "何年",
    "いつ",
    "几",
    "多少",
    "何时",
];

/// In each language, what sources are called, and how they are said not to answer.
const DECLINING: &[(&[&str], &[&str])] = &[
    (
        &[
            "source",
            "document",
            "passage",
            "context",
            "information provided",
            "text",
        ],
        &[
            "do not answer",
            "does not answer",
            "don't answer",
            "do not say",
            "does not say",
            "do not mention",
            "does not mention",
            "do not contain",
            "does not contain",
            "do not provide",
            "does not provide",
            "not mentioned in",
            "not stated in",
            "not found in",
            "no information",
            "no answer",
        ],
    ),
    (
        &["문서", "자료", "출처", "본문", "제공된"],
        &[
            "찾을 수 없",
            "알 수 없",
            "나와 있지 않",
            "나오지 않",
            "답하지 않",
            "언급되지 않",
            "언급하지 않",
            "언급되어 있지 않",
            "답이 없",
            "정보가 없",
            "내용이 없",
        ],
    ),
    (
        &["資料", "文書", "出典"],
        &[
            "ありません",
            "見つかりません",
            "書かれていません",
            "記載がありません",
        ],
    ),
    (&["资料", "文档", "来源"], &["没有", "未提及", "找不到"]),
];
