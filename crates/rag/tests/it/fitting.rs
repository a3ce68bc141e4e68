//! What is left out so that the prompt fits.

use crate::support::{ask, collect, library, message, model, recording, refused};
use engine::{Card, ModelInfo, Role, ScriptedEngine};
use rag::{Question, RagError};

fn dropped(model: ModelInfo, question: Question) -> Vec<String> {
    let (pipeline, _) = recording(model);
    let answer = pipeline.answer(&[library()], question).expect("an answer");
    let ledger = collect(answer).ledger;
    let dropped = ledger.dropped.iter();
    dropped
        .map(|dropped| format!("{}: {}", dropped.what, dropped.why))
        .collect()
}

fn rivers() -> Question {
    ask("How long is the Nile river, and the Amazon river?")
}

#[test]
fn the_ledger_says_what_was_left_out() {
    assert_eq!(dropped(model(), rivers()), [""; 0]);

    let one_source = Card {
        max_sources: Some(1),
        ..Card::default()
    };
    let left_out = dropped(
        ModelInfo {
            card: one_source,
            ..model()
        },
        rivers(),
    );
    assert_eq!(left_out.len(), 1);
    assert!(
        left_out[0].ends_with(".md: the model follows at most 1 sources"),
        "{left_out:?}"
    );

    let short_sources = Card {
        max_source_tokens: Some(7),
        ..Card::default()
    };
    let left_out = dropped(
        ModelInfo {
            card: short_sources,
            ..model()
        },
        rivers(),
    );
    assert!(
        left_out.iter().any(|what| {
            what.starts_with("part of passage ")
                && what.contains("nile.md: the model follows at most 7")
        }),
        "{left_out:?}"
    );

    let small = ModelInfo {
        context: 100,
        ..model()
    };
    let left_out = dropped(small, rivers());
    assert!(left_out[0].contains(".md: it does not fit"), "{left_out:?}");
}

#[test]
fn the_oldest_turns_go_first() {
    let mut question = rivers();
    question.max_tokens = Some(20);
    let earlier = (0..6).map(|turn| {
        let role = if turn % 2 == 0 {
            Role::User
        } else {
            Role::Assistant
        };
        message(role, &format!("turn {turn} {}", "word ".repeat(15)))
    });
    question.messages.splice(0..0, earlier);
    let left_out = dropped(
        ModelInfo {
            context: 200,
            ..model()
        },
        question,
    );
    assert!(left_out[0].starts_with("message ") && left_out[0].contains("conversation"));
    assert!(
        left_out
            .iter()
            .any(|what| what.starts_with("message 1 (user)"))
    );
    assert!(
        !left_out.iter().any(|what| what.starts_with("message 6")),
        "{left_out:?}"
    );
}

#[test]
fn a_prompt_always_fits_with_its_answer() {
    let library = library();
    for (context, reads_documents) in (30..260).flat_map(|n| [(n, true), (n, false)]) {
        let (pipeline, requests) = recording(ModelInfo {
            context,
            reads_documents,
            ..model()
        });
        let Ok(answer) = pipeline.answer(std::slice::from_ref(&library), rivers()) else {
            assert!(context < 180, "there was room in {context}");
            continue;
        };
        let ledger = collect(answer).ledger;
        let requests = requests.lock().expect("nobody panicked");
        let prompt = &requests[0].prompt;
        let engine = ScriptedEngine::new(|_| Ok(String::new()));
        let tokens = engine::Engine::count_prompt_tokens(&engine, prompt).expect("a count");
        assert!(tokens + ledger.reserved_for_answer <= context, "{ledger:?}");
        assert!(!ledger.passages.is_empty(), "{ledger:?}");
        if reads_documents {
            assert_eq!(ledger.passages.len(), prompt.documents.len());
        }
    }
}

#[test]
fn a_question_that_does_not_fit_is_not_cut() {
    let mut question = rivers();
    let rules = "Obey this rule. ".repeat(60);
    question.messages.insert(0, message(Role::System, &rules));
    let (pipeline, requests) = recording(ModelInfo {
        context: 200,
        ..model()
    });
    let error = refused(pipeline.answer(&[library()], question));
    assert!(
        matches!(error, RagError::PromptTooLong { param: "messages", tokens, .. } if tokens > 180),
        "{error}"
    );
    assert!(requests.lock().expect("nobody panicked").is_empty());
}

#[test]
fn narrowed_sources_are_exact() {
    let card = Card {
        max_source_tokens: Some(8),
        ..Card::default()
    };
    let (pipeline, _) = recording(ModelInfo { card, ..model() });
    let answer = pipeline.answer(&[library()], rivers()).expect("an answer");
    let nile = answer
        .search_results
        .iter()
        .find(|result| result.filename == "nile.md");
    let nile = nile.expect("the Nile");
    assert_eq!(nile.text, "The Nile is 6650 kilometres long.");
    assert_eq!(nile.start, "# The Nile\n\n".chars().count());
}
