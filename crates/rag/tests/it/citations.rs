//! Footnotes in a model's answer: where they stand, what they point at, and that neither
//! depends on how the text arrives.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use crate::support::{Collected, Ending, PiecewiseEngine, ask, chars, collect, index, replying};
use engine::{EngineError, ScriptedEmbedder, ScriptedEngine};
use futures_core::Stream;
use rag::{
    Answer, AnswerEvent, AnsweredBy, CitationStyle, Encoders, Pipeline, Question, RagError,
    Settings, SupportPolicy, Vote,
};
use retrieval::Index;

const RIVERS: &str = "# Rivers\n\nThe Nile is 6650 kilometres long. 🐊 It flows north \
    through Egypt into the Mediterranean. The Amazon carries more water than any other river.\n";

const LEAVE: &str = "# 근로기준법\n\n## 연차 휴가 🏖️\n\n1. 사용자는 1년간 80퍼센트 이상 출근한 근로자에게 \
    15일의 유급휴가를 주어야 한다.\n\n2. 가산휴가를 포함한 총 휴가 일수는 25일을 한도로 한다.\n";

const BRIDGES: &str =
    "# Bridges\n\nThe Golden Gate Bridge opened in 1937. It spans San Francisco Bay.\n";

const DOCUMENTS: &[(&str, &str)] = &[
    ("rivers.md", RIVERS),
    ("leave.md", LEAVE),
    ("bridges.md", BRIDGES),
];

/// Indexed once: the index does not change, and every cutting asks it again.
fn library() -> Arc<Index> {
    static LIBRARY: LazyLock<Arc<Index>> = LazyLock::new(|| index(DOCUMENTS));
    LIBRARY.clone()
}

/// The model says `reply` to `question`; what comes back must be `expected`, its citations
/// must hold, and nothing may change when the reply comes in other pieces.
fn check(question: &str, reply: &str, expected: &str) {
    let whole = collect(answer(question, reply, 0, CitationStyle::Inline));
    assert_eq!(
        whole.text, expected,
        "question {question:?}, reply {reply:?}"
    );
    check_citations(&whole);
    for seed in 1..40 {
        let again = collect(answer(question, reply, seed, CitationStyle::Inline));
        assert_eq!(again, whole, "seed {seed}");
    }
}

fn answer(question: &str, reply: &str, seed: u64, citations: CitationStyle) -> Answer {
    let engine = PiecewiseEngine::new(reply, seed, Ending::Done);
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default());
    let mut question = ask(question);
    question.citations = citations;
    let answer = pipeline.answer(&[library()], question);
    answer.expect("an answer")
}

/// Every quote stands where the citation says, and every sentence too.
fn check_citations(answer: &Collected) {
    for citation in &answer.citations {
        let (_, text) = DOCUMENTS
            .iter()
            .find(|(name, _)| *name == citation.filename)
            .expect("a document we have");
        assert_eq!(chars(text, citation.start..citation.end), citation.quote);
        let sentence = answer.chars(citation.sentence.clone());
        assert_eq!(sentence.trim(), sentence);
        let marker = format!("[{}]", citation.n);
        let behind = answer.chars(citation.sentence.end..citation.sentence.end + 12);
        assert!(
            behind.starts_with(' ') && behind.contains(&marker),
            "{behind:?}"
        );
        assert!((0.0..=1.0).contains(&citation.score));
    }
}

#[test]
fn markers_stand_at_sentence_ends() {
    check(
        "How long is the Nile?",
        "The Nile is 6650 kilometres long. I like crocodiles. It flows north through Egypt.\n",
        "The Nile is 6650 kilometres long. [1] I like crocodiles. It flows north through Egypt. [1]",
    );
    check(
        "How long is the Nile?",
        "  - The Nile is 6650 kilometres long\n- It flows into the Mediterranean\n\nDone.",
        "- The Nile is 6650 kilometres long [1]\n- It flows into the Mediterranean [1]\n\nDone.",
    );
    check(
        "How long is the Nile?",
        "# The Nile\n```\nThe Nile is 6650 kilometres long.\n```\n",
        "# The Nile\n```\nThe Nile is 6650 kilometres long.\n```",
    );
    check("How long is the Nile?", "Yes.", "Yes.");
    check("How long is the Nile?", "", "");
}

#[test]
fn markers_in_korean_text_with_emoji() {
    check(
        "연차 휴가는 며칠인가요?",
        "🏖️ 네! 15일의 유급휴가를 주어야 한다. 총 휴가 일수는 25일을 한도로 한다. 😀 그렇습니다.",
        "🏖️ 네! 15일의 유급휴가를 주어야 한다. [1] 총 휴가 일수는 25일을 한도로 한다. [1] 😀 그렇습니다.",
    );
}

#[test]
fn a_wrong_number_gets_no_footnote() {
    check(
        "How long is the Nile?",
        "The Nile is 7000 kilometres long.",
        "The Nile is 7000 kilometres long.",
    );
}

#[test]
fn the_models_own_markers_are_taken_out() {
    for reply in [
        "The Nile is 6650 kilometres long [1].",
        "The Nile is 6650 kilometres long.[1]",
        "The Nile is 6650 kilometres long. [1]",
        "The Nile is 6650 kilometres long [2][3].",
        "The Nile is 6650 kilometres long [1, 2].",
        "The Nile is 6650 kilometres long. 【1】",
        "The Nile [^1] is 6650 kilometres long.",
    ] {
        let expected = "The Nile is 6650 kilometres long. [1]";
        check("How long is the Nile?", reply, expected);
    }
    for reply in [
        "Use `v[1]` here.",
        "```\nv[1]\n```",
        "An [open one",
        "A [link](to) it.",
        "[]",
    ] {
        check("How long is the Nile?", reply, reply);
    }
}

#[test]
fn fields_leave_the_text_alone() {
    let reply = "The Nile is 6650 kilometres long. It flows north.";
    let fields = collect(answer(
        "How long is the Nile?",
        reply,
        0,
        CitationStyle::Fields,
    ));
    assert_eq!(fields.text, reply);
    assert_eq!(fields.citations.len(), 2);
    assert_eq!(
        fields.chars(fields.citations[1].sentence.clone()),
        "It flows north."
    );

    let off = collect(answer(
        "How long is the Nile?",
        reply,
        0,
        CitationStyle::Off,
    ));
    assert_eq!((off.text.as_str(), off.citations.len()), (reply, 0));
}

#[test]
fn two_sources_of_one_sentence() {
    let reply =
        "The Amazon carries more water than any other river, and the Nile is 6650 kilometres long.";
    let answer = collect(answer(
        "Compare Nile and Amazon",
        reply,
        0,
        CitationStyle::Inline,
    ));
    assert_eq!(
        answer.text,
        format!("{reply} [1]"),
        "one marker for one passage"
    );
    assert_eq!(answer.citations.len(), 2);
}

#[test]
fn citations_come_with_the_end_of_their_sentence() {
    let mut answer = answer(
        "How long is the Nile?",
        "The Nile is 6650 kilometres long. More follows.",
        3,
        CitationStyle::Inline,
    );
    while let Some(event) = answer.next_blocking() {
        if let AnswerEvent::Text { piece, .. } = event.expect("no error") {
            let (text, citations) = (piece.text, piece.citations);
            assert_eq!(text.contains("[1]"), !citations.is_empty(), "{text:?}");
            assert!(citations.is_empty() || text.ends_with("[1]"), "{text:?}");
        }
    }
}

#[test]
fn polling_gives_the_same_events() {
    let reply = "The Nile is 6650 kilometres long. It flows north.";
    let make = || answer("How long is the Nile?", reply, 5, CitationStyle::Inline);
    let mut blocking = make();
    let mut polled = make();
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let next = pin!(poll_fn(|context| Pin::new(&mut polled).poll_next(context)));
        let Poll::Ready(event) = std::future::Future::poll(next, &mut context) else {
            panic!("everything was said already");
        };
        let expected = blocking.next_blocking();
        assert_eq!(format!("{event:?}"), format!("{expected:?}"));
        if expected.is_none() {
            return;
        }
    }
}

#[test]
fn an_error_in_the_middle_is_passed_on() {
    let failure = EngineError::Failed("out of memory".into());
    let engine = PiecewiseEngine::new("The Nile ", 1, Ending::Fails(failure.clone()));
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default());
    let answer = pipeline.answer(&[library()], ask("How long is the Nile?"));
    let mut answer = answer.expect("an answer");
    let mut last = None;
    while let Some(event) = answer.next_blocking() {
        assert!(last.is_none(), "nothing follows an error");
        last = event.err();
    }
    assert!(matches!(last, Some(RagError::Engine(error)) if error == failure));
}

#[test]
fn dropping_the_answer_cancels_the_generation() {
    let engine = PiecewiseEngine::new("The Nile ", 1, Ending::Hangs);
    let hanging = engine.hanging.clone();
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default());
    let answer = pipeline.answer(&[library()], ask("How long is the Nile?"));
    let is_closed = || {
        let sender = hanging.lock().expect("nobody panicked");
        sender.as_ref().expect("it hangs").is_closed()
    };
    let answer = answer.expect("an answer");
    assert!(!is_closed());
    drop(answer);
    assert!(is_closed());
}

#[test]
fn without_documents_the_text_passes_as_it_is() {
    let reply = "Arrays such as v [1] stay.";
    let answer = replying(reply).answer(&[], ask("How do I index?"));
    let answer = collect(answer.expect("an answer"));
    assert_eq!((answer.text.as_str(), answer.citations.len()), (reply, 0));
}

/// What `policy` makes of `reply`, whole; it may not depend on how the reply is cut.
fn supported(reply: &str, policy: SupportPolicy) -> Collected {
    let one = |seed| {
        let engine = PiecewiseEngine::new(reply, seed, Ending::Done);
        let pipeline = Pipeline::new(Arc::new(engine), Settings::default());
        let question = Question {
            support: Some(policy),
            ..ask("How long is the Nile?")
        };
        collect(pipeline.answer(&[library()], question).expect("an answer"))
    };
    let whole = one(0);
    for seed in 1..20 {
        assert_eq!(one(seed), whole, "seed {seed}");
    }
    whole
}

#[test]
fn every_sentence_is_cited_or_marked() {
    let reply = "The Nile is 6650 kilometres long. I like crocodiles 🐊 very much. \
        The sources do not mention its width.";
    let answer = supported(reply, SupportPolicy::Mark);
    let support = answer.support.expect("there are sources");
    assert_eq!(
        (support.sentences, support.supported, support.declining),
        (3, 1, 1)
    );
    let [unsupported] = &answer.unsupported[..] else {
        panic!("{:?}", answer.unsupported);
    };
    let sentence = answer.chars(unsupported.sentence.clone());
    assert_eq!(sentence, "I like crocodiles 🐊 very much.");
    assert!(unsupported.score < 0.5);

    let off = supported(reply, SupportPolicy::Off);
    assert_eq!(off.text, answer.text);
    assert!(off.unsupported.is_empty());
}

#[test]
fn strict_withholds_what_nothing_supports() {
    let withheld = supported(
        "Crocodiles sleep in winter. They dream of fish.",
        SupportPolicy::Strict,
    );
    assert!(
        withheld.text.starts_with("The documents do not support"),
        "{}",
        withheld.text
    );
    assert!(withheld.citations.is_empty());
    assert!(withheld.support.expect("there are sources").withheld);

    let half = supported(
        "Crocodiles sleep in winter. The Nile is 6650 kilometres long.",
        SupportPolicy::Strict,
    );
    assert!(half.text.starts_with("Crocodiles"), "{}", half.text);
    assert_eq!((half.citations.len(), half.unsupported.len()), (1, 1));

    let declined = supported("The sources do not answer this.", SupportPolicy::Strict);
    assert_eq!(declined.text, "The sources do not answer this.");
    assert!(declined.support.expect("there are sources").declines());
}

#[test]
fn citations_say_what_speaks_for_them() {
    for (reply, expected) in [
        (
            "The Nile is 6650 kilometres long.",
            &[Vote::Verbatim, Vote::Words, Vote::Numbers, Vote::Names][..],
        ),
        (
            "In kilometres the Nile is 6650 long.",
            &[Vote::Words, Vote::Numbers, Vote::Names],
        ),
        (
            "It flows north through Egypt into the sea.",
            &[Vote::Words, Vote::Names],
        ),
    ] {
        let answer = supported(reply, SupportPolicy::Mark);
        assert_eq!(answer.citations[0].votes, expected, "{reply}");
    }
}

#[test]
fn what_means_the_same_is_cited_whatever_its_words() {
    // Vectors of two numbers: whether a sentence speaks of how long the river is, or of anything.
    let speaks_of_length = |text: &str| text.contains("6650") || text.contains("longest");
    let embedder = ScriptedEmbedder::new("two", move |text: &str| {
        let of_length = f32::from(u8::from(speaks_of_length(text)));
        Ok(vec![of_length, 1.0 - of_length])
    });
    let encoders = Encoders {
        embedder: Some(Arc::new(embedder)),
        ..Encoders::default()
    };
    let answer = |reply: &'static str, meaning_floor: f32| {
        let engine = ScriptedEngine::new(move |_| Ok(reply.into()));
        let settings = Settings {
            meaning_floor,
            ..Settings::default()
        };
        let pipeline = Pipeline::new(Arc::new(engine), settings).with_encoders(encoders.clone());
        let question = ask("How long is the Nile?");
        collect(pipeline.answer(&[library()], question).expect("an answer"))
    };
    let same = answer("No stream anywhere is longest like this one.", 0.8);
    assert!(same.citations[0].quote.contains("6650"), "{same:?}");
    assert_eq!(same.citations[0].votes, [Vote::Meaning]);
    assert!((same.citations[0].score - 1.0).abs() < 1e-6, "{same:?}");
    let other_number = answer("No stream anywhere is longest with its 7000 miles.", 0.8);
    assert!(other_number.citations.is_empty(), "{other_number:?}");
    let no_vote = answer("No stream anywhere is longest like this one.", 1.5);
    assert_eq!((no_vote.citations.len(), no_vote.unsupported.len()), (0, 1));
}

#[test]
fn an_embedder_says_nothing_of_what_it_cannot_read() {
    // Everything is alike to it but what it cannot read, which is far from everything.
    let embedder = ScriptedEmbedder::new("english", |text: &str| {
        let readable = f32::from(u8::from(text.is_ascii()));
        Ok(vec![readable, 1.0 - readable])
    });
    let encoders = Encoders {
        embedder: Some(Arc::new(
            embedder.with_coverage_of(|text| f32::from(u8::from(text.is_ascii()))),
        )),
        ..Encoders::default()
    };
    let documents = [(
        "rope.md",
        "# 위치\n\nRoPE는 벡터를 돌려서 위치를 나타낸다.\n",
    )];
    let engine = ScriptedEngine::new(|_| Ok("RoPE turns vectors.".into()));
    let pipeline = Pipeline::new(Arc::new(engine), Settings::default()).with_encoders(encoders);
    let answer = pipeline.answer(&[index(&documents)], ask("What is RoPE?"));
    let answer = answer.expect("an answer");
    assert_eq!(
        answer.answered_by,
        AnsweredBy::Model,
        "{:?}",
        answer.evidence
    );
}

#[test]
fn attention_decides_between_equal_sources() {
    let twice = index(&[
        (
            "old.md",
            "# Old survey\n\nThe Nile is 6650 kilometres long.\n",
        ),
        (
            "new.md",
            "# New survey\n\nThe Nile is 6650 kilometres long, they say.\n",
        ),
    ]);
    for looked_at in ["they say", "long."] {
        let engine = ScriptedEngine::new(|_| Ok("The Nile is 6650 kilometres long.".into()))
            .with_attention(move |_, watched| {
                let share = |text: &String| f32::from(u8::from(text.contains(looked_at))) * 0.5;
                watched.iter().map(share).collect()
            });
        let pipeline = Pipeline::new(Arc::new(engine), Settings::default());
        let question = ask("How long is the Nile?");
        let answer = pipeline.answer(std::slice::from_ref(&twice), question);
        let answer = collect(answer.expect("an answer"));
        let citation = &answer.citations[0];
        assert!(citation.quote.contains(looked_at), "{citation:?}");
        assert!(citation.votes.contains(&Vote::Attention), "{citation:?}");
    }
}
