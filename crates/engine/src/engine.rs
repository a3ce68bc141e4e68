//! The seam between whoever writes prompts and whoever runs a model.

use std::time::Duration;

use crate::{
    EngineError, Fingerprint, Inside, ModelInfo, Prompt, Request, Sharing, TokenScore, TokenStream,
};

/// A model that can be asked to continue a prompt.
///
/// # Contract
///
/// * [`generate`](Engine::generate) never blocks for longer than it takes to tokenise the
///   prompt: it puts the request in a bounded queue and returns the stream, or returns
///   [`EngineError::Busy`] at once when the queue is full.
/// * The stream yields tokens in order and ends in exactly one [`Event::Done`](crate::Event)
///   or one error. After that it yields nothing.
/// * Dropping the stream cancels the request: the engine frees everything the request held
///   (queue place, slot, cache) within one decoding step.
/// * Text of messages and documents is content: it can never produce a control token.
/// * One request's failure ends that request alone.
/// * The same request with the same seed yields the same tokens, whatever else is running.
/// * [`score`](Engine::score) goes through the same queue and is refused for the same reasons.
///   It blocks until the text was read, and holds nothing when it returns.
/// * A token has the same probability when it is scored as when it is generated, to 1e-3.
pub trait Engine: Send + Sync {
    /// The model behind this engine.
    fn model(&self) -> &ModelInfo;

    /// How many tokens `text` is as content of a prompt.
    fn count_tokens(&self, text: &str) -> usize;

    /// How many tokens the whole prompt is, with everything the chat template adds.
    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError>;

    /// Starts generating and returns the stream of what comes out.
    fn generate(&self, request: Request) -> Result<TokenStream, EngineError>;

    /// What tells the model from every other. The first call may read all files of the model and
    /// take seconds; do not call it from an async task.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::default()
    }

    /// How likely the model finds `text` as the answer to `prompt`: one score for each of its
    /// tokens, in order; none for an empty text. Together their ranges cover the text.
    ///
    /// What is kept of a prompt is used for scores, too. The text is taken as the tokenizer cuts
    /// it, which may be another way than the model wrote it in.
    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError>;

    /// The way into the model.
    ///
    /// # Errors
    ///
    /// When the engine has none, or the model could not be loaded.
    fn inside(&self) -> Result<&dyn Inside, EngineError> {
        Err(EngineError::InvalidRequest {
            param: "model",
            message: "the attention of this model cannot be seen".into(),
        })
    }

    /// What the engine is holding right now; [idle](Load::is_idle) when nothing is asked of it.
    fn load(&self) -> Load;

    /// Lets go of all that is kept of prompts and answers for later requests to share, because
    /// texts in them were deleted. Running requests keep what they use until they end, and leave
    /// nothing of it behind; so do those that come later with texts of an earlier
    /// [era](Engine::era). An engine that keeps nothing has nothing to do.
    fn forget(&self) {}

    /// How often it was told to [forget](Engine::forget). Who looks texts up for a prompt asks
    /// first, and says so in [`Sharing::era`].
    fn era(&self) -> u64 {
        0
    }
}

/// A snapshot of what an engine holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests that wait for a slot.
    pub waiting: usize,
    /// Requests that are being prefilled or decoded.
    pub running: usize,
    /// Prompt tokens of the requests that wait.
    pub waiting_tokens: usize,
    /// How long a request made now would wait for a slot, by the speed measured so far; zero
    /// while nothing was measured.
    pub wait: Duration,
    /// Keys and values of everything that was read.
    pub kv: KvLoad,
}

/// Memory for keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvLoad {
    /// Bytes that may be taken.
    pub budget_bytes: usize,
    /// Bytes reserved by running requests for themselves.
    pub reserved_bytes: usize,
    /// Bytes kept of prompts and answers for later requests to share. They are reclaimed as they
    /// are needed, unless a running request uses them.
    pub cached_bytes: usize,
    /// Prompt tokens of all requests that got a slot so far.
    pub prompt_tokens: u64,
    /// Those of them that were taken from what was kept.
    pub cached_tokens: u64,
    /// Pages that were reclaimed so far.
    pub evicted_pages: u64,
}

impl Load {
    /// No request holds anything. What is kept for later ones may remain.
    pub fn is_idle(&self) -> bool {
        (self.waiting, self.running, self.waiting_tokens) == (0, 0, 0)
            && self.kv.reserved_bytes == 0
    }
}
