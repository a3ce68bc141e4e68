//! How likely the tokens were, told with their text.

use engine::{Engine, Event, Request, SamplingParams, TokenLogprobs};
use engine_candle::{CandleEngine, Settings};

use crate::asking::{question, question_about};
use crate::models::bundled;
use crate::recital::{self, Ending};

/// The text and the probabilities of each event.
fn told(engine: &CandleEngine, request: Request) -> Vec<(String, Vec<TokenLogprobs>)> {
    let mut stream = engine.generate(request).expect("taken");
    let mut told = Vec::new();
    while let Some(Event::Token(token)) = stream.next_blocking().map(|event| event.expect("good")) {
        told.push((token.text, token.logprobs));
    }
    told
}

/// The bytes of the tokens told with each event.
fn bytes(told: &[(String, Vec<TokenLogprobs>)]) -> Vec<(&str, Vec<u8>)> {
    let of =
        |tokens: &[TokenLogprobs]| tokens.iter().flat_map(|t| t.chosen.bytes.clone()).collect();
    told.iter()
        .map(|(text, tokens)| (text.as_str(), of(tokens)))
        .collect()
}

#[test]
fn probabilities_wait_for_text_that_is_held_back() {
    let pieces: [&[u8]; 4] = [b"one t", b"wo thr", b"ee \xED\x95", b"\x9C four"];
    let engine = recital::engine(&pieces, Ending::EndOfTurn, Settings::default());
    let request = |stop: &str| Request {
        logprobs: Some(0),
        stop: vec![stop.into()],
        ..question("Count!")
    };
    let all = told(&engine, request("fourteen"));
    let expected = [
        ("one t", b"one t".to_vec()),
        ("wo thr", b"wo thr".to_vec()),
        ("", vec![]),
        ("ee 한 ", b"ee \xED\x95\x9C four".to_vec()),
        ("four", vec![]),
    ];
    assert_eq!(bytes(&all), expected);
    let cut = told(&engine, request("two"));
    let expected = [("one ", b"one t".to_vec()), ("", vec![])];
    assert_eq!(
        bytes(&cut),
        expected,
        "nothing is told of what a stop string hides"
    );
}

#[test]
fn probabilities_are_the_models_own_whatever_changes_the_choice() {
    let engine = bundled(Settings::default());
    let first = |request| {
        let events = told(&engine, request).into_iter();
        let mut tokens = events.flat_map(|(_, tokens)| tokens);
        tokens.next().expect("a token")
    };
    let plain = Request {
        logprobs: Some(20),
        max_tokens: Some(4),
        ..question_about("Tea", "Tea is a drink of leaves.", "What is tea?")
    };
    let greedy = first(plain.clone());
    let total = greedy.top.iter().map(|one| one.logprob.exp()).sum::<f32>();
    assert!(total > 0.5 && total < 1.0001, "{total}");
    // Of what ends the answer, tokens 2 and 7, nothing is told.
    let hot = SamplingParams {
        temperature: 2.0,
        presence_penalty: 2.0,
        seed: Some(5),
        ..SamplingParams::GREEDY
    };
    let hot = first(Request {
        sampling: hot,
        logit_bias: [greedy.chosen.id, 2, 7].map(|id| (id, -100.0)).to_vec(),
        ..plain
    });
    assert_eq!(hot.top, greedy.top);
    assert_ne!(hot.chosen, greedy.chosen);
}
