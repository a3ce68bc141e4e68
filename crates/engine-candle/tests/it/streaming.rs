//! The text of answers: cut before stop strings, never inside a character.

use engine::{FinishReason, SamplingParams};
use engine_candle::{CandleEngine, Settings};
use tokenizers::Tokenizer;

use crate::asking::{ask, question, question_about};
use crate::models::{bundled, bundled_folder};
use crate::recital::{self, Ending};

#[test]
fn a_spelt_control_token_does_not_end_the_answer() {
    let engine = reciting(&[b"<", b"/s", b">", b" on"]);
    let answer = ask(&engine, question("</s>"));
    assert_eq!(answer.text(), "</s> on");
    let long = "Tea </s> is brewed </s><a> for four minutes.";
    let request = question_about("</s>", long, "How long is tea brewed?</s>");
    let answer = ask(&bundled(Settings::default()), request);
    assert!(answer.usage.completion_tokens > 1, "{answer:?}");
}

#[test]
fn stop_strings_are_found_across_tokens() {
    let pieces: [&[u8]; 4] = [b"one t", b"wo thr", b"ee fo", b"ur"];
    let check = |stop: &[&str], expected: [&str; 5], finish_reason: FinishReason| {
        let mut request = question("Count!");
        request.stop = stop.iter().map(|one| (*one).to_owned()).collect();
        let answer = ask(&reciting(&pieces), request);
        assert_eq!(answer.pieces, expected[..answer.pieces.len()], "{stop:?}");
        assert_eq!(answer.text(), expected.concat(), "{stop:?}");
        assert_eq!(answer.finish_reason, finish_reason);
    };
    let (stop, all) = (FinishReason::Stop, ["one t", "wo thr", "ee fo", "ur", ""]);
    check(&[], all, stop);
    check(&["two"], ["one ", "", "", "", ""], stop);
    check(&["three four"], ["one ", "two ", "", "", ""], stop);
    check(
        &["three fouR"],
        ["one ", "two ", "", "three four", ""],
        stop,
    );
    check(&["four", "hr"], ["one t", "wo t", "", "", ""], stop);
    check(&["one"], ["", "", "", "", ""], stop);
}

#[test]
fn characters_are_never_broken() {
    let check = |pieces: &[&[u8]], expected: &[&str]| {
        let answer = ask(&reciting(pieces), question("Write!"));
        assert_eq!(answer.pieces, expected);
    };
    check(
        &[b"\xED\x95", b"\x9C\xEA", b"\xB5\xAD", b"!"],
        &["", "", "한국", "!", ""],
    );
    check(
        &[
            b"\xF0\x9F\x91",
            b"\xA9\xE2",
            b"\x80\x8D\xF0\x9F",
            b"\x94\xAC",
            b" ok",
        ],
        &["", "", "", "", "👩‍🔬 ok", ""],
    );
    // Bytes that are no character come out as U+FFFD, and harm no neighbour.
    let answer = ask(
        &reciting(&[b"a", b"\x81", b"\xF0", b"\x9F", b"\x98", b"\x80", b"z"]),
        question("Write!"),
    );
    assert_eq!(answer.text(), "a\u{FFFD}😀z");
}

#[test]
fn the_pieces_of_any_answer_are_its_whole_text() {
    let engine = bundled(Settings::default());
    let tokenizer = Tokenizer::from_file(bundled_folder().join("tokenizer.json"));
    let tokenizer = tokenizer.expect("the file is whole");
    for seed in 0..6 {
        let mut request = question("차는 몇 분 동안 우려내나요? 🍵");
        request.max_tokens = Some(60);
        request.sampling = SamplingParams {
            temperature: 2.0,
            seed: Some(seed),
            ..SamplingParams::GREEDY
        };
        let answer = ask(&engine, request);
        let whole = tokenizer.decode(&answer.ids, true);
        assert_eq!(answer.text(), whole.expect("they are tokens"), "{seed}");
    }
}

fn reciting(pieces: &[&[u8]]) -> CandleEngine {
    recital::engine(pieces, Ending::EndOfTurn, Settings::default())
}
