//! The scripted engine keeps the engine's contract.

use std::time::Duration;

use engine::{Engine, Event, ScriptedEngine, Sharing};

#[test]
fn scripted_engine_keeps_the_contract() {
    let reply =
        "In the same place: what a footnote says when it points at a source again. ".repeat(8);
    let engine =
        ScriptedEngine::new(move |_| Ok(reply.clone())).with_pace(Duration::from_millis(1));
    engine::contract::check(&engine);
}

#[test]
fn scores_and_attention_follow_the_script() {
    let engine = ScriptedEngine::new(|_| Ok("one two".into()))
        .with_scores(
            |prompt, word| match prompt.messages[0].content.contains(word) {
                true => -0.1,
                false => -9.0,
            },
        )
        .with_attention(|word, watch| watch.iter().map(|text| f32::from(text == word)).collect());
    let mut request = engine::contract::plain_request();
    let scores = engine.score(&request.prompt, "does tea", &Sharing::default());
    let scores = scores.expect("taken").into_iter();
    let told = scores.map(|score| (score.range, score.logprob));
    assert_eq!(told.collect::<Vec<_>>(), [(0..5, -0.1), (5..8, -9.0)]);
    request.watch = vec!["two".into(), "three".into()];
    let mut stream = engine.generate(request).expect("taken");
    let mut told = Vec::new();
    while let Some(Ok(Event::Token(token))) = stream.next_blocking() {
        told.push(token.attention);
    }
    assert_eq!(told, [[0.0, 0.0], [1.0, 0.0]]);
}
