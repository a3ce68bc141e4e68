//! A model keeps the contract of engines, with one slot and with several.

use engine_candle::Settings;

use crate::models::talkative;

#[test]
fn the_contract_is_kept() {
    for (workers, max_running) in [(1, 8), (2, 1)] {
        let engine = talkative(Settings {
            workers,
            max_running,
            queue: 16,
            ..Settings::default()
        });
        engine::contract::check(&engine);
    }
}
