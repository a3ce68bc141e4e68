//! What the clients do: files are added, replaced and deleted, by a seeded choice.

use std::sync::Mutex;

use crate::client::{Client, Reply};
use crate::ledger::{Fate, Ledger, Version, content};

/// A small generator of numbers (xorshift): the same seed, the same requests.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn roll(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// How replies are believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belief {
    /// As the server says.
    Honest,
    /// The planted defect: as if the server acknowledged before it has done anything.
    Early,
}

/// Makes one file have a version, or none, and notes how that went.
pub(crate) fn make(
    client: &Client,
    ledger: &Mutex<Ledger>,
    name: &str,
    version: Version,
    belief: Belief,
) -> Fate {
    let pending = ledger.lock().unwrap().begin(name, version);
    let reply = match version {
        Some(version) => client.replace(name, content(name, version).as_bytes()),
        None => delete(client, name),
    };
    let fate = match reply {
        _ if belief == Belief::Early => Fate::Acknowledged,
        Ok(reply) if reply.is_success() => Fate::Acknowledged,
        // The server failed on the way and cannot say how far it came.
        Ok(reply) if reply.status == 500 => Fate::Unknown,
        Ok(_) => Fate::Refused,
        Err(_) => Fate::Unknown,
    };
    ledger.lock().unwrap().end(pending, fate);
    fate
}

/// Deletes every file of that name, such as the two of a replacement that goes on, the older
/// one first.
fn delete(client: &Client, name: &str) -> std::io::Result<Reply> {
    loop {
        let list = client.get("/v1/vector_stores/default/files?order=asc&limit=100")?;
        let list = list.json();
        let mut files = list["data"].as_array().expect("a list").iter();
        let Some(file) = files.find(|file| file["filename"] == *name) else {
            return Ok(Reply {
                status: 200,
                body: Vec::new(),
            });
        };
        let id = file["id"].as_str().expect("an id");
        let reply = client.delete(&format!("/v1/files/{id}"))?;
        // Its successor has removed it meanwhile.
        if !reply.is_success() && reply.status != 404 {
            return Ok(reply);
        }
    }
}

/// One client that works on `names` of its own until the server is gone or `limit` is reached.
pub(crate) fn work(
    client: &Client,
    ledger: &Mutex<Ledger>,
    names: &[String],
    dice: &mut Dice,
    limit: usize,
    belief: Belief,
) {
    for _ in 0..limit {
        let name = &names[dice.roll(names.len() as u64) as usize];
        let latest = ledger.lock().unwrap().latest(name);
        let version = match latest {
            Some(_) if dice.roll(3) == 0 => None,
            _ => Some(dice.roll(1500)),
        };
        if make(client, ledger, name, version, belief) == Fate::Unknown {
            return;
        }
        if belief == Belief::Early && client.get("/healthz").is_err() {
            return;
        }
    }
}

/// The names that client number `client` works on.
pub(crate) fn names(client: usize, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("d{client}x{n}.txt")).collect()
}
