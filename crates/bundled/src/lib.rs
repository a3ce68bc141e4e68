//! The small models that ship inside the binary: weights, tokenizers, cards, and how they were made.
//!
//! The files are those of ordinary Hugging Face folders (`model/`, `embedder/`, `reader/`), but the
//! weights are in GGUF; that of the model is complete, and any engine can load it. The recipe that
//! made them is in `training/`.

/// The name under which the built-in model is listed and may be asked for.
pub const NAME: &str = "ibid-pointer";

/// The built-in model.
pub const MODEL: Files = Files {
    config: include_bytes!("../model/config.json"),
    tokenizer: include_bytes!("../model/tokenizer.json"),
    tokenizer_config: include_bytes!("../model/tokenizer_config.json"),
    weights: &MODEL_WEIGHTS.bytes,
    others: &[],
    card: include_str!("../model/README.md"),
};

/// The name of the built-in embedder. Vectors are kept under it: another one embeds anew.
pub const EMBEDDER_NAME: &str = "multilingual-e5-small-ko-en";

/// The built-in embedder: a published sentence encoder, with the tokens of Korean and English.
pub const EMBEDDER: Files = Files {
    config: include_bytes!("../embedder/config.json"),
    tokenizer: include_bytes!("../embedder/tokenizer.json"),
    tokenizer_config: include_bytes!("../embedder/tokenizer_config.json"),
    weights: &EMBEDDER_WEIGHTS.bytes,
    others: &[
        ("modules.json", include_bytes!("../embedder/modules.json")),
        (
            "config_sentence_transformers.json",
            include_bytes!("../embedder/config_sentence_transformers.json"),
        ),
    ],
    card: include_str!("../embedder/README.md"),
};

/// The name of the built-in reader.
pub const READER_NAME: &str = "ibid-reader";

/// The built-in reader: the embedder, and an adapter that makes a judge of sentences of it.
pub const READER: Files = Files {
    others: &[
        (
            "adapter_config.json",
            include_bytes!("../reader/adapter_config.json"),
        ),
        (
            "adapter_model.safetensors",
            include_bytes!("../reader/adapter_model.safetensors"),
        ),
    ],
    card: include_str!("../reader/README.md"),
    ..EMBEDDER
};

/// The files of one model, as they would lie in its folder.
#[derive(Clone, Copy)]
pub struct Files {
    /// `config.json`: the architecture and its sizes.
    pub config: &'static [u8],
    /// `tokenizer.json`: the tokenizer.
    pub tokenizer: &'static [u8],
    /// `tokenizer_config.json`: the names of the special tokens, and the chat template if there is one.
    pub tokenizer_config: &'static [u8],
    /// `model.gguf`, most of it in blocks of 4 bits, and aligned to 64 bytes.
    pub weights: &'static [u8],
    /// Further files, by their path in the folder.
    pub others: &'static [(&'static str, &'static [u8])],
    /// `README.md`: the model card, which says what the model was trained on and how well it does.
    pub card: &'static str,
}

/// `include_bytes!` promises no alignment. The weights get that of a cache line, so that a reader
/// may view a tensor in place instead of copying it.
#[repr(C, align(64))]
struct Aligned<T: ?Sized> {
    bytes: T,
}

static MODEL_WEIGHTS: &Aligned<[u8]> = &Aligned {
    bytes: *include_bytes!("../model/model.gguf"),
};

static EMBEDDER_WEIGHTS: &Aligned<[u8]> = &Aligned {
    bytes: *include_bytes!("../embedder/model.gguf"),
};
