//! A sequence's logits do not depend on how it is cut into chunks, nor on its company.

use candle_core::quantized::GgmlDType;
use engine::{Engine, Event, Message, Prompt, Request, Role, SamplingParams, TokenStream};
use engine_candle::{Asks, CandleEngine, Chunk, Decoder, Settings};

use crate::forward::{last_logits, last_logits_of_chunks, tokens};
use crate::models::{LLAMA, TinyModel, Variant, talkative};

/// Models of every form that weights have in memory.
fn each_form(check: impl Fn(&Decoder, &str)) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = TinyModel::new(LLAMA).write_folder(folder.path(), 1);
    check(&Decoder::load(&source).expect("it loads"), "folder");
    let wide = Variant {
        hidden: 256,
        ..LLAMA
    };
    let wide = TinyModel::new(wide);
    for dtype in [
        GgmlDType::F16,
        GgmlDType::BF16,
        GgmlDType::Q8_0,
        GgmlDType::Q4_0,
        GgmlDType::Q4K,
        GgmlDType::Q5K,
        GgmlDType::Q6K,
    ] {
        let source = wide.write_gguf(&folder.path().join("model.gguf"), dtype);
        let decoder = Decoder::load(&source).expect("it loads");
        check(&decoder, &format!("{dtype:?}"));
    }
}

/// Not nearly: exactly.
#[test]
fn chunked_prefill_equals_whole() {
    let tokens = tokens(100);
    each_form(|decoder, form| {
        let whole = last_logits(decoder, &tokens);
        for sizes in [&[1; 100][..], &[33, 1, 66], &[64, 36], &[99, 1]] {
            let mut rest = &tokens[..];
            let chunks = sizes
                .iter()
                .map(|&size| rest.split_off(..size).expect("so many"));
            let cut = last_logits_of_chunks(decoder, chunks);
            assert!(cut == whole, "{form}, chunks of {sizes:?}");
            assert!(rest.is_empty());
        }
    });
}

#[test]
fn a_ragged_batch_equals_its_sequences_alone() {
    let tokens = tokens(64);
    let lengths = [5, 1, 33, 20];
    each_form(|decoder, form| {
        let mut caches = lengths.map(|_| decoder.new_cache());
        let mut batch = lengths
            .iter()
            .zip(&mut caches)
            .map(|(&length, cache)| Chunk {
                tokens: &tokens[..length],
                cache,
                asks: match length {
                    1 => Asks::Nothing,
                    _ => Asks::Logits,
                },
            })
            .collect::<Vec<_>>();
        let logits = decoder.forward(&mut batch).expect("it computes");
        assert_eq!(logits.len(), 3, "one row for each chunk that asks");
        for (got, length) in logits.iter().zip([5, 33, 20]) {
            let alone = last_logits(decoder, &tokens[..length]);
            assert!(*got == alone, "{form}, {length} tokens");
        }
    });
}

#[test]
fn decoding_is_the_same_in_any_company() {
    let tokens = tokens(64);
    each_form(|decoder, form| {
        let decode = |company: usize| {
            let mut caches = (0..=company)
                .map(|_| decoder.new_cache())
                .collect::<Vec<_>>();
            for (index, cache) in caches.iter_mut().enumerate() {
                let chunk = Chunk {
                    tokens: &tokens[index % 20..40],
                    cache,
                    asks: Asks::Nothing,
                };
                decoder.forward(&mut [chunk]).expect("it computes");
            }
            let chunks = caches.iter_mut().map(|cache| Chunk {
                tokens: &tokens[40..41],
                cache,
                asks: Asks::Logits,
            });
            let mut batch = chunks.collect::<Vec<_>>();
            decoder.forward(&mut batch).expect("it computes").remove(0)
        };
        let alone = decode(0);
        for company in [1, 7, 40] {
            assert!(decode(company) == alone, "{form}, with {company} others");
        }
    });
}

#[test]
fn an_answer_is_the_same_in_any_company() {
    let engine = talkative(Settings::default());
    let ask = |question: &str, seed| {
        let request = Request {
            prompt: Prompt {
                messages: vec![Message::new(Role::User, question)],
                ..Prompt::default()
            },
            sampling: SamplingParams {
                temperature: 0.8,
                seed: Some(seed),
                ..SamplingParams::GREEDY
            },
            max_tokens: Some(24),
            ..Request::default()
        };
        engine.generate(request).expect("taken")
    };
    let alone = ids(ask("What is tea?", 3));
    let filler = "why and how ".repeat(120);
    let company = (0..6).map(|seed| ask(&filler[..100 * seed as usize + 9], seed));
    let company = company.collect::<Vec<_>>();
    let together = ids(ask("What is tea?", 3));
    company.into_iter().map(ids).for_each(drop);
    assert_eq!(together, alone);
    assert_ne!(
        alone,
        ids(ask("What is tea?", 4)),
        "another seed, another answer"
    );
    assert_idle(&engine);
}

fn ids(mut stream: TokenStream) -> Vec<u32> {
    let mut ids = Vec::new();
    while let Some(event) = stream.next_blocking() {
        if let Event::Token(token) = event.expect("no error") {
            ids.push(token.id);
        }
    }
    ids
}

fn assert_idle(engine: &CandleEngine) {
    assert!(engine.load().is_idle(), "{:?}", engine.load());
}
