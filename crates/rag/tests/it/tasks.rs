//! What the model is told to do: tasks, examples, templates and profiles.

use std::sync::Arc;

use crate::support::{ask, check_invalid, collect, library, model, recording, speechless};
use engine::{ModelInfo, Role, ScriptedEngine};
use rag::{
    AnsweredBy, Example, Mode, Pipeline, Profile, Prompts, Question, Settings, SupportPolicy, Task,
};
use retrieval::Index;

/// The last message that reaches a model without a place for documents.
fn put_to_the_model(question: Question, indexes: &[Arc<Index>]) -> String {
    let (pipeline, requests) = recording(ModelInfo {
        reads_documents: false,
        ..model()
    });
    collect(pipeline.answer(indexes, question).expect("an answer"));
    let requests = requests.lock().expect("nobody panicked");
    let last = requests[0].prompt.messages.last();
    last.expect("a message").content.clone()
}

#[test]
fn tasks_are_put_in_the_words_of_their_templates() {
    let text = "The {{ Nile }} is long.";
    let task = |task| Question { task, ..ask(text) };
    let english = Task::Translate {
        to: "Korean".into(),
    };
    let fields = Task::Extract {
        fields: vec!["river".into(), "length".into()],
    };
    for (task, expected) in [
        (task(Task::Summarise), "Summarise the following text"),
        (task(english), "into Korean"),
        (task(fields), "just these keys: river, length"),
    ] {
        let put = put_to_the_model(task, &[]);
        assert!(put.contains(expected) && put.contains(text), "{put}");
    }
    let korean = Question {
        task: Task::Summarise,
        ..ask("나일강은 이집트를 지나 북쪽으로 흐른다.")
    };
    assert!(put_to_the_model(korean, &[]).starts_with("다음 글을"));
    assert_eq!(put_to_the_model(ask(text), &[]), text, "a plain chat");

    let about = Question {
        task: Task::Summarise,
        ..ask("the Nile")
    };
    let put = put_to_the_model(about, &[library()]);
    assert!(put.starts_with("Sources:\n\n[1] The Nile\n"), "{put}");
}

#[test]
fn examples_go_before_the_question() {
    let question = Question {
        examples: vec![Example {
            input: "How wide is it?".into(),
            output: "Very.".into(),
        }],
        ..ask("How long is the Nile?")
    };
    let put = put_to_the_model(question, &[library()]);
    let end = "Question: How wide is it?\nAnswer: Very.\n\nQuestion: How long is the Nile?";
    assert!(put.ends_with(end), "{put}");
}

#[test]
fn tasks_that_are_none() {
    let pipeline = speechless();
    let task = |task| Question {
        task,
        ..ask("The Nile")
    };
    check_invalid(&pipeline, task(Task::Translate { to: " ".into() }), "task");
    check_invalid(&pipeline, task(Task::Extract { fields: vec![] }), "task");
    let quotes = Question {
        mode: Mode::Quotes,
        ..task(Task::Summarise)
    };
    check_invalid(&pipeline, quotes, "answer");
}

#[test]
fn own_templates_take_the_place_of_ours() {
    let folder = std::env::temp_dir().join(format!("ibid-prompts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("summarise.en.jinja");
    std::fs::write(&file, "Be brief: {{ input }}").expect("a template");
    let engine = ScriptedEngine::new(|request| {
        Ok(request.prompt.messages.last().expect("one").content.clone())
    });
    let prompts = Prompts::with_folder(&folder).expect("good templates");
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default()).with_prompts(prompts);
    let question = Question {
        task: Task::Summarise,
        ..ask("The Nile is long.")
    };
    let answer = collect(pipeline.answer(&[], question).expect("an answer"));
    assert_eq!(answer.text, "Be brief: The Nile is long.");

    for broken in ["{{ input", "{{ input.no.such }}"] {
        std::fs::write(&file, broken).expect("a template");
        let error = Prompts::with_folder(&folder).err().expect("it is broken");
        assert!(error.to_string().contains("summarise.en.jinja"), "{error}");
    }
    std::fs::remove_dir_all(&folder).expect("it was there");
}

#[test]
fn a_profile_instructs_restricts_and_disclaims() {
    let medical = Profile::shipped()
        .into_iter()
        .find(|profile| profile.name == "medical");
    let profile = medical.map(Arc::new);
    let with_profile = |question: &str| Question {
        profile: profile.clone(),
        ..ask(question)
    };
    let (pipeline, requests) = recording(model());
    let answer = pipeline.answer(&[library()], with_profile("How long is the Nile?"));
    let answer = collect(answer.expect("an answer"));
    let system = requests.lock().expect("nobody panicked")[0].prompt.messages[0].clone();
    assert_eq!(system.role, Role::System);
    assert!(system.content.contains("doses"), "{}", system.content);
    // "Yes." rests on nothing, and the profile is strict.
    assert!(answer.support.expect("sources").withheld, "{}", answer.text);

    let quotes = Question {
        mode: Mode::Quotes,
        support: Some(SupportPolicy::Off),
        ..with_profile("How long is the Nile?")
    };
    let answer = collect(speechless().answer(&[library()], quotes).expect("quotes"));
    assert!(
        answer.text.starts_with("The Nile is 6650") && answer.text.ends_with("pharmacist."),
        "{}",
        answer.text
    );

    let only_quotes = Question {
        profile: Some(Arc::new(Profile {
            answers: vec![Mode::Quotes],
            ..Profile::default()
        })),
        ..ask("How long is the Nile?")
    };
    let auto = speechless().answer(&[library()], only_quotes.clone());
    assert_eq!(auto.expect("an answer").answered_by, AnsweredBy::Quotes);
    let by_model = Question {
        mode: Mode::Model,
        ..only_quotes
    };
    check_invalid(&speechless(), by_model, "answer");
}
