//! How much attention the sentences of sources get while an answer is written.

use engine::{Engine, Event, Request, Sharing};
use engine_candle::Settings;

use crate::asking::{ask, question_about};
use crate::models::bundled;

const RIVERS: [&str; 3] = [
    "The Han flows through Seoul.",
    "It is 514 kilometres long.",
    "한강은 서해로 흐른다.",
];

fn request(watch: &[&str]) -> Request {
    Request {
        watch: watch.iter().map(|&text| text.to_owned()).collect(),
        max_tokens: Some(24),
        ..question_about("Rivers", &RIVERS.join(" "), "How long is the Han?")
    }
}

/// The attention of each token.
fn told(engine: &dyn Engine, request: Request) -> Vec<Vec<f32>> {
    let mut stream = engine.generate(request).expect("taken");
    let mut told = Vec::new();
    while let Some(Event::Token(token)) = stream.next_blocking().map(|event| event.expect("good")) {
        told.push(token.attention);
    }
    told
}

#[test]
fn each_token_tells_a_share_for_each_text() {
    let engine = bundled(Settings::default());
    let all = told(&engine, request(&RIVERS));
    assert!(!all.is_empty());
    for shares in &all {
        assert_eq!(shares.len(), 3);
        assert!(shares.iter().all(|share| *share >= 0.0), "{shares:?}");
        assert!(shares.iter().sum::<f32>() < 1.0, "{shares:?}");
    }
    for text in 0..3 {
        let sum = all.iter().map(|shares| shares[text]).sum::<f32>();
        assert!(sum > 0.0, "{text} gets nothing");
    }
    // What is not there, or not behind the one before it, gets nothing, and takes nothing.
    let [han, long, sea] = RIVERS;
    let watch = [han, "nowhere", "", long, han, sea];
    for (shares, all) in told(&engine, request(&watch)).iter().zip(&all) {
        assert_eq!(shares, &[all[0], 0.0, 0.0, all[1], 0.0, all[2]]);
    }
    let whole = told(&engine, request(&[&RIVERS.join(" ")]));
    for (whole, parts) in whole.iter().zip(&all) {
        let sum = parts.iter().sum::<f32>();
        assert!((whole[0] - sum).abs() < 1e-5, "{whole:?} {parts:?}");
    }
}

#[test]
fn the_answer_is_the_same_watched_or_not() {
    let engine = bundled(Settings::default());
    let (watched, unwatched) = (request(&RIVERS), request(&[]));
    assert!(told(&engine, unwatched.clone()).iter().all(Vec::is_empty));
    assert_eq!(ask(&engine, watched).ids, ask(&engine, unwatched).ids);
}

#[test]
fn attention_is_the_same_in_any_company() {
    let engine = bundled(Settings::default());
    let alone = told(&engine, request(&RIVERS));
    let others = RIVERS.map(|text| engine.generate(request(&[text])).expect("taken"));
    let salted = Request {
        sharing: Sharing {
            salt: Some("nobody has read it".into()),
            era: None,
        },
        ..request(&RIVERS)
    };
    assert_eq!(told(&engine, salted), alone);
    drop(others);
}
