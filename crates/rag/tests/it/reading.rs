//! A reader, which tells of sentences whether they answer.

use std::sync::{Arc, Mutex};

use engine::{EngineError, Reranker, ScriptedEmbedder, ScriptedEngine, ScriptedReranker};
use rag::{Answer, Encoders, Evidence, Mode, Pipeline, Question, Settings};

use crate::support::{ask, collect, index};

/// Two sentences share as many words with the question; one is about something else.
const DOCUMENTS: [(&str, &str); 1] = [(
    "nile.md",
    "# The Nile\n\nThe length of the Nile was long disputed.\n\n\
     The length of the Nile is 6650 kilometres.\n\n\
     Kittens sleep for most of the day.\n",
)];

/// What is quoted when this reader judges.
fn quoted(reader: impl Reranker + 'static) -> String {
    let encoders = Encoders {
        reader: Some(Arc::new(reader)),
        ..Encoders::default()
    };
    let question = "What is the length of the Nile?";
    collect(answered(encoders, &DOCUMENTS, question)).text
}

/// Quotes from the documents, chosen with these models.
fn answered(encoders: Encoders, documents: &[(&str, &str)], question: &str) -> Answer {
    let engine = ScriptedEngine::new(|_| Ok("nobody asks".into()));
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default()).with_encoders(encoders);
    let question = Question {
        mode: Mode::Quotes,
        ..ask(question)
    };
    let answer = pipeline.answer(&[index(documents)], question);
    answer.expect("an answer")
}

/// Certain of sentences that hold this word, and that no others answer.
fn certain_of(word: &'static str) -> ScriptedReranker {
    ScriptedReranker::new(move |_, sentence| if sentence.contains(word) { 9.0 } else { -9.0 })
}

#[test]
fn what_the_reader_is_certain_of_is_quoted_alone() {
    let told = quoted(certain_of("6650"));
    assert_eq!(told, "The length of the Nile is 6650 kilometres. [1]");
    let told = quoted(certain_of("disputed"));
    assert_eq!(told, "The length of the Nile was long disputed. [1]");
}

#[test]
fn a_sentence_is_read_once_and_under_its_title() {
    let read = Arc::new(Mutex::new(Vec::new()));
    let noting = read.clone();
    quoted(ScriptedReranker::new(move |question, sentence| {
        assert_eq!(question, "What is the length of the Nile?");
        noting.lock().expect("no panic").push(sentence.to_owned());
        0.0
    }));
    let mut read = read.lock().expect("no panic").clone();
    read.sort();
    let expected = [
        "The Nile. Kittens sleep for most of the day.",
        "The Nile. The length of the Nile is 6650 kilometres.",
        "The Nile. The length of the Nile was long disputed.",
    ];
    assert_eq!(read, expected);
}

#[test]
fn a_reader_that_cannot_tell_changes_nothing() {
    let by_words = quoted(ScriptedReranker::new(|_, _| 0.0));
    assert!(by_words.contains("disputed") && by_words.contains("6650"));
    let foreign = certain_of("6650").with_coverage_of(|_| 0.0);
    assert_eq!(quoted(foreign), by_words, "it does not know the language");
    let narrow = certain_of("6650").with_max_tokens(11);
    assert_eq!(quoted(narrow), by_words, "it has no room");
    assert_eq!(quoted(Busy), by_words, "it has no place");
}

/// The evidence for a question about the Nile when the reader gives every sentence this logit.
fn weighed(question: &str, document: &str, logit: f32) -> Evidence {
    let embedder = ScriptedEmbedder::new("somewhat alike", |text| {
        Ok(match (text.contains("Nile"), text.ends_with('?')) {
            (true, true) => vec![0.4, 0.84_f32.sqrt(), 0.0, 0.0],
            (true, false) => vec![1.0, 0.0, 0.0, 0.0],
            (false, true) => vec![0.0, 0.0, 1.0, 0.0],
            (false, false) => vec![0.0, 0.0, 0.0, 1.0],
        })
    });
    let encoders = Encoders {
        embedder: Some(Arc::new(embedder)),
        reader: Some(Arc::new(ScriptedReranker::new(move |_, _| logit))),
        ..Encoders::default()
    };
    let answer = answered(encoders, &[("nile.md", document)], question);
    answer.evidence.expect("a search")
}

#[test]
fn what_the_reader_is_certain_of_has_a_part_in_the_evidence() {
    let english = "# The Nile\n\nThe length of the Nile is 6650 kilometres.\n";
    let korean = "# Nile 강\n\nNile 강의 길이는 6650킬로미터입니다.\n";
    let in_english = "What is the length of the Nile?";
    let in_korean = "Nile 강의 길이는 얼마인가요?";

    let told = weighed(in_english, english, -9.0);
    assert!(
        !told.answered && told.signals.reading == Some(-9.0),
        "{told:?}"
    );
    assert!(weighed(in_english, english, 9.0).score > 0.6);

    // Across languages words tell little, and the reader much.
    let told = weighed(in_korean, english, 9.0);
    assert!(
        told.answered && told.signals.reading == Some(9.0),
        "{told:?}"
    );
    assert!(weighed(in_korean, english, -9.0).score < told.score);

    let told = weighed(in_korean, korean, -9.0);
    assert!(
        !told.answered && told.signals.reading == Some(-9.0),
        "{told:?}"
    );
    assert!(weighed(in_korean, korean, 9.0).score > 0.6);
}

/// A reader that too many wait for.
struct Busy;

impl Reranker for Busy {
    fn name(&self) -> &str {
        "busy"
    }

    fn max_tokens(&self) -> usize {
        512
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }

    fn coverage(&self, _: &str) -> f32 {
        1.0
    }

    fn rerank(&self, _: &str, _: &[&str]) -> Result<Vec<f32>, EngineError> {
        Err(EngineError::Busy {
            retry_after: std::time::Duration::from_secs(1),
        })
    }
}
