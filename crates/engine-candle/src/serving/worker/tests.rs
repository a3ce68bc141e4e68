//! Steps of a worker, one by one.

use engine::{EngineError, Event, TokenStream};

use super::*;
use crate::serving::fake::{Counting, job};
use crate::serving::queue::QueueLimits;

const LIMITS: QueueLimits = QueueLimits {
    requests: 64,
    tokens: 1 << 20,
    wait: std::time::Duration::MAX,
    slots: 8,
    workers: 1,
};

fn worker(network: Counting) -> Worker<Counting> {
    let settings = Settings {
        threads: Some(1),
        ..Settings::default()
    };
    let queue = Arc::new(Queue::new(LIMITS));
    Worker::new(0, Arc::new(network), queue, &settings).expect("threads can be started")
}

fn ask(worker: &Worker<Counting>, prompt: Vec<u32>, max_tokens: usize) -> TokenStream {
    let (job, stream) = job(prompt, max_tokens);
    worker.queue.push(job).expect("there is room");
    stream
}

fn turn(worker: &mut Worker<Counting>) {
    worker.admit();
    worker.step();
    worker.sweep();
}

/// Everything a stream yields, once the worker is done.
fn read(mut stream: TokenStream) -> Result<Vec<u32>, EngineError> {
    let mut tokens = Vec::new();
    loop {
        match stream
            .next_blocking()
            .expect("it ends in Done or an error")?
        {
            Event::Token(token) => tokens.push(token.id),
            Event::Done { .. } => return Ok(tokens),
        }
    }
}

#[test]
fn a_panic_ends_the_guilty_request_alone() {
    let mut worker = worker(Counting {
        poison: Some(15),
        nonsense: Some(204),
        ..Counting::default()
    });
    let streams = [100, 10, 200, 300].map(|first| ask(&worker, vec![first], 8));
    for _ in 0..8 {
        turn(&mut worker);
    }
    let [good, poisoned, nonsense, also_good] = streams.map(read);
    assert_eq!(good, Ok((101..109).collect()));
    assert_eq!(also_good, Ok((301..309).collect()));
    let failure = |result: Result<_, EngineError>| result.expect_err("it fails").to_string();
    assert!(failure(poisoned).contains("poison"));
    assert!(failure(nonsense).contains("not numbers"));
    assert_eq!(worker.network.held(), 0);
    assert_eq!(worker.queue.load().running, 0);
}

#[test]
fn a_panic_at_admission_ends_that_request_alone() {
    let mut worker = worker(Counting {
        unwelcome: Some(66),
        ..Counting::default()
    });
    let streams = [1, 66, 10].map(|first| ask(&worker, vec![first], 1));
    turn(&mut worker);
    let [first, unwelcome, last] = streams.map(read);
    assert_eq!((first, last), (Ok(vec![2]), Ok(vec![11])));
    let failure = unwelcome.expect_err("it fails").to_string();
    assert!(failure.contains("unwelcome"), "{failure}");
}

#[test]
fn a_long_prompt_delays_others_by_one_step() {
    let mut worker = worker(Counting::default());
    let mut writing = ask(&worker, vec![1], 64);
    turn(&mut worker);
    let long = ask(&worker, (0..1000).collect(), 2);
    let short = ask(&worker, (0..100).collect(), 2);
    for step in 0.. {
        writing.next_blocking().expect("it goes on").expect("well");
        let before = worker.network.batches.lock().expect("no panic").len();
        turn(&mut worker);
        let batches = worker.network.batches.lock().expect("no panic");
        let fed = batches[before..].concat();
        assert!(fed.contains(&1), "step {step}: nothing was written");
        let read = fed.iter().sum::<usize>();
        assert!(read <= 256 + 3, "step {step}: {read} tokens");
        if worker.sequences.len() == 1 {
            // 1100 tokens of prompts, at least 64 a step, and the last token of the long one.
            assert!(step <= 18, "step {step}");
            break;
        }
    }
    assert_eq!(read(long), Ok(vec![1000, 1001]));
    assert_eq!(read(short), Ok(vec![100, 101]));
}

#[test]
fn a_request_waits_for_memory_and_is_not_overtaken() {
    let mut worker = worker(Counting {
        budget: 12,
        ..Counting::default()
    });
    let first = ask(&worker, vec![1, 2, 3, 4], 4);
    let large = ask(&worker, vec![10, 11, 12, 13, 14, 15], 6);
    let small = ask(&worker, vec![20], 1);
    turn(&mut worker);
    assert_eq!(
        worker.queue.load().waiting,
        2,
        "neither fits, nor overtakes"
    );
    for _ in 0..10 {
        turn(&mut worker);
    }
    assert_eq!(read(first), Ok(vec![5, 6, 7, 8]));
    assert_eq!(read(large), Ok(vec![16, 17, 18, 19, 20, 21]));
    assert_eq!(read(small), Ok(vec![21]));
    assert_eq!(worker.network.held(), 0);
}

#[test]
fn a_dropped_stream_gives_its_memory_back_within_a_step() {
    let mut worker = worker(Counting::default());
    let kept = ask(&worker, vec![1], 3);
    let dropped = ask(&worker, (0..2000).collect(), 1000);
    turn(&mut worker);
    assert_eq!(worker.network.held(), 3 + 2999);
    drop(dropped);
    turn(&mut worker);
    assert_eq!(worker.network.held(), 3);
    turn(&mut worker);
    assert_eq!(read(kept), Ok(vec![2, 3, 4]));
}

#[test]
fn a_panic_becomes_an_error() {
    let failed = catch_panic(|| -> usize { panic!("out of {}", "luck") });
    let expected = EngineError::Failed("internal error: out of luck".into());
    assert_eq!(failed, Err(expected));
}
