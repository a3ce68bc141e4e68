//! Answers that quote nothing but what the sources say.

use engine::{Engine, EngineError, OutputFormat, Request, SamplingParams};
use engine_candle::Settings;

use crate::asking::{ask, question, question_about};
use crate::models::{bundled, talkative, whole_words};

const RIVERS: &str =
    "The Han flows through Seoul. It is “514 kilometres” long. 한강은 서해로 흐른다.";

const MARKS: [(char, char); 5] = [
    ('"', '"'),
    ('“', '”'),
    ('「', '」'),
    ('『', '』'),
    ('«', '»'),
];

/// What stands between marks, as far as it was closed.
fn quoted(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut found = Vec::new();
    while let Some(at) = rest.find(|c: char| MARKS.iter().any(|(open, _)| *open == c)) {
        let mut behind = rest[at..].chars();
        let mark = behind.next().expect("it was found");
        let mut marks = MARKS.iter();
        let (_, close) = marks.find(|(open, _)| *open == mark).expect("it is one");
        let Some((inside, after)) = behind.as_str().split_once(*close) else {
            break;
        };
        found.push(inside);
        rest = after;
    }
    found
}

/// The model is hot and likes some tokens far more than others, so that it says much that is not
/// there.
fn request(seed: u64, likings: &[(u32, f32)]) -> Request {
    Request {
        sampling: SamplingParams {
            temperature: 2.0,
            seed: Some(seed),
            ..SamplingParams::GREEDY
        },
        logit_bias: likings.to_vec(),
        max_tokens: Some(120),
        ..question_about("Rivers", RIVERS, "What is said of the Han?")
    }
}

#[test]
fn quotations_are_parts_of_the_sources() {
    let engine = talkative(Settings::default());
    for (open, close) in [('"', '"'), ('“', '”'), ('「', '」')] {
        let tokens = |mark: char| engine.content_tokens(&mark.to_string()).expect("a mark");
        let mut marks = [tokens(open), tokens(close)].concat();
        marks.dedup();
        let mut likings = whole_words(&engine);
        likings.extend(marks.into_iter().map(|mark| (mark, 20.0)));
        let (mut quotations, mut untrue) = (0, 0);
        for seed in 0..16 {
            let free = ask(&engine, request(seed, &likings)).text();
            let lies = quoted(&free).into_iter();
            untrue += lies.filter(|part| !RIVERS.contains(part)).count();
            let bound = Request {
                quotable: vec!["Something else.".into(), RIVERS.into()],
                ..request(seed, &likings)
            };
            let text = ask(&engine, bound.clone()).text();
            assert_eq!(
                ask(&engine, bound).text(),
                text,
                "the same seed, the same text"
            );
            for part in quoted(&text) {
                let known = RIVERS.contains(part) || "Something else.".contains(part);
                assert!(known && !part.is_empty(), "{part:?} in {text:?}");
                quotations += 1;
            }
        }
        assert!(quotations > 3, "{open}: {quotations} quotations");
        assert!(untrue > 0, "{open}: nothing was held back");
    }
}

#[test]
fn an_answer_without_quotations_is_left_alone() {
    let engine = bundled(Settings::default());
    let free = question("What is tea?");
    let bound = Request {
        quotable: vec!["Coffee.".into()],
        ..free.clone()
    };
    let answer = ask(&engine, free);
    assert!(!answer.text().contains(['"', '“', '「', '『', '«']));
    assert_eq!(ask(&engine, bound).ids, answer.ids);
}

#[test]
fn what_cannot_be_combined_is_refused() {
    let engine = bundled(Settings::default());
    let check = |request: Request| {
        let refused = engine.generate(request).err();
        let named = matches!(
            refused,
            Some(EngineError::InvalidRequest { param, .. }) if param == "quotable"
        );
        assert!(named, "{refused:?}");
    };
    let bound = Request {
        quotable: vec!["tea".into()],
        ..question("What is tea?")
    };
    check(Request {
        format: OutputFormat::JsonObject,
        ..bound.clone()
    });
    check(Request {
        quotable: vec!["a".repeat(40_000); 2],
        ..bound.clone()
    });
    check(Request {
        quotable: vec![String::new()],
        ..bound
    });
}
