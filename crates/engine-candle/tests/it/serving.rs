//! Requests beside each other, and what they leave behind.

use std::thread;
use std::time::{Duration, Instant};

use engine::{Engine, EngineError, Event, Request, SamplingParams};
use engine_candle::Settings;

use crate::asking::{ask, question, question_about, read};
use crate::models::bundled;
use crate::recital::{self, Ending};

#[test]
fn requests_get_the_same_tokens_alone_and_together() {
    let engine = bundled(Settings {
        max_running: 5,
        ..Settings::default()
    });
    let requests = different_requests();
    let alone = requests.iter().map(|one| ask(&engine, one.clone()));
    let alone = alone.collect::<Vec<_>>();
    let streams = requests.iter().map(|one| engine.generate(one.clone()));
    let mut streams = streams.collect::<Result<Vec<_>, _>>().expect("taken");
    for (index, (stream, alone)) in streams.iter_mut().zip(alone).enumerate() {
        let together = read(stream).expect("the answer ends well");
        assert_eq!(together.ids, alone.ids, "request {index}");
        assert_eq!(together.pieces, alone.pieces, "request {index}");
    }
}

#[test]
fn dropping_streams_frees_everything() {
    let engine = bundled(Settings {
        max_running: 2,
        ..Settings::default()
    });
    let requests = different_requests().into_iter();
    let mut streams = requests
        .map(|request| engine.generate(request).expect("taken"))
        .collect::<Vec<_>>();
    assert!(matches!(
        streams[0].next_blocking(),
        Some(Ok(Event::Token(_)))
    ));
    assert!(!engine.load().is_idle());
    drop(streams);
    wait_until_idle(&engine);
}

#[test]
fn a_full_queue_answers_busy() {
    let engine = recital::engine(
        &[b"la ", b"li "],
        Ending::Again,
        Settings {
            queue: 2,
            max_running: 1,
            ..Settings::default()
        },
    );
    let endless = || engine.generate(question("Sing!"));
    let mut running = endless().expect("there is room");
    assert!(matches!(running.next_blocking(), Some(Ok(_))));
    let waiting = [endless(), endless()].map(|stream| stream.expect("there is room"));
    let load = engine.load();
    assert_eq!((load.running, load.waiting), (1, 2));
    let refused = endless().err();
    assert!(
        matches!(refused, Some(EngineError::Busy { .. })),
        "{refused:?}"
    );
    drop(waiting);
    let [one, another] = [endless(), endless()];
    assert!(one.is_ok() && another.is_ok(), "abandoned places are free");
    drop((running, one, another));
    wait_until_idle(&engine);
}

#[test]
fn dropping_the_engine_ends_its_streams() {
    let engine = recital::engine(&[b"la ", b"li "], Ending::Again, Settings::default());
    let mut stream = engine.generate(question("Sing!")).expect("taken");
    assert!(matches!(stream.next_blocking(), Some(Ok(_))));
    drop(engine);
    assert_eq!(read(&mut stream), Err(EngineError::ShuttingDown));
}

/// Short and long prompts, greedy and sampled. The longest are read in several chunks.
fn different_requests() -> Vec<Request> {
    let topics = [
        ("Tea", "Tea is brewed for four minutes. ", 1),
        ("서울", "서울은 대한민국의 수도이다. ", 9),
        ("Rivers", "The Rhine is a river that flows north. ", 60),
        ("Ibid", "The word means in the same place. ", 4),
        ("Numbers", "Seventeen is a prime, and so is 19. ", 33),
    ];
    let request = |(index, (title, text, times)): (usize, (&str, &str, usize))| {
        let mut greedy = question_about(title, &text.repeat(times), &format!("{title}?"));
        greedy.max_tokens = Some(20);
        let mut sampled = greedy.clone();
        sampled.sampling = SamplingParams {
            temperature: 1.2,
            top_p: 0.95,
            seed: Some(index as u64),
            ..SamplingParams::GREEDY
        };
        [greedy, sampled]
    };
    topics.into_iter().enumerate().flat_map(request).collect()
}

fn wait_until_idle(engine: &dyn Engine) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !engine.load().is_idle() {
        assert!(Instant::now() < deadline, "it stays {:?}", engine.load());
        thread::yield_now();
    }
}
