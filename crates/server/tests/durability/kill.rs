//! E01: the server is killed at a random time, again and again.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ledger::Ledger;
use crate::process::Server;
use crate::setting;
use crate::workload::{Belief, Dice, names, work};

/// Cycles on one data directory, before a fresh one.
const CYCLES_PER_LIBRARY: u64 = 50;
const CLIENTS: usize = 3;
const FILES_PER_CLIENT: usize = 8;

/// What some cycles came to.
#[derive(Default)]
struct Tally {
    cycles: u64,
    acknowledged: u64,
    unknown: u64,
    faults: Vec<String>,
    slowest_start: Duration,
}

#[test]
fn a_few_kills_lose_nothing() {
    let tally = run(4, setting("CAMPAIGN_SEED", 1), Belief::Honest);
    assert!(tally.faults.is_empty(), "{:#?}", tally.faults);
}

#[test]
#[ignore = "part of the campaign"]
fn kills_at_random_times_lose_nothing() {
    let seed = setting("CAMPAIGN_SEED", 20_260_101);
    let tally = run(setting("CAMPAIGN_CYCLES", 300), seed, Belief::Honest);
    println!(
        "E01: {} kills, {} acknowledged, {} unknown, {} faults, slowest start {:?}, seed {seed}",
        tally.cycles,
        tally.acknowledged,
        tally.unknown,
        tally.faults.len(),
        tally.slowest_start
    );
    assert!(tally.faults.is_empty(), "{:#?}", tally.faults);
}

#[test]
#[ignore = "part of the campaign"]
fn early_acknowledgements_are_caught() {
    let tally = run(20, 7, Belief::Early);
    println!(
        "E01 plant: {} faults in {} kills",
        tally.faults.len(),
        tally.cycles
    );
    assert!(
        !tally.faults.is_empty(),
        "the planted defect was not caught"
    );
}

fn run(cycles: u64, seed: u64, belief: Belief) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed);
    while tally.cycles < cycles && tally.faults.is_empty() {
        let count = CYCLES_PER_LIBRARY.min(cycles - tally.cycles);
        one_library(count, &mut dice, belief, &mut tally);
    }
    tally
}

fn one_library(cycles: u64, dice: &mut Dice, belief: Belief, tally: &mut Tally) {
    let home = TempDir::new().expect("a folder");
    let data_dir = home.path().join("data");
    std::fs::create_dir(&data_dir).expect("a folder");
    let ledger = Mutex::new(Ledger::new(&home.path().join("ledger")));
    for _ in 0..cycles {
        kill_while_working(&data_dir, &ledger, dice, belief);
        // A part of the kills hits the recovery from the one before.
        if dice.roll(5) == 0 {
            let server = Server::must_start(&data_dir);
            thread::sleep(Duration::from_millis(dice.roll(30)));
            server.kill();
        }
        let started = Instant::now();
        let mut server = Server::must_start(&data_dir);
        server.must_settle();
        tally.slowest_start = tally.slowest_start.max(started.elapsed());
        tally
            .faults
            .extend(ledger.lock().unwrap().check(&server.client));
        server.kill();
        tally.cycles += 1;
    }
    let ledger = ledger.lock().unwrap();
    tally.acknowledged += ledger.acknowledged;
    tally.unknown += ledger.unknown;
}

fn kill_while_working(
    data_dir: &std::path::Path,
    ledger: &Mutex<Ledger>,
    dice: &mut Dice,
    belief: Belief,
) {
    let server = Server::must_start(data_dir);
    let time = Duration::from_millis(dice.roll(900));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (connection, seed) = (server.client.clone(), dice.roll(u64::MAX >> 12));
            scope.spawn(move || {
                let names = names(client, FILES_PER_CLIENT);
                let mut dice = Dice::new(seed);
                work(&connection, ledger, &names, &mut dice, usize::MAX, belief);
            });
        }
        thread::sleep(time);
        server.kill();
    });
}
