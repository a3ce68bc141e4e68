//! Questions to answers: who speaks, what the model gets to read, and when it is not asked.

mod support;

use std::sync::Arc;

use engine::{Card, ModelInfo, Role, ScriptedEngine, SourceUnit};
use rag::{AnsweredBy, Language, Mode, Question, RagError, Settings};
use retrieval::{Change, Index, PassageSettings, SourceDocument, split};
use support::{
    ask, chars, check_invalid, collect, index, library, message, model, recording, refused,
    replying, speechless, speechless_as,
};

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
fn settings_have_sound_defaults() {
    let settings = Settings::default();
    assert!(settings.top_k >= 1 && settings.quote_sentences >= 1);
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
