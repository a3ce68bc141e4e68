//! How near an answer is to one of the right ones, as SQuAD (Rajpurkar et al. 2016) measures
//! it, and by characters for languages whose words are not the unit of meaning (KorQuAD,
//! CMRC 2018, JaQuAD).

use std::collections::HashMap;

/// What a text is cut into to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Words between spaces, without `a`, `an` and `the`.
    Words,
    /// Characters.
    Characters,
}

impl Unit {
    /// The unit for a language, by its ISO 639-1 code.
    pub(super) fn of(language: &str) -> Self {
        match language {
            "ko" | "ja" | "zh" | "th" => Unit::Characters,
            _ => Unit::Words,
        }
    }

    fn cut(self, text: &str) -> Vec<String> {
        let text: String = text.to_lowercase();
        match self {
            Unit::Words => {
                let letter = |c: char| if is_mark(c) { ' ' } else { c };
                let spaced: String = text.chars().map(letter).collect();
                let words = spaced.split_whitespace();
                let articles = ["a", "an", "the"];
                words
                    .filter(|word| !articles.contains(word))
                    .map(str::to_owned)
                    .collect()
            }
            Unit::Characters => {
                let kept = text.chars().filter(|c| !c.is_whitespace() && !is_mark(*c));
                kept.map(String::from).collect()
            }
        }
    }
}

/// Punctuation and symbols say nothing, and words touch them.
fn is_mark(letter: char) -> bool {
    !letter.is_alphanumeric() && !letter.is_whitespace()
}

/// Whether the answer is one of `golds` but for case, punctuation and white space.
pub(super) fn is_exact(answer: &str, golds: &[String], unit: Unit) -> bool {
    let answer = unit.cut(answer);
    golds.iter().any(|gold| unit.cut(gold) == answer)
}

/// The best harmonic mean of precision and recall over `golds`, 0 to 1.
pub(super) fn f1(answer: &str, golds: &[String], unit: Unit) -> f64 {
    let answer = unit.cut(answer);
    let scores = golds.iter().map(|gold| f1_of(&answer, &unit.cut(gold)));
    scores.fold(0.0, f64::max)
}

fn f1_of(answer: &[String], gold: &[String]) -> f64 {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for part in gold {
        *left.entry(part).or_default() += 1;
    }
    let mut shared = 0;
    for part in answer {
        if let Some(count) = left.get_mut(part.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    if shared == 0 {
        return 0.0;
    }
    2.0 * f64::from(shared) / (answer.len() + gold.len()) as f64
}

/// Whether the answer holds one of `golds`, white space and case aside.
pub(super) fn contains_any(answer: &str, golds: &[String]) -> bool {
    let answer = bare(answer);
    golds.iter().any(|gold| answer.contains(&bare(gold)))
}

fn bare(text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_whitespace());
    visible.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golds(gold: &str) -> Vec<String> {
        vec![gold.to_owned()]
    }

    #[test]
    fn words_are_compared_without_articles_case_and_marks() {
        assert!(is_exact(
            "The “Eiffel Tower”.",
            &golds("eiffel tower"),
            Unit::Words
        ));
        assert!(!is_exact("Eiffel", &golds("Eiffel Tower"), Unit::Words));
        let score = f1("in the Eiffel Tower", &golds("Eiffel Tower"), Unit::Words);
        assert!((score - 0.8).abs() < 1e-12, "{score}");
        assert_eq!(f1("nothing", &golds("Eiffel Tower"), Unit::Words), 0.0);
    }

    #[test]
    fn korean_is_compared_by_syllables() {
        let unit = Unit::of("ko");
        assert!(is_exact(
            "1997년 12월 20일.",
            &golds("1997년12월20일"),
            unit
        ));
        let score = f1("부산이다", &golds("부산"), unit);
        assert!((score - 2.0 / 3.0).abs() < 1e-12, "{score}");
        assert!(contains_any("답은 부 산이다", &golds("부산")));
    }
}
