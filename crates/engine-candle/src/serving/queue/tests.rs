//! Who is refused, and until when.

use super::*;
use crate::serving::fake::job;

const LIMITS: QueueLimits = QueueLimits {
    requests: 3,
    tokens: 100,
    wait: Duration::from_secs(10),
    slots: 1,
    workers: 1,
};

fn refused(result: Result<(), EngineError>) -> Option<u64> {
    match result {
        Ok(()) => None,
        Err(EngineError::Busy { retry_after }) => Some(seconds(retry_after)),
        Err(error) => panic!("{error}"),
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs_f64().round() as u64
}

fn prompt(tokens: usize) -> Vec<u32> {
    vec![7; tokens]
}

#[test]
fn a_queue_is_full_by_number_and_by_tokens() {
    let queue = Queue::new(LIMITS);
    let (large, _stream) = job(prompt(5000), 1);
    assert_eq!(refused(queue.push(large)), None, "one may always wait");
    assert_eq!(queue.load().waiting_tokens, 5000);
    let (small, _other) = job(prompt(1), 1);
    assert_eq!(refused(queue.push(small)), Some(2), "nothing was measured");

    let queue = Queue::new(LIMITS);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let (job, stream) = job(prompt(20), 1);
        assert_eq!(refused(queue.push(job)), None);
        streams.push(stream);
    }
    assert_eq!(refused(queue.check_room()), Some(2));
    streams.pop();
    assert_eq!(
        refused(queue.check_room()),
        None,
        "abandoned places are free"
    );
}

#[test]
fn a_wait_that_would_be_too_long_is_refused() {
    let queue = Arc::new(Queue::new(LIMITS));
    let step = |prefilled, decoded, took_s| Step {
        prefilled,
        decoded,
        took: Duration::from_secs(took_s),
    };
    // A second for each token that is generated, a tenth for each of a prompt.
    queue.note_step(0, &step(0, 1, 1), Work::default());
    queue.note_step(0, &step(100, 0, 10), Work::default());
    let (first, _stream) = job(prompt(10), 7);
    queue.push(first).expect("there is room");
    assert_eq!(seconds(queue.load().wait), 8);

    let (_job, (), slot) = queue.take(|_| Ok(Some(()))).expect("one waits");
    let left = Work {
        prefill: 0,
        decode: 6,
    };
    queue.note_step(0, &step(10, 0, 1), left);
    assert_eq!(seconds(queue.load().wait), 6);
    let (second, _second_stream) = job(prompt(20), 7);
    queue.push(second).expect("six seconds are not too long");
    // Fifteen seconds of work, and both must end before a third begins.
    assert_eq!(seconds(queue.load().wait), 15);
    assert_eq!(refused(queue.check_room()), Some(5), "until it would do");
    drop(slot);
}

#[test]
fn who_finds_no_memory_waits_until_some_is_given_back() {
    let queue = Arc::new(Queue::new(QueueLimits { slots: 4, ..LIMITS }));
    let streams = [5, 6].map(|tokens| {
        let (job, stream) = job(prompt(tokens), 1);
        queue.push(job).expect("there is room");
        stream
    });
    let (_job, (), slot) = queue.take(|_| Ok(Some(()))).expect("two wait");
    assert!(queue.take(|_| Ok(None::<()>)).is_none());
    let asked_in_vain = |_: &Job| -> Result<Option<()>, _> { panic!("nothing was given back") };
    assert!(queue.take(asked_in_vain).is_none());
    drop(slot);
    let (job, (), _slot) = queue.take(|_| Ok(Some(()))).expect("one waits");
    assert_eq!(job.prompt.len(), 6);
    drop(streams);
}

#[test]
fn what_can_never_fit_fails_instead_of_waiting_for_ever() {
    let queue = Arc::new(Queue::new(LIMITS));
    let (job, mut stream) = job(prompt(5), 1);
    queue.push(job).expect("there is room");
    assert!(queue.take(|_| Ok(None::<()>)).is_none());
    let failed = stream.next_blocking().expect("it ends");
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(queue.load().waiting, 0);
}
