//! What the model gets to read, and in which order.

use std::sync::Arc;

use crate::support::{
    ask, collect, index, library, message, model, recording, replying, speechless,
};
use engine::{Card, ModelInfo, Role, SourceUnit};
use rag::{AnsweredBy, Mode, Question};
use retrieval::{Change, Index, PassageSettings, SourceDocument, split};

#[test]
fn documents_go_where_the_template_wants_them() {
    let (pipeline, requests) = recording(model());
    let question = || Question {
        messages: vec![
            message(Role::System, "Be brief."),
            message(Role::User, "How long is the Nile?"),
        ],
        ..Question::default()
    };
    collect(
        pipeline
            .answer(&[library()], question())
            .expect("an answer"),
    );
    let prompt = requests.lock().expect("nobody panicked")[0].prompt.clone();
    assert_eq!(prompt.messages, question().messages);
    assert_eq!(prompt.documents[0].title, "The Nile");
    assert!(prompt.documents[0].text.contains("6650 kilometres"));

    let (pipeline, requests) = recording(ModelInfo {
        reads_documents: false,
        ..model()
    });
    collect(
        pipeline
            .answer(&[library()], question())
            .expect("an answer"),
    );
    let prompt = requests.lock().expect("nobody panicked")[0].prompt.clone();
    assert!(prompt.documents.is_empty());
    let last = &prompt.messages[1].content;
    assert!(last.starts_with("Sources:\n\n[1] The Nile\n"), "{last}");
    assert!(last.ends_with("Question: How long is the Nile?"), "{last}");
}

#[test]
fn follow_ups_are_searched_with_the_question_before() {
    let pipeline = replying("It flows north.");
    let question = Question {
        messages: vec![
            message(Role::User, "How long is the Nile?"),
            message(Role::Assistant, "6650 kilometres."),
            message(Role::User, "And where does it flow?"),
            message(Role::Assistant, "North."),
            message(Role::User, "Why?"),
        ],
        ..Question::default()
    };
    let answer = pipeline.answer(&[library()], question).expect("an answer");
    assert_eq!(answer.answered_by, AnsweredBy::Model);
    assert_eq!(answer.search_results[0].filename, "nile.md");
}

#[test]
fn several_collections_are_one_list() {
    let other = index(&[(
        "danube.md",
        "# The Danube\n\nThe Danube is 2850 kilometres long.\n",
    )]);
    let question = ask("How long are the Nile and the Danube?");
    let answer = replying("The Danube is 2850 kilometres long.")
        .answer(&[library(), other], question)
        .expect("an answer");
    let results = &answer.search_results;
    assert!(results.iter().zip(1..).all(|(result, n)| result.n == n));
    assert!(results.is_sorted_by(|a, b| a.score >= b.score));
    assert!(results.iter().any(|result| result.filename == "danube.md"));
    assert!(results.iter().any(|result| result.filename == "nile.md"));
    let answer = collect(answer);
    assert_eq!(answer.citations[0].filename, "danube.md");
}

/// What the ledger of a Nile question says was left out, as `what: why`.

#[test]
fn sentences_are_the_sources_of_a_model_that_was_trained_so() {
    let card = Card {
        unit: SourceUnit::Sentence,
        max_sources: Some(2),
        max_source_tokens: Some(90),
        ..Card::default()
    };
    let (pipeline, requests) = recording(ModelInfo { card, ..model() });
    let question = ask("How long is the Nile?");
    let answer = collect(pipeline.answer(&[library()], question).expect("an answer"));
    let prompt = requests.lock().expect("nobody panicked")[0].prompt.clone();
    let texts: Vec<&str> = prompt.documents.iter().map(|d| d.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(texts[0], "The Nile is 6650 kilometres long.");
    assert!(texts.iter().all(|text| !text.contains('\n')), "{texts:?}");
    let dropped = &answer.ledger.dropped;
    let told = |part: &str| dropped.iter().any(|dropped| dropped.why.contains(part));
    assert!(told("at most 2 sentences"), "{dropped:?}");
}

#[test]
fn a_copy_takes_no_place_from_another_passage() {
    let copied = "# Tea\n\nGreen tea is steeped at seventy degrees for three minutes.\n";
    let documents = [
        ("one.md", copied),
        ("two.md", copied),
        (
            "other.md",
            "# Pots\n\nA tea pot of clay keeps green tea warm.\n",
        ),
    ];
    let question = Question {
        mode: Mode::Quotes,
        top_k: Some(2),
        ..ask("How is green tea steeped?")
    };
    let answer = speechless().answer(&[index(&documents)], question);
    let answer = answer.expect("an answer");
    let names = answer
        .search_results
        .iter()
        .map(|result| result.filename.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["one.md", "other.md"]);
}

#[test]
fn a_citation_names_the_page_on_which_its_quote_begins() {
    let pages = [
        "The harbour was built in 1901.\n\n",
        "The lighthouse was lit in 1874.\n\n",
        "The railway came in 1922.",
    ];
    let text = pages.concat();
    let starts = [0, pages[0].len(), pages[0].len() + pages[1].len()];
    let ends = [starts[1], starts[2], text.len()];
    let pages: Vec<_> = starts.iter().zip(ends).map(|(&at, end)| at..end).collect();
    let document = SourceDocument {
        file_id: "file-town",
        filename: "town.pdf",
        title: "Town",
        text: &text,
        headings: &[],
        pages: &pages,
        markdown: false,
    };
    let settings = PassageSettings {
        max_tokens: 100,
        overlap_tokens: 0,
        count_tokens: &|text| text.split_whitespace().count(),
    };
    let index = Index::in_memory().expect("an index in memory");
    let passages = split(&document, &settings);
    assert_eq!(passages.len(), 1, "one passage over all pages");
    let file_id = document.file_id.into();
    let upsert = Change::Upsert { file_id, passages };
    index.apply(vec![upsert], 1).expect("indexing");
    let index = Arc::new(index);
    let check = |question: &str, page: u32| {
        let question = Question {
            mode: Mode::Quotes,
            ..ask(question)
        };
        let answer = speechless().answer(std::slice::from_ref(&index), question);
        let citations = collect(answer.expect("an answer")).citations;
        let first = citations.first().expect("a citation");
        assert_eq!(first.page, Some(page), "{first:?}");
    };
    check("When was the harbour built?", 1);
    check("When was the lighthouse lit?", 2);
    check("When did the railway come?", 3);
}

#[test]
fn diversity_puts_what_is_new_before_what_is_alike() {
    let long = "The Nile is 6650 kilometres long and flows north through Egypt";
    let rivers = index(&[
        ("one.md", &format!("# Nile\n\n{long} to the sea.\n")),
        (
            "two.md",
            &format!("# Nile\n\n{long} and Sudan, to the wide sea in the north.\n"),
        ),
        (
            "three.md",
            "# Source\n\nWhere the Nile begins was long unknown; its length in kilometres depends on it.\n",
        ),
    ]);
    let second = |diversity| {
        let mut question = Question {
            mode: Mode::Quotes,
            top_k: Some(2),
            ..ask("How long is the Nile in kilometres, and where does it flow north?")
        };
        question.method.diversity = diversity;
        let answer = speechless().answer(std::slice::from_ref(&rivers), question);
        answer.expect("quotes").search_results[1].filename.clone()
    };
    assert_ne!(second(None), "three.md");
    assert_eq!(second(Some(0.9)), "three.md");
}
