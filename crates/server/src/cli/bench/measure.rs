//! One repetition: all streams read their prompts, then all read and write.

use std::thread;
use std::time::Instant;

use anyhow::{Context, bail};
use engine::{Engine, Event, Prompt, Request, SamplingParams, TokenStream};

use crate::cli::measuring_bar::MeasuringBar;

/// What is asked of the engine in one repetition.
pub(super) struct Round<'a> {
    /// One for each stream.
    pub(super) prompts: Vec<Prompt>,
    /// Tokens each stream writes while all run.
    pub(super) generate: usize,
    /// Keeps generation from ending.
    pub(super) bias: &'a [(u32, f32)],
}

/// What one repetition gave.
pub(super) struct Figures {
    prefill_tok_s: f64,
    decode_tok_s: f64,
    /// Seconds, of each stream.
    first_token: Vec<f64>,
}

/// What the repetitions gave.
#[derive(Default)]
pub(super) struct Measurement {
    prefill_tok_s: Vec<f64>,
    decode_tok_s: Vec<f64>,
    first_token: Vec<f64>,
}

impl Measurement {
    pub(super) fn add(&mut self, figures: Figures) {
        self.prefill_tok_s.push(figures.prefill_tok_s);
        self.decode_tok_s.push(figures.decode_tok_s);
        self.first_token.extend(figures.first_token);
    }

    pub(super) fn prefill_tok_s(&self) -> f64 {
        median(&self.prefill_tok_s)
    }

    pub(super) fn decode_tok_s(&self) -> f64 {
        median(&self.decode_tok_s)
    }

    pub(super) fn first_token_ms(&self) -> f64 {
        median(&self.first_token) * 1000.0
    }
}

/// Reading is timed by itself: in the second pass those who have read already write meanwhile.
pub(super) fn measure(
    engine: &dyn Engine,
    round: &Round<'_>,
    bar: &MeasuringBar,
) -> anyhow::Result<Figures> {
    let read = run(engine, round, 1)?;
    bar.advance();
    let written = run(engine, round, round.generate + head_start(engine, round)?)?;
    bar.advance();
    let first_token = read.iter().map(|stream| stream.tokens[0]);
    let first_token = first_token.collect::<Vec<_>>();
    let prompt_tokens = read
        .iter()
        .map(|stream| stream.prompt_tokens)
        .sum::<usize>();
    Ok(Figures {
        prefill_tok_s: prompt_tokens as f64 / first_token.iter().copied().fold(0.0, f64::max),
        decode_tok_s: together(&written).context(
            "the first streams ended before the last began: ask for shorter prompts or fewer streams",
        )?,
        first_token,
    })
}

/// What one stream did.
struct Stream {
    prompt_tokens: usize,
    /// When each token came, in seconds after the requests were made.
    tokens: Vec<f64>,
}

/// Makes all requests at once and notes when their tokens come.
fn run(engine: &dyn Engine, round: &Round<'_>, max_tokens: usize) -> anyhow::Result<Vec<Stream>> {
    let start = Instant::now();
    thread::scope(|scope| {
        let mut readers = Vec::new();
        for prompt in &round.prompts {
            let stream = engine.generate(Request {
                prompt: prompt.clone(),
                sampling: SamplingParams::GREEDY,
                max_tokens: Some(max_tokens),
                logit_bias: round.bias.to_vec(),
                ..Request::default()
            })?;
            readers.push(scope.spawn(move || follow(stream, start, max_tokens)));
        }
        let streams = readers.into_iter();
        streams
            .map(|reader| reader.join().expect("reading a stream does not panic"))
            .collect()
    })
}

fn follow(mut stream: TokenStream, start: Instant, expected: usize) -> anyhow::Result<Stream> {
    let mut tokens = Vec::with_capacity(expected);
    while let Some(event) = stream.next_blocking() {
        match event? {
            Event::Token(_) => tokens.push(start.elapsed().as_secs_f64()),
            Event::Done { usage, .. } if tokens.len() == expected => {
                return Ok(Stream {
                    prompt_tokens: usage.prompt_tokens - usage.cached_tokens,
                    tokens,
                });
            }
            Event::Done { .. } => break,
        }
    }
    bail!(
        "the model ended its answer after {} of {expected} tokens",
        tokens.len()
    )
}

/// Tokens that the first stream may write until the last has read its prompt: an engine reads at
/// least 64 tokens of a prompt between two steps. As far as the context has room.
fn head_start(engine: &dyn Engine, round: &Round<'_>) -> anyhow::Result<usize> {
    let fewest_tokens_a_step = 64;
    let mut longest = 0;
    for prompt in &round.prompts {
        longest = longest.max(engine.count_prompt_tokens(prompt)?);
    }
    let steps = (round.prompts.len() - 1) * longest.div_ceil(fewest_tokens_a_step);
    let room = engine.model().context - longest - round.generate;
    Ok(steps.min(room))
}

/// Tokens per second of all streams while all of them write; `None` if they never do.
fn together(streams: &[Stream]) -> Option<f64> {
    let from = streams.iter().filter_map(|stream| stream.tokens.first());
    let from = from.copied().fold(0.0, f64::max);
    let until = streams.iter().filter_map(|stream| stream.tokens.last());
    let until = until.copied().fold(f64::INFINITY, f64::min);
    let rate = |stream: &Stream| {
        let inside = stream
            .tokens
            .iter()
            .filter(|&&at| from <= at && at <= until);
        let inside = inside.copied().collect::<Vec<_>>();
        let steps = inside.len().checked_sub(1).filter(|steps| *steps > 0)?;
        Some(steps as f64 / (inside[steps] - inside[0]))
    };
    streams.iter().map(rate).sum()
}

/// The middle one, or the mean of the two in the middle; there must be one.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len().is_multiple_of(2) {
        true => sorted[middle - 1].midpoint(sorted[middle]),
        false => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn only_what_is_written_together_counts() {
        let check = |streams: &[&[f64]], expected: Option<f64>| {
            let streams = streams.iter().map(|tokens| Stream {
                prompt_tokens: 1,
                tokens: tokens.to_vec(),
            });
            assert_eq!(together(&streams.collect::<Vec<_>>()), expected);
        };
        check(&[&[1.0, 1.5, 2.0]], Some(2.0));
        check(&[&[0.0, 0.1, 2.0, 3.0], &[2.0, 3.0, 4.0, 5.0]], Some(2.0));
        check(&[&[0.0, 1.0], &[2.0, 3.0]], None);
    }
}
