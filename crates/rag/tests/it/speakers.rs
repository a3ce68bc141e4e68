//! Who answers, the model or the documents in quotes.

use std::sync::Arc;

use crate::support::{ask, chars, collect, library, model, recording, speechless, speechless_as};
use engine::{Card, ModelInfo};
use rag::{AnsweredBy, Mode, Question, Settings};
use retrieval::Index;

#[test]
fn who_answers() {
    let quoting = ModelInfo {
        card: Card {
            quotes_better: true,
            ..Card::default()
        },
        ..model()
    };
    let speaker = |model: &ModelInfo, mode: Mode, indexes: &[Arc<Index>]| {
        let (pipeline, _) = recording(model.clone());
        let question = Question {
            mode,
            ..ask("How long is the Nile?")
        };
        pipeline
            .answer(indexes, question)
            .expect("an answer")
            .answered_by
    };
    let library = [library()];
    assert_eq!(speaker(&model(), Mode::Auto, &library), AnsweredBy::Model);
    assert_eq!(speaker(&quoting, Mode::Auto, &library), AnsweredBy::Quotes);
    assert_eq!(speaker(&quoting, Mode::Model, &library), AnsweredBy::Model);
    assert_eq!(
        speaker(&model(), Mode::Quotes, &library),
        AnsweredBy::Quotes
    );
    assert_eq!(speaker(&quoting, Mode::Auto, &[]), AnsweredBy::Model);
}

#[test]
fn quotes_are_verbatim_and_without_markup() {
    let pipeline = speechless();
    for (question, expected) in [
        (
            "How long is the Nile?",
            "The Nile is 6650 kilometres long. [1]",
        ),
        (
            "Which river carries the most water?",
            "The Amazon river carries more water than any other river. [1]",
        ),
        (
            "연차 휴가는 최대 며칠인가요?",
            "가산휴가를 포함한 총 휴가 일수는 25일을 한도로 한다. [1]",
        ),
    ] {
        let question = Question {
            mode: Mode::Quotes,
            ..ask(question)
        };
        let answer = pipeline.answer(&[library()], question).expect("an answer");
        assert_eq!(answer.answered_by, AnsweredBy::Quotes);
        let results = answer.search_results.clone();
        let answer = collect(answer);
        assert!(answer.text.contains(expected), "{}", answer.text);
        for citation in &answer.citations {
            assert_eq!(answer.chars(citation.sentence.clone()), citation.quote);
            let passage = &results[citation.n - 1];
            let inside = citation.start - passage.start..citation.end - passage.start;
            assert_eq!(chars(&passage.text, inside), citation.quote);
        }
        assert!(
            !answer.text.contains("```") && !answer.text.contains('#'),
            "{}",
            answer.text
        );
    }
}

#[test]
fn the_starter_card_is_answered_in_quotes_without_the_model() {
    let card = Card {
        quotes_better: true,
        max_sources: Some(4),
        max_source_tokens: Some(90),
        ..Card::default()
    };
    let pipeline = speechless_as(ModelInfo { card, ..model() });
    let answer = pipeline.answer(&[library()], ask("How long is the Nile?"));
    let answer = collect(answer.expect("an answer"));
    assert!(
        answer
            .text
            .starts_with("The Nile is 6650 kilometres long. [1]"),
        "{}",
        answer.text
    );
    assert_eq!(answer.ledger.context, 4096);
}

#[test]
fn settings_have_sound_defaults() {
    let settings = Settings::default();
    assert!(settings.top_k >= 1 && settings.quote_sentences >= 1);
}
