//! Questions that make sense only behind the one before them.

use crate::language::{is_function_word, words};

/// A question of more words than this says enough to be understood, however it begins.
const MAX_FRAGMENT_WORDS: usize = 5;
const MAX_KOREAN_FRAGMENT_WORDS: usize = 1;

/// The question says nothing of its own, points back, or is a fragment: "And in Korea?",
/// "그 이유는?", "비용은요?"
pub(crate) fn leans_on_context(question: &str) -> bool {
    let lower = question.trim().to_lowercase();
    let says_nothing = words(&lower).all(is_function_word);
    let starts = |list: &[&str]| list.iter().any(|start| lower.starts_with(start));
    says_nothing
        || starts(OPENINGS)
        || words(&lower).any(points_back)
        || (starts(FRAGMENT_OPENINGS) && !asks_in_full(&lower))
        || is_korean_fragment(&lower)
}

fn points_back(word: &str) -> bool {
    POINTING_BACK.contains(&word)
        || POINTING_BACK_STEMS
            .iter()
            .any(|stem| word.starts_with(stem))
}

/// "In which year was it built?" asks in full, "In Korea?" does not.
fn asks_in_full(lower: &str) -> bool {
    words(lower).count() > MAX_FRAGMENT_WORDS
        || words(lower).any(|word| QUESTION_WORDS.contains(&word))
}

/// A noun with the particle of a topic, and nothing that is said of it.
fn is_korean_fragment(lower: &str) -> bool {
    let said = lower.trim_end_matches(|c: char| !c.is_alphanumeric());
    let count = words(said).count();
    let last = words(said).last().unwrap_or_default();
    count <= MAX_KOREAN_FRAGMENT_WORDS && TOPIC_ENDINGS.iter().any(|end| is_topic(last, end))
}

/// "연차는", but neither "는" alone nor "있는".
fn is_topic(word: &str, ending: &str) -> bool {
    let Some(noun) = word.strip_suffix(ending) else {
        return false;
    };
    !noun.is_empty() && !is_function_word(word) && !VERB_SYLLABLES.iter().any(|v| noun.ends_with(v))
}

const OPENINGS: &[&str] = &[
    "and ",
    "but ",
    "or ",
    "so ",
    "then ",
    "also ",
    "what about",
    "how about",
    "what else",
    "who else",
    "anything else",
    "any other",
    "tell me more",
    "more about",
    "why not",
    "how so",
    "그리고 ",
    "그 ",
    "또 ",
    "아니면 ",
    "그렇다면 ",
    "더 자세히",
    "좀 더",
    "자세히",
];

/// How fragments begin: words that stand before a noun.
const FRAGMENT_OPENINGS: &[&str] = &[
    "in ",
    "for ",
    "with ",
    "without ",
    "on ",
    "at ",
    "from ",
    "since ",
    "until ",
    "by ",
    "to ",
    "under ",
    "after ",
    "before ",
    "during ",
    "only ",
    "even ",
    "not ",
    "same ",
    "the same ",
];

const QUESTION_WORDS: &[&str] = &[
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "is", "are", "was",
    "were", "do", "does", "did", "can", "could", "should", "must", "may", "will", "would", "has",
    "have", "had",
];

/// Words that point at something said before.
const POINTING_BACK: &[&str] = &[
    "it",
    "its",
    "they",
    "them",
    "their",
    "this",
    "that",
    "these",
    "those",
    "he",
    "she",
    "his",
    "her",
    "him",
    "former",
    "latter",
    "ones",
    "それ",
    "それは",
    "它",
    "他们",
    "那",
];

/// Korean words that do; particles follow.
const POINTING_BACK_STEMS: &[&str] = &[
    "그것",
    "그게",
    "그건",
    "그거",
    "그걸",
    "이것",
    "이건",
    "이게",
    "이거",
    "거기",
    "그곳",
    "그때",
    "그중",
    "그분",
    "그들",
    "그쪽",
    "그러면",
    "그럼",
    "그런데",
    "그래서",
    "그렇게",
    "그렇다면",
    "방금",
];

/// What a Korean fragment ends in.
const TOPIC_ENDINGS: &[&str] = &[
    "은",
    "는",
    "은요",
    "는요",
    "도",
    "도요",
    "에서는",
    "에서는요",
];

/// Before 는 these make a verb: 있는, 하는.
const VERB_SYLLABLES: &[&str] = &["있", "없", "하", "되", "않"];

#[cfg(test)]
mod tests {
    use super::leans_on_context;

    #[test]
    fn follow_ups_lean_on_the_question_before() {
        for question in [
            "And in Korea?",
            "In Korea?",
            "For part-time workers?",
            "Why?",
            "Why not?",
            "What about children?",
            "Who wrote it?",
            "Tell me more.",
            "What else?",
            "How does the latter work?",
            "그럼 한국은?",
            "한국은?",
            "비용은요?",
            "아르바이트도?",
            "그 이유는?",
            "이유는?",
            "왜?",
            "그렇다면 언제까지 신청하나요?",
            "거기에는 무엇이 있나요?",
            "더 자세히 알려줘",
        ] {
            assert!(leans_on_context(question), "{question}");
        }
    }

    #[test]
    fn whole_questions_stand_alone() {
        for question in [
            "How long is the Nile?",
            "In which year was the bridge built?",
            "What is retrieval-augmented generation?",
            "On what day does the library close?",
            "연차 휴가는 며칠인가요?",
            "대통령의 임기는 몇 년인가요?",
            "Rust의 소유권은 뭐야?",
            "인공지능을 의료에 쓸 때 주의할 점은?",
        ] {
            assert!(!leans_on_context(question), "{question}");
        }
    }
}
