//! Answers of a model that only names sources.

use std::sync::Arc;

use crate::support::{ask, collect, index, library, model, recording};
use engine::{Card, Engine, ModelInfo, ScriptedEngine, SourceUnit};
use rag::{AnsweredBy, Mode, Pipeline, Question, Settings, Task};

/// A pipeline whose model points, and says this.
fn pointing(reply: &str) -> Pipeline {
    let reply = reply.to_owned();
    let card = Card {
        points: true,
        unit: SourceUnit::Sentence,
        ..Card::default()
    };
    let engine = ScriptedEngine::new(move |_| Ok(reply.clone()));
    let engine = engine.with_model(ModelInfo { card, ..model() });
    assert!(engine.model().card.points);
    Pipeline::new(Arc::new(engine), Settings::default())
}

#[test]
fn who_names_no_source_says_that_the_documents_do_not_answer() {
    for (question, said) in [
        (
            "How long is the Nile?",
            "The documents do not answer this question.",
        ),
        (
            "연차 유급휴가는 며칠인가요?",
            "문서에서 이 질문에 대한 답을 찾을 수 없습니다.",
        ),
    ] {
        let answer = pointing("").answer(&[library()], ask(question));
        let answer = answer.expect("an answer");
        assert_eq!(answer.answered_by, AnsweredBy::Model);
        let answer = collect(answer);
        assert_eq!(answer.text, said);
        let support = answer.support.expect("there are sources");
        assert!(support.declines() && support.unsupported() == 0);
        assert!(answer.citations.is_empty() && answer.unsupported.is_empty());
    }
}

#[test]
fn who_has_no_sources_says_so() {
    let answer = pointing("").answer(&[], ask("How long is the Nile?"));
    let answer = collect(answer.expect("an answer"));
    assert!(
        answer.text.contains("answers from documents only"),
        "{}",
        answer.text
    );
}

#[test]
fn what_was_named_is_cited_source_by_source() {
    let said = "The Nile is 6650 kilometres long.\n\nIt is home to the pink dolphin.";
    let answer = pointing(said).answer(&[library()], ask("How long is the Nile?"));
    let answer = collect(answer.expect("an answer"));
    let quotes = answer.citations.iter().map(|citation| &citation.quote);
    assert_eq!(
        quotes.collect::<Vec<_>>(),
        [
            "The Nile is 6650 kilometres long.",
            "It is home to the pink dolphin."
        ],
        "{}",
        answer.text
    );
}

#[test]
fn an_answer_made_of_sources_keeps_to_one_language() {
    let tea = |language: &str, text: &str| (format!("tea.{language}.md"), text.to_owned());
    let documents = [
        tea("en", "# Tea\n\nGreen tea is steeped. Green tea is cheap.\n"),
        tea("ko", "# 녹차\n\n녹차(tea)는 우려 마신다. 녹차는 싸다.\n"),
    ];
    let documents = documents
        .each_ref()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let card = Card {
        points: true,
        unit: SourceUnit::Sentence,
        ..Card::default()
    };
    let (pipeline, requests) = recording(ModelInfo { card, ..model() });
    for (question, korean) in [("What is green tea?", false), ("녹차는 싼가요?", true)] {
        let answer = pipeline.answer(&[index(&documents)], ask(question));
        collect(answer.expect("an answer"));
        let request = requests.lock().expect("nobody panicked").pop();
        let sources = request.expect("it was asked").prompt.documents;
        assert!(!sources.is_empty());
        let is_korean = |text: &str| text.contains('차');
        assert!(
            sources
                .iter()
                .all(|source| is_korean(&source.text) == korean),
            "{sources:?}"
        );
    }
}

#[test]
fn the_model_is_told_the_evidence_for_an_answer() {
    let (pipeline, requests) = recording(model());
    let summary = Question {
        task: Task::Summarise,
        ..ask("How long is the Nile?")
    };
    for (question, told) in [(ask("How long is the Nile?"), true), (summary, false)] {
        let answer = pipeline.answer(&[library()], question).expect("an answer");
        let evidence = answer.evidence.expect("there was a search").score;
        collect(answer);
        let request = requests.lock().expect("nobody panicked").pop();
        let request = request.expect("it was asked");
        assert_eq!(request.evidence, told.then_some(evidence));
    }
}

/// A source may end without a full stop; it does not swallow the next one.
#[test]
fn a_source_without_a_full_stop_stands_alone() {
    let library = index(&[
        ("tea.md", "# Tea\n\nGreen tea: seventy degrees\n"),
        (
            "pots.md",
            "# Tea pots\n\nA tea pot of clay keeps green tea warm.\n",
        ),
    ]);
    let said = "Green tea: seventy degrees\n\nA tea pot of clay keeps green tea warm.";
    let question = Question {
        mode: Mode::Model,
        ..ask("How warm is green tea?")
    };
    let answer = pointing(said).answer(&[library], question);
    let answer = collect(answer.expect("an answer"));
    assert_eq!(answer.citations.len(), 2, "{}", answer.text);
    assert!(answer.unsupported.is_empty());
}
