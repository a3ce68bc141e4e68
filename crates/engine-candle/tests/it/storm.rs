//! Two hundred requests at once, many of them dropped midway, in little memory.

use std::thread;
use std::time::{Duration, Instant};

use engine::{Engine, EngineError, Event, Request};
use engine_candle::{CandleEngine, Settings};

use crate::asking::{ask, question};
use crate::recital::{self, Ending};

const PIECES: [&[u8]; 3] = [b"la ", b"li ", b"lu "];

#[test]
fn nothing_is_held_after_a_storm() {
    // Each token's key has two numbers; its value is filled up to sixteen.
    let page = 2 * (2 + 16) * 32;
    let engine = recital::engine(
        &PIECES,
        Ending::Again,
        Settings {
            workers: 2,
            max_running: 6,
            queue: 200,
            max_wait: Duration::MAX,
            // Two of the largest requests fit at a time.
            kv_bytes: 24 * page,
            ..Settings::default()
        },
    );
    let mut seed = 7;
    let plans = (0..200).map(|_| Plan::new(&mut seed)).collect::<Vec<_>>();
    thread::scope(|scope| {
        for plan in &plans {
            scope.spawn(|| plan.run(&engine));
        }
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while !engine.load().is_idle() {
        assert!(Instant::now() < deadline, "it stays {:?}", engine.load());
        thread::yield_now();
    }
    let kv = engine.load().kv;
    assert!(kv.cached_bytes <= kv.budget_bytes);
    assert!(kv.cached_tokens > 0 && kv.evicted_pages > 0, "{kv:?}");
    let mut request = question("Sing!");
    request.max_tokens = Some(4);
    assert_eq!(ask(&engine, request).text(), "la li lu la ");
}

/// What one client does.
struct Plan {
    request: Request,
    /// It goes away after so many tokens.
    patience: usize,
}

impl Plan {
    fn new(seed: &mut u64) -> Self {
        let words = ["Sing! ", "Louder! ", "노래 "][random(seed, 3)];
        let request = Request {
            max_tokens: Some(1 + random(seed, 120)),
            ..question(&words.repeat(random(seed, 24)))
        };
        Self {
            patience: random(seed, 150),
            request,
        }
    }

    fn run(&self, engine: &CandleEngine) {
        let mut stream = match engine.generate(self.request.clone()) {
            Ok(stream) => stream,
            Err(EngineError::Busy { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        let mut text = String::new();
        for _ in 0..self.patience {
            match stream.next_blocking().expect("it has not ended") {
                Ok(Event::Token(token)) => text.push_str(&token.text),
                Ok(Event::Done { usage, .. }) => {
                    assert_eq!(Some(usage.completion_tokens), self.request.max_tokens);
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!("la li lu ".repeat(50).starts_with(&text), "{text}");
    }
}

/// A number below `end`.
fn random(seed: &mut u64, end: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % end
}
