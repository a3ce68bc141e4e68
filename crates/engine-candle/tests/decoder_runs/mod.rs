//! The ways in which tokens may reach a decoder, all of which must give the same logits.

use engine_candle::{Asks, Chunk, Decoder, KvCache};
use serde::Deserialize;

/// A sequence, and for each token the logits after it.
#[derive(Deserialize)]
pub(crate) struct Expected {
    /// What the model reads.
    pub(crate) tokens: Vec<u32>,
    /// `[token][vocabulary]`.
    pub(crate) logits: Vec<Vec<f32>>,
}

/// The logits after each token of each sequence.
pub(crate) type Run = fn(&Decoder, &[Expected]) -> Vec<Vec<Vec<f32>>>;

/// Each way, by name.
pub(crate) const WAYS: [(&str, Run); 3] = [
    ("whole prompts", whole_prompts),
    ("one token at a time", one_at_a_time),
    ("a mixed batch", a_mixed_batch),
];

/// Every beginning of every sequence as a prompt of its own, all in one batch.
fn whole_prompts(decoder: &Decoder, expected: &[Expected]) -> Vec<Vec<Vec<f32>>> {
    let prompts = expected
        .iter()
        .flat_map(|one| (1..=one.tokens.len()).map(|len| &one.tokens[..len]))
        .collect::<Vec<_>>();
    let mut caches = caches(decoder, prompts.len());
    let mut logits = forward(decoder, &prompts, &mut caches).into_iter();
    expected
        .iter()
        .map(|one| logits.by_ref().take(one.tokens.len()).collect())
        .collect()
}

/// Each sequence by itself, token by token.
fn one_at_a_time(decoder: &Decoder, expected: &[Expected]) -> Vec<Vec<Vec<f32>>> {
    expected
        .iter()
        .map(|one| {
            let mut cache = caches(decoder, 1);
            one.tokens
                .chunks(1)
                .flat_map(|token| forward(decoder, &[token], &mut cache))
                .collect()
        })
        .collect()
}

/// The sequences side by side: the last one token by token, the others in pieces of growing
/// size. Logits that nobody asked for are filled in from the reference.
fn a_mixed_batch(decoder: &Decoder, expected: &[Expected]) -> Vec<Vec<Vec<f32>>> {
    let mut caches = caches(decoder, expected.len());
    let mut logits = expected
        .iter()
        .map(|one| one.logits.clone())
        .collect::<Vec<_>>();
    for step in 1.. {
        let mut batch = Vec::new();
        let mut asked = Vec::new();
        for (index, (one, cache)) in expected.iter().zip(&mut caches).enumerate() {
            let rest = &one.tokens[cache.len()..];
            let most = if index + 1 == expected.len() { 1 } else { step };
            let tokens = &rest[..most.min(rest.len())];
            if tokens.is_empty() {
                continue;
            }
            asked.push((index, cache.len() + tokens.len() - 1));
            batch.push(Chunk {
                tokens,
                cache,
                asks: Asks::Logits,
            });
        }
        if batch.is_empty() {
            break;
        }
        let rows = decoder.forward(&mut batch).expect("the batch can be run");
        for ((index, position), row) in asked.into_iter().zip(rows) {
            logits[index][position] = row;
        }
    }
    logits
}

fn forward(decoder: &Decoder, tokens: &[&[u32]], caches: &mut [KvCache]) -> Vec<Vec<f32>> {
    let mut batch = tokens
        .iter()
        .zip(caches)
        .map(|(tokens, cache)| Chunk {
            tokens,
            cache,
            asks: Asks::Logits,
        })
        .collect::<Vec<_>>();
    decoder.forward(&mut batch).expect("the batch can be run")
}

fn caches(decoder: &Decoder, count: usize) -> Vec<KvCache> {
    (0..count).map(|_| decoder.new_cache()).collect()
}
