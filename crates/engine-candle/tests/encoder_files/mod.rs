//! The files that encoders are tested with: the built-in embedder's, and the tiny models'.

use std::path::{Path, PathBuf};

use engine_candle::EmbeddedModel;

/// The built-in embedder.
pub(crate) const EMBEDDER: EmbeddedModel = EmbeddedModel {
    config: include_bytes!("../../../bundled/embedder/config.json"),
    tokenizer: include_bytes!("../../../bundled/embedder/tokenizer.json"),
    tokenizer_config: include_bytes!("../../../bundled/embedder/tokenizer_config.json"),
    weights: include_bytes!("../../../bundled/embedder/model.gguf"),
    others: &[
        (
            "modules.json",
            include_bytes!("../../../bundled/embedder/modules.json"),
        ),
        (
            "config_sentence_transformers.json",
            include_bytes!("../../../bundled/embedder/config_sentence_transformers.json"),
        ),
    ],
};

/// The folder of a tiny model.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/encoders")
        .join(name)
}
