//! Which token attends to which.

use engine::{
    Attention, AttentionInput, AttentionRequest, Engine, EngineError, HeadAttention, Heads,
};
use engine_candle::{Asks, AttentionWeights, CandleEngine, Chunk, Decoder, Settings};

use crate::asking::question;
use crate::forward::tokens;
use crate::models::{LLAMA, QWEN2, TinyModel, bundled};
use crate::reference;

fn text(text: &str, heads: Heads) -> AttentionRequest {
    AttentionRequest {
        input: AttentionInput::Text(text.into()),
        layers: None,
        heads,
    }
}

fn seen(engine: &CandleEngine, request: AttentionRequest) -> Attention {
    let inside = engine.inside().expect("a decoder");
    inside.attention(&request).expect("it is taken")
}

/// Read in chunks of several sizes, with a grouped and a single head of keys.
#[test]
fn weights_agree_with_the_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    for variant in [LLAMA, QWEN2] {
        let model = TinyModel::new(variant);
        let decoder = Decoder::load(&model.write_folder(folder.path(), 1)).expect("it loads");
        let tokens = tokens(40);
        let expected = reference::run(&model, &tokens);
        let mut cache = decoder.new_cache();
        let mut weights = AttentionWeights::new(&[1], Heads::All);
        for tokens in [&tokens[..7], &tokens[7..8], &tokens[8..]] {
            let chunk = Chunk {
                tokens,
                cache: &mut cache,
                asks: Asks::Weights(&mut weights),
            };
            let found = decoder.forward(&mut [chunk]).expect("it computes");
            assert!(found.is_empty(), "no logits were asked for");
        }
        let layers = weights.into_layers();
        assert_eq!(layers.len(), 1);
        assert_eq!(layers[0].heads.len(), variant.heads);
        let close = |got: f32, expected: f64| assert!((f64::from(got) - expected).abs() < 1e-4);
        for (index, head) in layers[0].heads.iter().enumerate() {
            assert_eq!(head.head, Some(index));
            assert_eq!(head.weights.len(), 40);
            for (position, row) in head.weights.iter().enumerate() {
                let expected_row = &expected.attention[1][position][index];
                assert_eq!(row.len(), expected_row.len());
                row.iter()
                    .zip(expected_row)
                    .for_each(|(got, expected)| close(*got, *expected));
                let shared = index / (variant.heads / variant.kv_heads);
                close(
                    head.value_norms[position],
                    expected.value_norms[1][position][shared],
                );
            }
        }
    }
}

#[test]
fn rows_sum_to_one_and_nobody_sees_ahead() {
    let engine = bundled(Settings::default());
    let anatomy = engine.inside().expect("a decoder").anatomy();
    let found = seen(&engine, text("서울 is a city, 서울 is large.", Heads::All));
    assert_eq!(found.layers.len(), anatomy.layers);
    for layer in &found.layers {
        assert_eq!(layer.heads.len(), anatomy.heads);
        for head in &layer.heads {
            assert_eq!(head.weights.len(), found.tokens.len());
            for (position, row) in head.weights.iter().enumerate() {
                assert_eq!(row.len(), position + 1);
                let sum = row.iter().sum::<f32>();
                assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            }
        }
    }
}

#[test]
fn the_mean_is_that_of_all_heads() {
    let engine = bundled(Settings::default());
    let all = seen(&engine, text("Tea is a drink.", Heads::All));
    let mean = seen(&engine, text("Tea is a drink.", Heads::Mean));
    assert_eq!(mean.tokens, all.tokens);
    let of = |head: &HeadAttention| {
        let rows = head.weights.concat().into_iter();
        rows.chain(head.value_norms.clone()).collect::<Vec<_>>()
    };
    for (mean, all) in mean.layers.iter().zip(&all.layers) {
        assert_eq!((mean.heads.len(), mean.heads[0].head), (1, None));
        for (place, mean) in of(&mean.heads[0]).into_iter().enumerate() {
            let sum = all.heads.iter().map(|head| of(head)[place]).sum::<f32>();
            assert!((mean - sum / all.heads.len() as f32).abs() < 1e-5);
        }
    }
}

/// Also when others have read the same text before, or run beside it.
#[test]
fn a_text_is_seen_as_a_whole_each_time() {
    let engine = bundled(Settings::default());
    let long = "Tea is a drink from leaves. ".repeat(20);
    let first = seen(&engine, text(&long, Heads::Mean));
    assert!(first.tokens.len() > 64);
    let other = engine.generate(question(&long)).expect("taken");
    assert_eq!(seen(&engine, text(&long, Heads::Mean)), first);
    drop(other);
    let one_layer = AttentionRequest {
        layers: Some(vec![3, 1, 3]),
        ..text(&long, Heads::Mean)
    };
    let layers = seen(&engine, one_layer).layers;
    assert_eq!(layers, [first.layers[1].clone(), first.layers[3].clone()]);
}

#[test]
fn a_conversation_is_seen_with_its_control_tokens() {
    let engine = bundled(Settings::default());
    let prompt = question("What is <|user|>?").prompt;
    let tokens = engine.prompt_tokens(&prompt).expect("it is good");
    let found = seen(
        &engine,
        AttentionRequest {
            input: AttentionInput::Prompt(prompt),
            layers: Some(vec![0]),
            heads: Heads::Mean,
        },
    );
    let ids = found.tokens.iter().map(|token| token.id);
    assert_eq!(ids.collect::<Vec<_>>(), tokens);
    assert!(found.text.contains("What is <|user|>?"), "{}", found.text);
}

#[test]
fn what_is_too_much_is_refused() {
    let engine = bundled(Settings::default());
    let inside = engine.inside().expect("a decoder");
    let check = |request: AttentionRequest, expected: &str| {
        let Err(EngineError::InvalidRequest { param, .. }) = inside.attention(&request) else {
            panic!("{expected} is taken");
        };
        assert_eq!(param, expected);
    };
    let layers = |layers: &[usize]| AttentionRequest {
        layers: Some(layers.to_vec()),
        ..text("tea", Heads::Mean)
    };
    check(text("", Heads::Mean), "input");
    check(text(&"tea and coffee ".repeat(100), Heads::Mean), "input");
    check(layers(&[]), "layers");
    check(layers(&[0, 6]), "layers");
}
