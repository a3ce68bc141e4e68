//! The small model that ships inside the binary: weights, tokenizer, card, and how it was trained.
//!
//! The files are those of an ordinary Hugging Face model folder (`model/`), so that whatever loads a
//! folder from disk loads this one by the same path. The recipe that made them is in `training/`.

/// The name under which the built-in model is listed and may be asked for.
pub const NAME: &str = "ibid-pointer";

/// The built-in model.
pub const MODEL: Files = Files {
    config: include_bytes!("../model/config.json"),
    tokenizer: include_bytes!("../model/tokenizer.json"),
    tokenizer_config: include_bytes!("../model/tokenizer_config.json"),
    weights: &WEIGHTS.bytes,
    card: include_str!("../model/README.md"),
};

/// The files of one model, as they would lie in its folder.
#[derive(Clone, Copy)]
pub struct Files {
    /// `config.json`: the architecture and its sizes.
    pub config: &'static [u8],
    /// `tokenizer.json`: the byte-level BPE tokenizer.
    pub tokenizer: &'static [u8],
    /// `tokenizer_config.json`: the names of the special tokens and the chat template.
    pub tokenizer_config: &'static [u8],
    /// `model.safetensors`: the weights in f16, aligned to 64 bytes.
    pub weights: &'static [u8],
    /// `README.md`: the model card, which says what the model was trained on and how well it does.
    pub card: &'static str,
}

/// `include_bytes!` promises no alignment. The weights get that of a cache line, so that a reader
/// may view a tensor in place instead of copying it.
#[repr(C, align(64))]
struct Aligned<T: ?Sized> {
    bytes: T,
}

static WEIGHTS: &Aligned<[u8]> = &Aligned {
    bytes: *include_bytes!("../model/model.safetensors"),
};
