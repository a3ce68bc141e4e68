//! The suite that every engine must pass.
//!
//! An engine's tests call [`check`] with an engine whose answers are slow enough to be
//! overtaken (a model, or a paced script) and whose answer to a plain question has at least
//! three tokens.

use std::thread;
use std::time::{Duration, Instant};

use crate::{
    Engine, EngineError, Event, FinishReason, Logprob, Message, Prompt, Request, Role, Sharing,
    TokenLogprobs, TokenScore, TokenStream, Usage,
};

/// Runs the whole suite.
///
/// # Panics
///
/// When the engine breaks its contract.
pub fn check(engine: &dyn Engine) {
    ends_in_exactly_one_done(engine);
    same_request_gives_same_tokens(engine);
    stops_at_the_token_limit(engine);
    stops_before_a_stop_string(engine);
    reports_how_likely_the_tokens_were(engine);
    scores_a_text_as_it_would_write_it(engine);
    scores_nothing_of_nothing_and_refuses_too_much(engine);
    tells_attention_only_of_what_is_watched(engine);
    refuses_a_prompt_over_the_context(engine);
    counts_prompt_tokens(engine);
    dropping_the_stream_frees_the_slot(engine);
    answers_busy_when_full_and_recovers(engine);
}

/// A request that any engine can answer.
pub fn plain_request() -> Request {
    let message = Message::new(Role::User, "What does ibid mean?");
    Request {
        prompt: Prompt {
            messages: vec![message],
            ..Prompt::default()
        },
        max_tokens: Some(16),
        ..Request::default()
    }
}

fn ends_in_exactly_one_done(engine: &dyn Engine) {
    let mut stream = engine
        .generate(plain_request())
        .expect("a plain request is taken");
    let (tokens, _, _, usage) = read(&mut stream);
    assert_eq!(
        usage.completion_tokens,
        tokens.len(),
        "usage counts the tokens that were sent"
    );
    assert!(stream.next_blocking().is_none(), "nothing follows the end");
}

fn same_request_gives_same_tokens(engine: &dyn Engine) {
    let [first, second] =
        [(), ()].map(|()| read(&mut engine.generate(plain_request()).expect("taken")).0);
    assert_eq!(
        first, second,
        "the same greedy request gives the same tokens"
    );
}

fn stops_at_the_token_limit(engine: &dyn Engine) {
    let request = Request {
        max_tokens: Some(2),
        ..plain_request()
    };
    let (tokens, _, finish_reason, usage) = read(&mut engine.generate(request).expect("taken"));
    assert_eq!(
        (tokens.len(), usage.completion_tokens),
        (2, 2),
        "max_tokens is the number of tokens sent"
    );
    assert_eq!(finish_reason, FinishReason::Length, "a cut answer says so");
}

fn stops_before_a_stop_string(engine: &dyn Engine) {
    let (_, whole, _, _) = read(&mut engine.generate(plain_request()).expect("taken"));
    let half = whole
        .chars()
        .skip(whole.chars().count() / 2)
        .take(2)
        .collect::<String>();
    let expected = &whole[..whole
        .find(&half)
        .expect("a part of the text is in the text")];
    let request = Request {
        stop: vec![half],
        ..plain_request()
    };
    let (_, text, finish_reason, _) = read(&mut engine.generate(request).expect("taken"));
    assert_eq!(text, expected, "the text ends before the stop string");
    assert_eq!(finish_reason, FinishReason::Stop);
}

fn reports_how_likely_the_tokens_were(engine: &dyn Engine) {
    let request = Request {
        logprobs: Some(3),
        ..plain_request()
    };
    let mut stream = engine.generate(request).expect("taken");
    let (mut text, mut bytes) = (String::new(), Vec::new());
    while let Some(Event::Token(token)) =
        stream.next_blocking().map(|event| event.expect("no error"))
    {
        text.push_str(&token.text);
        for TokenLogprobs { chosen, top } in token.logprobs {
            assert_eq!(top.len(), 3, "as many as were asked for");
            assert!(top[0].logprob <= 0.0, "no probability is above 1");
            assert!(
                top.is_sorted_by(|a, b| a.logprob >= b.logprob),
                "the most likely first"
            );
            assert_eq!(chosen, top[0], "a greedy choice is the most likely token");
            bytes.extend(chosen.bytes);
        }
    }
    assert_eq!(
        String::from_utf8_lossy(&bytes).trim(),
        text.trim(),
        "the tokens' bytes are the text"
    );
}

fn scores_a_text_as_it_would_write_it(engine: &dyn Engine) {
    let request = Request {
        logprobs: Some(0),
        ..plain_request()
    };
    let prompt = request.prompt.clone();
    let mut stream = engine.generate(request.clone()).expect("taken");
    let (mut text, mut written) = (String::new(), Vec::new());
    while let Some(Event::Token(token)) =
        stream.next_blocking().map(|event| event.expect("no error"))
    {
        text.push_str(&token.text);
        written.extend(token.logprobs.into_iter().map(|one| one.chosen));
    }
    let scores = engine
        .score(&prompt, &text, &Sharing::default())
        .expect("taken");
    assert!(
        engine.load().is_idle(),
        "nothing is held: {:?}",
        engine.load()
    );
    let mut covered = 0;
    for score in &scores {
        assert!(text.get(score.range.clone()).is_some(), "{score:?}");
        assert!(score.range.start <= covered, "a hole before {score:?}");
        covered = covered.max(score.range.end);
    }
    assert_eq!(covered, text.len(), "the tokens are the text");
    // The same text may be cut into tokens in other ways than the model wrote it in.
    let same = written.iter().zip(&scores);
    for (written, score) in same.take_while(|(written, score)| written.id == score.id) {
        assert_as_likely(written, score);
    }
    // A model that is made to begin with a token reports what it thinks of it all the same.
    let forced = Request {
        logit_bias: vec![(scores[0].id, 100.0)],
        max_tokens: Some(1),
        ..request
    };
    let mut stream = engine.generate(forced).expect("taken");
    let Some(Ok(Event::Token(token))) = stream.next_blocking() else {
        panic!("an answer begins with a token");
    };
    if token.id == scores[0].id {
        assert_as_likely(&token.logprobs[0].chosen, &scores[0]);
    }
}

fn assert_as_likely(written: &Logprob, score: &TokenScore) {
    let off = (written.logprob - score.logprob).abs();
    assert!(off < 1e-3, "written as {written:?}, scored as {score:?}");
}

fn scores_nothing_of_nothing_and_refuses_too_much(engine: &dyn Engine) {
    let prompt = plain_request().prompt;
    assert_eq!(
        engine.score(&prompt, "", &Sharing::default()),
        Ok(Vec::new())
    );
    let text = "a word and another ".repeat(engine.model().context);
    let refused = engine.score(&prompt, &text, &Sharing::default());
    assert!(
        matches!(refused, Err(EngineError::PromptTooLong { .. })),
        "got {refused:?}"
    );
}

fn tells_attention_only_of_what_is_watched(engine: &dyn Engine) {
    for watch in [vec![], vec!["ibid".to_owned(), "is not there".to_owned()]] {
        let request = Request {
            watch: watch.clone(),
            ..plain_request()
        };
        let mut stream = engine.generate(request).expect("taken");
        while let Some(Event::Token(token)) =
            stream.next_blocking().map(|event| event.expect("no error"))
        {
            // Not every engine can tell.
            let told = &token.attention;
            assert!(told.is_empty() || told.len() == watch.len(), "{told:?}");
            assert!(
                told.iter().all(|share| (0.0..=1.001).contains(share)),
                "{told:?}"
            );
            assert_eq!(told.get(1).copied().unwrap_or(0.0), 0.0, "it is not there");
        }
    }
}

fn refuses_a_prompt_over_the_context(engine: &dyn Engine) {
    let content = "a word and another ".repeat(engine.model().context);
    let prompt = Prompt {
        messages: vec![Message::new(Role::User, content)],
        ..Prompt::default()
    };
    let refused = engine
        .generate(Request {
            prompt,
            ..plain_request()
        })
        .err();
    assert!(
        matches!(refused, Some(EngineError::PromptTooLong { .. })),
        "got {refused:?}"
    );
}

fn counts_prompt_tokens(engine: &dyn Engine) {
    let request = plain_request();
    let counted = engine
        .count_prompt_tokens(&request.prompt)
        .expect("a plain prompt can be counted");
    let (_, _, _, usage) = read(&mut engine.generate(request).expect("taken"));
    assert_eq!(
        counted, usage.prompt_tokens,
        "the count is what generation then takes"
    );
}

fn dropping_the_stream_frees_the_slot(engine: &dyn Engine) {
    let mut stream = engine
        .generate(Request {
            max_tokens: Some(64),
            ..plain_request()
        })
        .expect("taken");
    assert!(
        matches!(stream.next_blocking(), Some(Ok(Event::Token(_)))),
        "an answer begins with a token"
    );
    drop(stream);
    wait_until_idle(engine);
}

fn answers_busy_when_full_and_recovers(engine: &dyn Engine) {
    let more_than_any_queue = 10_000;
    let mut streams = Vec::new();
    let refused = (0..more_than_any_queue).find_map(|_| match engine.generate(plain_request()) {
        Ok(stream) => {
            streams.push(stream);
            None
        }
        Err(error) => Some(error),
    });
    assert!(
        matches!(refused, Some(EngineError::Busy { .. })),
        "a full queue answers busy, got {refused:?}"
    );
    drop(streams);
    wait_until_idle(engine);
    read(
        &mut engine
            .generate(plain_request())
            .expect("there is room again"),
    );
}

fn wait_until_idle(engine: &dyn Engine) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !engine.load().is_idle() {
        assert!(
            Instant::now() < deadline,
            "still held after every stream was dropped: {:?}",
            engine.load()
        );
        thread::yield_now();
    }
}

fn read(stream: &mut TokenStream) -> (Vec<u32>, String, FinishReason, Usage) {
    let (mut tokens, mut text) = (Vec::new(), String::new());
    loop {
        match stream
            .next_blocking()
            .expect("a stream ends in Done or an error")
            .expect("no error")
        {
            Event::Token(token) => {
                tokens.push(token.id);
                text.push_str(&token.text);
            }
            Event::Done {
                finish_reason,
                usage,
            } => return (tokens, text, finish_reason, usage),
        }
    }
}
