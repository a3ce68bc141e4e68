//! Random prompts of a given number of tokens, the same in every run.

use anyhow::bail;
use engine::{Engine, Message, Prompt, Role};
use engine_candle::CandleEngine;

/// An endless supply of prompts that begin differently, so that none finds another's keys and
/// values in a cache.
pub(super) struct Prompts<'a> {
    engine: &'a CandleEngine,
    tokens: usize,
    random: Random,
}

impl<'a> Prompts<'a> {
    /// Prompts of `tokens` tokens, with everything the chat template adds.
    pub(super) fn new(engine: &'a CandleEngine, tokens: usize) -> Self {
        let seed = 1;
        Self {
            engine,
            tokens,
            random: Random(seed),
        }
    }

    /// The next `count` prompts.
    pub(super) fn take(&mut self, count: usize) -> anyhow::Result<Vec<Prompt>> {
        (0..count).map(|_| self.next()).collect()
    }

    /// As many words as fit, found by halving, then little pieces until the number is met.
    fn next(&mut self) -> anyhow::Result<Prompt> {
        // No word takes less than a token.
        let words = (0..self.tokens).map(|_| self.random.word());
        let words = words.collect::<Vec<_>>();
        let (mut fits, mut too_many) = (0, words.len() + 1);
        while fits + 1 < too_many {
            let middle = fits.midpoint(too_many);
            match self.count(&words[..middle].join(" "))? <= self.tokens {
                true => fits = middle,
                false => too_many = middle,
            }
        }
        if fits == 0 {
            bail!(
                "--prompt {} is too little: one word takes {} tokens with what the chat template adds",
                self.tokens,
                self.count(&words[..1].join(" "))?
            );
        }
        self.filled(words[..fits].join(" ")).map(prompt)
    }

    fn filled(&self, mut text: String) -> anyhow::Result<String> {
        for piece in [" a", " 1", ".", " I", "\n", " b", "?", " 2"].repeat(4) {
            if self.count(&text)? == self.tokens {
                break;
            }
            let longer = text.clone() + piece;
            if self.count(&longer)? <= self.tokens {
                text = longer;
            }
        }
        Ok(text)
    }

    fn count(&self, text: &str) -> anyhow::Result<usize> {
        Ok(self.engine.count_prompt_tokens(&prompt(text.to_owned()))?)
    }
}

/// A bias that keeps generation going: towards tokens of ordinary text, among which the model has
/// its choice. Text cannot contain the tokens that end a turn, so all of those are biased away.
pub(super) fn content_bias(engine: &CandleEngine) -> anyhow::Result<Vec<(u32, f32)>> {
    let mut random = Random(2);
    let words = (0..64).map(|_| random.word()).collect::<Vec<_>>();
    let mut tokens = engine.content_tokens(&words.join(" "))?;
    tokens.sort_unstable();
    tokens.dedup();
    let most_that_is_allowed = 100.0;
    let biased = tokens.into_iter().map(|id| (id, most_that_is_allowed));
    Ok(biased.collect())
}

fn prompt(text: String) -> Prompt {
    let message = Message::new(Role::User, text);
    Prompt {
        messages: vec![message],
        ..Prompt::default()
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed % limit as u64) as usize
    }

    /// One to three syllables that mean nothing.
    fn word(&mut self) -> String {
        const CONSONANTS: &[u8] = b"bdfghklmnprstvz";
        const VOWELS: &[u8] = b"aeiou";
        let mut word = String::new();
        for _ in 0..=self.below(3) {
            word.push(char::from(CONSONANTS[self.below(CONSONANTS.len())]));
            word.push(char::from(VOWELS[self.below(VOWELS.len())]));
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use engine_candle::Settings;

    use super::*;
    use crate::startup;

    #[test]
    fn prompts_differ_and_have_the_tokens_asked_for() {
        let engine = CandleEngine::load(
            startup::model_source(None).expect("it is part of the program"),
            Settings::default(),
        );
        let engine = engine.expect("the built-in model loads");
        for tokens in [8, 9, 10, 41, 512] {
            let mut prompts = Prompts::new(&engine, tokens);
            let two = prompts.take(2).expect("such prompts can be made");
            for prompt in &two {
                assert_eq!(engine.count_prompt_tokens(prompt), Ok(tokens));
            }
            assert_ne!(two[0], two[1]);
        }
    }
}
