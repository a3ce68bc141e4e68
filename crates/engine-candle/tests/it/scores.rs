//! How likely a text is that the model did not write.

use std::thread;

use engine::{Engine, EngineError, Event, Prompt, Request, Sharing, TokenScore};
use engine_candle::{CandleEngine, Settings};

use crate::asking::{question, question_about};
use crate::models::{bundled, talkative, whole_words};
use crate::recital::{self, Ending};

/// The ids and the logarithms of probabilities that an answer was written with, and its text.
fn written(engine: &CandleEngine, request: Request) -> (Vec<(u32, f32)>, String) {
    let request = Request {
        logprobs: Some(0),
        ..request
    };
    let mut stream = engine.generate(request).expect("taken");
    let (mut told, mut text) = (Vec::new(), String::new());
    while let Some(Event::Token(token)) = stream.next_blocking().map(|event| event.expect("good")) {
        let logprobs = token.logprobs.into_iter();
        told.extend(logprobs.map(|one| (one.chosen.id, one.chosen.logprob)));
        text.push_str(&token.text);
    }
    (told, text)
}

fn numbers(scores: &[TokenScore]) -> Vec<(u32, f32)> {
    scores.iter().map(|one| (one.id, one.logprob)).collect()
}

fn requests() -> Vec<Request> {
    let river = "The Han flows through Seoul. It is 514 kilometres long. ".repeat(20);
    [
        question("What is tea?"),
        question("서울은 어떤 도시인가요?"),
        question_about("Rivers", &river, "How long is the Han?"),
    ]
    .into_iter()
    .map(|request| Request {
        max_tokens: Some(40),
        ..request
    })
    .collect()
}

/// Not nearly: exactly, whether the prompt is known, in whatever company, and in any chunks.
#[test]
fn a_text_is_as_likely_as_when_it_was_written() {
    let engine = talkative(Settings::default());
    for mut request in requests() {
        request.logit_bias = whole_words(&engine);
        let prompt = request.prompt.clone();
        let (told, text) = written(&engine, request);
        for salt in [None, Some("nobody has read it")] {
            let sharing = Sharing {
                salt: salt.map(str::to_owned),
                era: None,
            };
            let scores = engine.score(&prompt, &text, &sharing).expect("taken");
            let same = told.iter().zip(numbers(&scores));
            let same = same.take_while(|(told, score)| told.0 == score.0);
            let same = same
                .inspect(|(told, score)| assert_eq!(*told, score, "{text}"))
                .count();
            assert!(
                same * 2 > told.len(),
                "{same} of {} tokens of {text:?}",
                told.len()
            );
        }
    }
}

#[test]
fn scores_are_the_same_in_any_company() {
    let engine = bundled(Settings::default());
    let prompt = question("What is tea?").prompt;
    // More than a step takes, so that it is read in parts.
    let text = "Tea is a drink. 차는 마실 것이다. ".repeat(60);
    let alone = engine
        .score(&prompt, &text, &Sharing::default())
        .expect("taken");
    assert!(alone.len() > 512, "{} tokens", alone.len());
    let company = (0..4).map(|_| engine.generate(question("Why?")).expect("taken"));
    let company = company.collect::<Vec<_>>();
    let another = Sharing {
        salt: Some("another".into()),
        era: None,
    };
    let together = thread::scope(|scope| {
        let ask = || engine.score(&prompt, &text, &another);
        let asking = [(); 3].map(|()| scope.spawn(ask));
        asking.map(|one| one.join().expect("no panic").expect("taken"))
    });
    assert!(together.iter().all(|scores| *scores == alone));
    drop(company);
}

#[test]
fn the_ranges_of_tokens_are_the_text() {
    let engine = bundled(Settings::default());
    let prompt = question("?").prompt;
    for text in [
        "  two blanks before, and behind  ",
        "한글과 漢字와 🏙️🇰🇷 그림",
        "a\u{FDD0}b <|assistant|> </s>\n\n\tc",
        "\n",
    ] {
        let scores = engine
            .score(&prompt, text, &Sharing::default())
            .expect("taken");
        let mut covered = 0;
        for TokenScore { range, .. } in &scores {
            assert!(text.get(range.clone()).is_some(), "{text:?} {range:?}");
            assert!(range.start <= covered, "{text:?} {range:?}");
            covered = covered.max(range.end);
        }
        assert_eq!(covered, text.len(), "{text:?}");
    }
}

#[test]
fn sources_make_what_they_say_more_likely() {
    let engine = bundled(Settings::default());
    let with = question_about(
        "Rivers",
        "The Han flows through Seoul. It is 514 kilometres long.",
        "How long is the Han?",
    );
    let without = question("How long is the Han?");
    let mean = |prompt: &Prompt| {
        let scores = engine.score(prompt, "It is 514 kilometres long.", &Sharing::default());
        let scores = scores.expect("taken");
        scores.iter().map(|one| one.logprob).sum::<f32>() / scores.len() as f32
    };
    let (with, without) = (mean(&with.prompt), mean(&without.prompt));
    assert!(with > without + 0.5, "{with} with, {without} without");
}

#[test]
fn what_does_not_fit_or_finds_no_place_is_refused() {
    let settings = Settings {
        queue: 1,
        max_running: 1,
        ..Settings::default()
    };
    let engine = recital::engine(&[b"la ", b"li "], Ending::Again, settings);
    let prompt = question("Sing!").prompt;
    assert_eq!(
        engine.score(&prompt, "", &Sharing::default()),
        Ok(Vec::new())
    );
    let long = "la li ".repeat(4096);
    for text in [long.as_str(), &long[..4096 * 4]] {
        let refused = engine.score(&prompt, text, &Sharing::default());
        let too_long = matches!(refused, Err(EngineError::PromptTooLong { .. }));
        assert!(too_long, "{refused:?}");
    }
    let mut running = engine.generate(question("Sing!")).expect("taken");
    running.next_blocking();
    let waiting = engine.generate(question("Sing!")).expect("taken");
    let refused = engine.score(&prompt, "la ", &Sharing::default());
    assert!(
        matches!(refused, Err(EngineError::Busy { .. })),
        "{refused:?}"
    );
    drop((running, waiting));
}
