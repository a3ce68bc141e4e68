//! When the model is not asked: questions that the documents do not answer, and ones that are none.

use std::sync::Arc;

use crate::support::{ask, check_invalid, collect, library, message, refused, speechless};
use engine::Role;
use rag::{AnsweredBy, Language, Mode, Question, RagError};
use retrieval::Index;

fn check_refusal(question: &str, beginning: &str) {
    let answer = speechless()
        .answer(&[library()], ask(question))
        .expect("an answer");
    assert_eq!(answer.answered_by, AnsweredBy::Refusal, "{question}");
    let evidence = answer.evidence.expect("something was searched");
    assert!(!evidence.answered && evidence.score < 0.35, "{evidence:?}");
    assert!(answer.search_results.is_empty());
    let answer = collect(answer);
    assert!(
        answer.text.starts_with(beginning),
        "{question}: {}",
        answer.text
    );
    assert_eq!(answer.usage, engine::Usage::default());
}

#[test]
fn refusals_speak_the_language_of_the_question() {
    check_refusal(
        "Who won the football championship last weekend?",
        "The documents do not answer",
    );
    check_refusal(
        "오늘 점심 메뉴 추천해 주세요",
        "문서에서 이 질문에 대한 답을 찾을 수 없습니다.",
    );
    check_refusal(
        "昨日の試合の結果は？",
        "文書にはこの質問の答えが見つかりません",
    );
    check_refusal("谁赢得了比赛？", "文档中找不到这个问题的答案");
}

#[test]
fn refusals_name_the_nearest_thing() {
    let question = "Which typeface did Gutenberg use for printing indulgences in Mainz?";
    let answer = collect(
        speechless()
            .answer(&[library()], ask(question))
            .expect("an answer"),
    );
    assert!(answer.text.contains("“Colophon”"), "{}", answer.text);
    let empty = Arc::new(Index::in_memory().expect("an index"));
    let answer = collect(
        speechless()
            .answer(&[empty], ask(question))
            .expect("an answer"),
    );
    assert!(answer.text.contains("no documents"), "{}", answer.text);
}

#[test]
fn languages() {
    for (text, expected) in [
        ("What is ownership?", Language::English),
        ("Rust의 소유권은 뭐야?", Language::Korean),
        ("Rust borrow checker lifetime 차이", Language::Korean),
        ("What does 인공지능 mean?", Language::English),
        ("所有権とは何ですか", Language::Japanese),
        ("什么是所有权？", Language::Chinese),
        ("Was ist das?", Language::English),
        ("", Language::English),
    ] {
        assert_eq!(Language::of(text), expected, "{text}");
    }
}

#[test]
fn questions_that_are_none() {
    let pipeline = speechless();
    let with = |messages| Question {
        messages,
        ..Question::default()
    };
    check_invalid(&pipeline, with(vec![]), "messages");
    check_invalid(
        &pipeline,
        with(vec![message(Role::Assistant, "Hello.")]),
        "messages",
    );
    check_invalid(&pipeline, ask("  \n"), "messages");
    check_invalid(&pipeline, ask(&"long ".repeat(500)), "messages");
    for top_k in [0, 201] {
        let mut question = ask("How long is the Nile?");
        question.top_k = Some(top_k);
        check_invalid(&pipeline, question, "retrieval.top_k");
    }
    let mut question = ask("How long is the Nile?");
    question.mode = Mode::Quotes;
    let error = refused(pipeline.answer(&[], question));
    assert!(matches!(
        error,
        RagError::Invalid {
            param: "answer",
            ..
        }
    ));
}
