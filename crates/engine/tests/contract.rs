//! The scripted engine keeps the engine's contract.

use std::time::Duration;

use engine::ScriptedEngine;

#[test]
fn scripted_engine_keeps_the_contract() {
    let reply =
        "In the same place: what a footnote says when it points at a source again. ".repeat(8);
    let engine =
        ScriptedEngine::new(move |_| Ok(reply.clone())).with_pace(Duration::from_millis(1));
    engine::contract::check(&engine);
}
