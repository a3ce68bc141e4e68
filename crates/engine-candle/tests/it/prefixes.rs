//! What was read before is not read again, and the answer is the same to the last bit.

use candle_core::quantized::GgmlDType;
use engine::{Engine, Request, SamplingParams, Sharing};
use engine_candle::{Asks, CandleEngine, Chunk, Decoder, KvType, Settings};

use crate::asking::{Answer, ask, question, question_about, read};
use crate::bundled_gguf;
use crate::models::{LLAMA, TinyModel, bundled, bundled_size};

const TEA: &str = "Tea is brewed for four minutes, and it is drunk hot. ";

/// Questions about the same document: their prompts begin alike.
fn questions() -> Vec<Request> {
    let sampled = SamplingParams {
        temperature: 1.3,
        seed: Some(5),
        ..SamplingParams::GREEDY
    };
    ["How long is tea brewed?", "차는 어떻게 마시나요?", "Why?"]
        .into_iter()
        .zip([SamplingParams::GREEDY, sampled, sampled])
        .map(|(content, sampling)| Request {
            sampling,
            max_tokens: Some(16),
            ..question_about("Tea", &TEA.repeat(7), content)
        })
        .collect()
}

fn salted(request: &Request, salt: &str) -> Request {
    Request {
        sharing: Sharing {
            salt: Some(salt.into()),
            era: None,
        },
        ..request.clone()
    }
}

/// Every answer cold, then with what was kept: alone, and all beside each other.
fn check_exact(engine: &CandleEngine) {
    let questions = questions();
    let cold = questions.iter().enumerate().map(|(index, question)| {
        let answer = ask(engine, salted(question, &format!("own {index}")));
        assert_eq!(answer.usage.cached_tokens, 0, "a salt of its own");
        answer
    });
    let cold = cold.collect::<Vec<_>>();
    let same = |warm: &Answer, cold: &Answer| {
        assert_eq!((&warm.ids, &warm.pieces), (&cold.ids, &cold.pieces));
    };
    for pass in 0..2 {
        for (index, (question, cold)) in questions.iter().zip(&cold).enumerate() {
            let warm = ask(engine, salted(question, "shared"));
            same(&warm, cold);
            let expected_cached = pass > 0 || index > 0;
            assert_eq!(
                warm.usage.cached_tokens > 0,
                expected_cached,
                "{:?}",
                warm.usage
            );
            assert!(warm.usage.cached_tokens < warm.usage.prompt_tokens);
        }
    }
    let together = questions.iter().map(|question| {
        let stream = engine.generate(salted(question, "shared"));
        stream.expect("there is room")
    });
    for (mut stream, cold) in together.collect::<Vec<_>>().into_iter().zip(&cold) {
        same(&read(&mut stream).expect("it ends well"), cold);
    }
    assert!(engine.load().is_idle(), "{:?}", engine.load());
}

#[test]
fn cached_equals_cold() {
    for kv_type in [KvType::F32, KvType::F16, KvType::Q8] {
        check_exact(&bundled(Settings {
            kv_type,
            ..Settings::default()
        }));
    }
}

#[test]
fn cached_equals_cold_when_quantised() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = bundled_gguf::write(folder.path(), GgmlDType::Q8_0);
    check_exact(&CandleEngine::load(source, Settings::default()).expect("it loads"));
}

/// Not nearly: exactly. This is what lets pages be shared at all.
#[test]
fn however_a_prompt_is_cut_no_bit_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = TinyModel::new(LLAMA);
    let sources = [
        model.write_folder(folder.path(), 1),
        model.write_gguf(&folder.path().join("model.gguf"), GgmlDType::Q8_0),
    ];
    let prompt = (0..150).map(|at| at * 7 % 96).collect::<Vec<u32>>();
    for source in sources {
        let decoder = Decoder::load(&source).expect("it loads");
        for kv_type in [KvType::F32, KvType::F16, KvType::Q8] {
            let logits = |cuts: &[usize]| {
                let mut cache = decoder.new_cache_of(kv_type);
                let mut company = decoder.new_cache_of(kv_type);
                let mut last = Vec::new();
                for (index, cut) in cuts.iter().enumerate() {
                    let mut batch = vec![Chunk {
                        tokens: &prompt[cache.len()..*cut],
                        cache: &mut cache,
                        asks: Asks::Logits,
                    }];
                    if index % 2 == 1 {
                        batch.push(Chunk {
                            tokens: &prompt[..3 * index],
                            cache: &mut company,
                            asks: Asks::Nothing,
                        });
                    }
                    last = decoder.forward(&mut batch).expect("it computes").remove(0);
                }
                last
            };
            let whole = logits(&[150]);
            for cuts in [&[32, 150][..], &[64, 128, 149, 150], &[1, 2, 96, 150]] {
                assert_eq!(logits(cuts), whole, "{kv_type:?}, cut at {cuts:?}");
            }
        }
    }
}

#[test]
fn a_conversation_goes_on_where_it_was() {
    let engine = bundled(Settings::default());
    let mut request = question_about("Tea", &TEA.repeat(9), "How long?");
    request.max_tokens = Some(40);
    let first = ask(&engine, request.clone());
    let again = ask(&engine, request);
    let blocks = (first.usage.prompt_tokens - 1) / 32;
    assert_eq!(again.usage.cached_tokens, blocks * 32, "all but the last");
}

#[test]
fn nothing_is_kept_of_texts_read_before_they_were_to_be_forgotten() {
    let engine = bundled(Settings::default());
    let mut request = question_about("Tea", &TEA.repeat(9), "How long?");
    request.max_tokens = Some(4);
    request.sharing.era = Some(engine.era());
    engine.forget();
    ask(&engine, request.clone());
    assert_eq!(engine.load().kv.cached_bytes, 0);
    request.sharing.era = Some(engine.era());
    ask(&engine, request);
    assert!(engine.load().kv.cached_bytes > 0);
}

#[test]
fn what_is_forgotten_is_read_again() {
    let engine = bundled(Settings::default());
    let mut request = question_about("Tea", &TEA.repeat(9), "How long?");
    request.max_tokens = Some(40);
    let first = ask(&engine, request.clone());
    let cached_bytes = || engine.load().kv.cached_bytes;
    assert!(cached_bytes() > 0);
    engine.forget();
    assert_eq!(cached_bytes(), 0);
    let mut running = engine.generate(request.clone()).expect("there is room");
    // It has read its prompt when the first token comes.
    let first_token = running.next_blocking().expect("a token");
    first_token.expect("no error");
    engine.forget();
    read(&mut running).expect("it ends well");
    while !engine.load().is_idle() {
        std::thread::yield_now();
    }
    let again = ask(&engine, request);
    assert!(again.usage.cached_tokens == 0, "{:?}", again.usage);
    assert_eq!((&again.ids, &again.pieces), (&first.ids, &first.pieces));
}

#[test]
fn nothing_is_shared_across_salts() {
    let engine = bundled(Settings::default());
    let request = question_about("Tea", &TEA.repeat(9), "How long?");
    let cached = |request: Request| ask(&engine, request).usage.cached_tokens;
    assert_eq!(cached(salted(&request, "one")), 0);
    assert_eq!(cached(salted(&request, "two")), 0);
    assert_eq!(cached(request.clone()), 0);
    assert!(cached(salted(&request, "one")) > 0);
    assert!(cached(request) > 0);
}

#[test]
fn the_budget_bounds_what_is_kept() {
    let page = bundled_size("num_hidden_layers") * 2 * bundled_size("hidden_size") * 32 * 2;
    let engine = bundled(Settings {
        kv_bytes: 20 * page,
        ..Settings::default()
    });
    assert_eq!(engine.model().context, 20 * 32, "no more fits in memory");
    for number in 0..8 {
        let mut request = question(&format!("{number} {}", "and why ".repeat(60)));
        request.max_tokens = Some(4);
        ask(&engine, request);
        let kv = engine.load().kv;
        assert!(kv.cached_bytes + kv.reserved_bytes <= kv.budget_bytes);
    }
    let load = engine.load();
    assert!(load.kv.evicted_pages > 0 && load.kv.cached_bytes > 0);
    assert!(load.is_idle(), "{load:?}");
}
