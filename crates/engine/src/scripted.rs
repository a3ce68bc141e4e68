//! An engine that says what a test tells it to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::{
    Card, Engine, EngineError, FinishReason, Load, Logprob, ModelInfo, Prompt, Request, Sharing,
    Token, TokenLogprobs, TokenScore, TokenSender, TokenStream, ToolCall, Usage,
};

/// Keeps the [`Engine`] contract without a model.
///
/// A token is a word with the white space behind it. What is said comes from a function of
/// the request, so that a test can echo, count or repeat what reached the model. The format asked
/// for is not enforced. Each token is certain, and every alternative impossible; how likely the
/// words of other texts are, and where attention goes, can be scripted.
pub struct ScriptedEngine {
    model: ModelInfo,
    script: Box<Script>,
    calls: Box<Calls>,
    scores: Box<Scores>,
    attention: Arc<Attention>,
    pace: Duration,
    slots: usize,
    running: Arc<AtomicUsize>,
}

/// Which tools to call behind it.
type Calls = dyn Fn(&Request) -> Vec<ToolCall> + Send + Sync;

/// The logarithm of a word's probability after a prompt.
type Scores = dyn Fn(&Prompt, &str) -> f32 + Send + Sync;

/// The attention that each of the texts that are watched gets when a word is chosen.
type Attention = dyn Fn(&str, &[String]) -> Vec<f32> + Send + Sync;

/// What to say to a request.
type Script = dyn Fn(&Request) -> Result<String, EngineError> + Send + Sync;

impl ScriptedEngine {
    /// An engine that answers every request with `script(request)`.
    pub fn new(
        script: impl Fn(&Request) -> Result<String, EngineError> + Send + Sync + 'static,
    ) -> Self {
        let model = ModelInfo {
            name: "scripted".into(),
            context: 4096,
            reads_documents: true,
            reads_tools: true,
            card: Card::default(),
        };
        Self {
            model,
            script: Box::new(script),
            calls: Box::new(|_| Vec::new()),
            scores: Box::new(|_, _| 0.0),
            attention: Arc::new(|_, _| Vec::new()),
            pace: Duration::ZERO,
            slots: 8,
            running: Arc::default(),
        }
    }

    /// Says something else about the model.
    pub fn with_model(mut self, model: ModelInfo) -> Self {
        self.model = model;
        self
    }

    /// Calls these tools behind what it says.
    pub fn with_calls(
        mut self,
        calls: impl Fn(&Request) -> Vec<ToolCall> + Send + Sync + 'static,
    ) -> Self {
        self.calls = Box::new(calls);
        self
    }

    /// Finds each word of a text as likely after a prompt as this, a natural logarithm.
    pub fn with_scores(
        mut self,
        scores: impl Fn(&Prompt, &str) -> f32 + Send + Sync + 'static,
    ) -> Self {
        self.scores = Box::new(scores);
        self
    }

    /// Pays this attention to each text that is watched, when it says a word.
    pub fn with_attention(
        mut self,
        attention: impl Fn(&str, &[String]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        self.attention = Arc::new(attention);
        self
    }

    /// Takes this long for each token.
    pub fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Answers this many requests at a time and refuses more.
    pub fn with_slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    fn check_room(&self, prompt: usize) -> Result<(), EngineError> {
        let context = self.model.context;
        match prompt < context {
            true => Ok(()),
            false => Err(EngineError::PromptTooLong { prompt, context }),
        }
    }

    fn take_slot(&self) -> Result<Slot, EngineError> {
        let slot = Slot(self.running.clone());
        if slot.0.fetch_add(1, Ordering::SeqCst) >= self.slots {
            return Err(EngineError::Busy {
                retry_after: Duration::from_secs(1),
            });
        }
        Ok(slot)
    }
}

impl Engine for ScriptedEngine {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        let messages = prompt
            .messages
            .iter()
            .map(|message| self.count_tokens(&message.content));
        let documents = prompt
            .documents
            .iter()
            .map(|document| self.count_tokens(&document.title) + self.count_tokens(&document.text));
        Ok(messages.sum::<usize>() + documents.sum::<usize>())
    }

    fn generate(&self, request: Request) -> Result<TokenStream, EngineError> {
        let prompt_tokens = self.count_prompt_tokens(&request.prompt)?;
        self.check_room(prompt_tokens)?;
        let slot = self.take_slot()?;
        let max_tokens = request
            .max_tokens
            .unwrap_or(usize::MAX)
            .min(self.model.context - prompt_tokens);
        let reply = (self.script)(&request)?;
        let calls = (self.calls)(&request);
        let (sender, stream) = TokenStream::channel(max_tokens);
        let limits = Limits {
            prompt_tokens,
            max_tokens,
            pace: self.pace,
            logprobs: request.logprobs,
            calls,
            attention: self.attention.clone(),
        };
        thread::spawn(move || speak(&reply, &request, limits, sender, slot));
        Ok(stream)
    }

    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        _sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        let tokens = self.count_prompt_tokens(prompt)? + self.count_tokens(text);
        self.check_room(tokens)?;
        let _slot = self.take_slot()?;
        let mut end = 0;
        let words = text.split_inclusive(char::is_whitespace);
        let scores = (0..).zip(words).map(|(id, word)| {
            let start = end;
            end += word.len();
            TokenScore {
                id,
                range: start..end,
                logprob: (self.scores)(prompt, word.trim_end()),
            }
        });
        Ok(scores.collect())
    }

    fn load(&self) -> Load {
        Load {
            running: self.running.load(Ordering::SeqCst),
            ..Load::default()
        }
    }
}

/// A place among the requests that are answered at a time; free again when dropped.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Limits {
    prompt_tokens: usize,
    max_tokens: usize,
    pace: Duration,
    logprobs: Option<usize>,
    calls: Vec<ToolCall>,
    attention: Arc<Attention>,
}

fn speak(reply: &str, request: &Request, limits: Limits, sender: TokenSender, slot: Slot) {
    let end = request
        .stop
        .iter()
        .filter_map(|stop| reply.find(stop.as_str()))
        .min()
        .unwrap_or(reply.len());
    let mut completion_tokens = 0;
    let mut finish_reason = FinishReason::Stop;
    for word in reply[..end].split_inclusive(char::is_whitespace) {
        if sender.is_closed() {
            return;
        }
        if completion_tokens == limits.max_tokens {
            finish_reason = FinishReason::Length;
            break;
        }
        thread::sleep(limits.pace);
        let id = completion_tokens as u32;
        sender.token(Token {
            id,
            text: word.to_owned(),
            logprobs: Vec::from_iter(limits.logprobs.map(|top| certain(id, word, top))),
            attention: match request.watch.is_empty() {
                true => Vec::new(),
                false => (limits.attention)(word.trim_end(), &request.watch),
            },
            ..Token::default()
        });
        completion_tokens += 1;
    }
    let calls_tools = !limits.calls.is_empty() && completion_tokens < limits.max_tokens;
    if calls_tools {
        finish_reason = FinishReason::ToolCalls;
        sender.token(Token {
            id: completion_tokens as u32,
            tool_calls: limits.calls,
            ..Token::default()
        });
        completion_tokens += 1;
    }
    // Whoever sees the end must also see the slot free.
    drop(slot);
    sender.done(
        finish_reason,
        Usage {
            prompt_tokens: limits.prompt_tokens,
            completion_tokens,
            cached_tokens: 0,
        },
    );
}

/// A word whose probability is 1, before `top` - 1 others of which none has any to speak of.
fn certain(id: u32, word: &str, top: usize) -> TokenLogprobs {
    let logprob = |id, text: &str, logprob| Logprob {
        id,
        bytes: text.into(),
        logprob,
    };
    let chosen = logprob(id, word, 0.0);
    let others = (1..).map(|other| logprob(id + other, "never", -100.0));
    TokenLogprobs {
        top: [chosen.clone()]
            .into_iter()
            .chain(others)
            .take(top)
            .collect(),
        chosen,
    }
}
