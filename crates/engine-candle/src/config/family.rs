//! The families of decoders: how each differs from Llama.
//!
//! All of them are the same network. What a family changes in it is a row of [`FAMILIES`]; the
//! sizes and numbers of one model come from its files.

/// A family of models, and what the files of its models leave unsaid.
#[derive(Debug, PartialEq)]
pub(crate) struct Family {
    /// `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// `general.architecture` in GGUF, where the family has a name of its own.
    pub(crate) architecture: Option<&'static str>,
    /// The activation of the feed-forward network.
    pub(crate) activation: Activation,
    /// Queries and keys are normalised, each head by itself, before they are turned.
    pub(crate) head_norms: bool,
    /// What attention and the feed-forward network give is normalised before it is added.
    pub(crate) output_norms: bool,
    /// `safetensors` files hold the weights of norms less 1. (GGUF files hold them whole.)
    pub(crate) norms_less_one: bool,
    /// Query, key and value are one matrix in the files, and so are gate and up.
    pub(crate) fused: bool,
    /// Embeddings are multiplied by the square root of their size.
    pub(crate) scales_embedding: bool,
    /// The layers that look no further back than the sliding window, if the model has one.
    pub(crate) windows: Windows,
    /// One layer in so many does not know positions: its queries and keys are not turned.
    pub(crate) unrotated_every: Option<usize>,
    /// The base of the rotary frequencies when the file does not say it.
    pub(crate) rope_theta: f64,
    /// The same for the layers with a window, where these turn differently.
    pub(crate) local_rope_theta: Option<f64>,
    /// Attention scores are squeezed between this and its negative.
    pub(crate) attention_cap: Option<f64>,
    /// Logits are squeezed between this and its negative.
    pub(crate) logit_cap: Option<f64>,
}

/// The nonlinear function of the feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// The Gaussian error linear unit, approximated by a tanh (Hendrycks and Gimpel 2016).
    GeluTanh,
}

/// Which layers have a sliding window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Windows {
    /// No layer.
    Nowhere,
    /// Every layer.
    Everywhere,
    /// This one and those after it.
    From(usize),
    /// All but the last of each group of so many.
    AllButEvery(usize),
}

impl Windows {
    /// Layer `index` has one.
    pub(crate) fn cover(self, index: usize) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Everywhere => true,
            Self::From(first) => index >= first,
            Self::AllButEvery(period) => !(index + 1).is_multiple_of(period),
        }
    }
}

/// Llama 2 and 3, SmolLM2, and Mistral in GGUF.
const LLAMA: Family = Family {
    model_type: "llama",
    architecture: Some("llama"),
    activation: Activation::Silu,
    head_norms: false,
    output_norms: false,
    norms_less_one: false,
    fused: false,
    scales_embedding: false,
    windows: Windows::Nowhere,
    unrotated_every: None,
    rope_theta: 10_000.0,
    local_rope_theta: None,
    attention_cap: None,
    logit_cap: None,
};

/// What Gemma 2 and 3 share.
const GEMMA: Family = Family {
    activation: Activation::GeluTanh,
    output_norms: true,
    norms_less_one: true,
    scales_embedding: true,
    ..LLAMA
};

/// Every family that can be run.
pub(crate) const FAMILIES: &[Family] = &[
    LLAMA,
    Family {
        model_type: "mistral",
        architecture: None,
        windows: Windows::Everywhere,
        ..LLAMA
    },
    Family {
        model_type: "smollm3",
        architecture: Some("smollm3"),
        unrotated_every: Some(4),
        rope_theta: 2_000_000.0,
        ..LLAMA
    },
    // Qwen2 and 2.5; their query, key and value matrices have biases.
    Family {
        model_type: "qwen2",
        architecture: Some("qwen2"),
        windows: Windows::From(28),
        ..LLAMA
    },
    Family {
        model_type: "qwen3",
        architecture: Some("qwen3"),
        head_norms: true,
        windows: Windows::From(28),
        ..LLAMA
    },
    Family {
        model_type: "gemma2",
        architecture: Some("gemma2"),
        windows: Windows::AllButEvery(2),
        attention_cap: Some(50.0),
        logit_cap: Some(30.0),
        ..GEMMA
    },
    Family {
        model_type: "gemma3_text",
        architecture: Some("gemma3"),
        head_norms: true,
        windows: Windows::AllButEvery(6),
        rope_theta: 1_000_000.0,
        local_rope_theta: Some(10_000.0),
        ..GEMMA
    },
    // Phi-3, 3.5 and 4.
    Family {
        model_type: "phi3",
        architecture: Some("phi3"),
        fused: true,
        windows: Windows::Everywhere,
        ..LLAMA
    },
    // Granite 3, which differs in its multipliers.
    Family {
        model_type: "granite",
        architecture: Some("granite"),
        ..LLAMA
    },
];
