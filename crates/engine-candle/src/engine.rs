//! The engine itself: checks a request, makes tokens of it, and puts it in the queue.

mod inside;
mod score;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::{
    Anatomy, Engine, EngineError, Fingerprint, Inside, Load, ModelInfo, OutputFormat, Prompt,
    Request, Sharing, TokenScore, TokenStream,
};

use crate::LoadError;
use crate::decoder::{KvType, Watch};
use crate::encoder_decoder::EncoderDecoder;
use crate::files::ModelSource;
use crate::fingerprint::fingerprint;
use crate::model::{Body, Model};
use crate::serving::{
    Grammar, Grammars, Job, Manner, PagedDecoder, Pointers, Pointing, Quotation, Spellings, Task,
    Wishes, WorkerPool, Writing, check_sampling,
};
use crate::text::Text;

/// An engine that runs a decoder of the Llama family, or a T5, on the CPU.
///
/// Loading reads the weights once; workers share them. A request waits in one bounded queue,
/// then runs together with up to `max_running` others. Dropping the engine stops its workers;
/// streams that are still open end in [`EngineError::ShuttingDown`].
pub struct CandleEngine {
    model: ModelInfo,
    text: Arc<Text>,
    end_tokens: Arc<[u32]>,
    /// Tokens that stand for sources; most models have none.
    pointers: Pointers,
    vocab: usize,
    /// Made when an answer must be JSON for the first time.
    grammars: OnceLock<Result<Grammars, EngineError>>,
    /// Made when an answer must quote truly for the first time.
    spellings: OnceLock<Arc<Spellings>>,
    /// Of a decoder; nothing else can be looked into.
    anatomy: Option<Anatomy>,
    pool: WorkerPool,
    source: ModelSource,
    fingerprint: OnceLock<Fingerprint>,
}

/// How an engine runs its model.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name clients ask for.
    pub name: String,
    /// Workers behind the queue, 1 to 64. On a CPU one is best: two share the same cores.
    pub workers: usize,
    /// Threads each worker computes with; `None` takes one for each physical core. candle's
    /// quantised kernels have their own pool, which `CANDLE_NUM_THREADS` sizes.
    pub threads: Option<usize>,
    /// Requests that may wait, 1 to 65536.
    pub queue: usize,
    /// Tokens of prompts that may wait, at least 1. One request may always wait.
    pub queue_tokens: usize,
    /// A request that would have to wait longer for a slot, by the speed measured so far, is
    /// refused at once.
    pub max_wait: Duration,
    /// Requests a worker answers at a time, 1 to 1024.
    pub max_running: usize,
    /// Tokens a prompt and its answer may have together; `None` takes what the model was made
    /// for, and no more than that, nor more than fits `kv_bytes`, is ever taken.
    pub context: Option<usize>,
    /// Bytes for keys and values of all workers' requests, and of prompts that are kept to be
    /// shared. A request waits until all it may need is free. Taken from the system as it is
    /// needed.
    pub kv_bytes: usize,
    /// How keys and values are kept.
    pub kv_type: KvType,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "model".into(),
            workers: 1,
            threads: None,
            queue: 64,
            queue_tokens: 1 << 18,
            max_wait: Duration::from_secs(30),
            max_running: 8,
            context: None,
            kv_bytes: 1 << 30,
            kv_type: KvType::default(),
        }
    }
}

impl CandleEngine {
    /// Loads a model and starts its workers.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged, when the model is of a kind that is not supported, or
    /// when a setting is out of its range.
    pub fn load(source: ModelSource, settings: Settings) -> Result<Self, LoadError> {
        check_settings(&settings)?;
        let Model {
            body,
            vocab,
            text,
            end_tokens,
            pointers,
            card,
        } = Model::open(&source)?;
        let (most, pool, anatomy) = match body {
            Body::Decoder(decoder) => {
                let (made_for, anatomy) = (decoder.context(), decoder.anatomy());
                let network = PagedDecoder::new(*decoder, settings.kv_type, settings.kv_bytes);
                let most = checked_context(network.context(), made_for, &settings)?;
                (most, WorkerPool::start(network, &settings)?, Some(anatomy))
            }
            Body::T5(model) => {
                let made_for = model.context();
                let network = EncoderDecoder::new(*model, settings.kv_bytes);
                let most = checked_context(network.context(), made_for, &settings)?;
                (most, WorkerPool::start(network, &settings)?, None)
            }
        };
        Ok(Self {
            model: ModelInfo {
                name: settings.name.clone(),
                context: settings.context.unwrap_or(most).min(most),
                reads_documents: text.template.reads_documents(),
                reads_tools: text.template.tool_format().is_some(),
                card,
            },
            text,
            end_tokens,
            pointers,
            vocab,
            grammars: OnceLock::new(),
            spellings: OnceLock::new(),
            anatomy,
            pool,
            source,
            fingerprint: OnceLock::new(),
        })
    }

    /// The tokens of a text as content of a prompt.
    ///
    /// # Errors
    ///
    /// When the tokenizer fails.
    pub fn content_tokens(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        self.text.content_tokens(text)
    }

    /// The tokens of a prompt, with everything the chat template adds.
    ///
    /// # Errors
    ///
    /// When the template refuses the conversation, or the prompt is far too long to be read.
    pub fn prompt_tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        self.text.prompt_tokens(prompt, self.model.context, "")
    }

    fn check_bias(&self, bias: &[(u32, f32)]) -> Result<(), EngineError> {
        let known = |&(id, bias): &(u32, f32)| {
            (id as usize) < self.vocab && (-100.0..=100.0).contains(&bias)
        };
        match bias.iter().find(|entry| !known(entry)) {
            None => Ok(()),
            Some((id, bias)) => Err(EngineError::InvalidRequest {
                param: "logit_bias",
                message: format!(
                    "logit_bias has {bias} for token {id}; it takes -100 to 100 for tokens below {}",
                    self.vocab
                ),
            }),
        }
    }

    fn grammar(&self, format: &OutputFormat) -> Result<Option<Grammar>, EngineError> {
        if *format == OutputFormat::Text {
            return Ok(None);
        }
        let make = || Grammars::new(&self.text.tokenizer, self.vocab, &self.end_tokens);
        let grammars = self.grammars.get_or_init(make).as_ref();
        grammars.map_err(EngineError::clone)?.compile(format)
    }

    fn quotation(&self, request: &Request) -> Result<Option<Quotation>, EngineError> {
        if request.quotable.is_empty() {
            return Ok(None);
        }
        if request.format != OutputFormat::Text || !request.prompt.tools.is_empty() {
            let message = "quotations are told from other text only where the answer is no JSON";
            return Err(invalid("quotable", message));
        }
        let bytes = request.quotable.iter().map(String::len).sum::<usize>();
        if !(1..=Request::MOST_QUOTABLE_BYTES).contains(&bytes) {
            return Err(invalid(
                "quotable",
                "texts to quote must have 1 to 65536 bytes",
            ));
        }
        let make = || Arc::new(Spellings::new(&self.text.tokenizer, self.vocab));
        let spellings = self.spellings.get_or_init(make).clone();
        Ok(Some(Quotation::new(spellings, &request.quotable)))
    }

    fn wishes(&self, request: &mut Request) -> Result<Wishes, EngineError> {
        let has_tools = !request.prompt.tools.is_empty();
        let tools = self.text.template.tool_format().filter(|_| has_tools);
        if has_tools && tools.is_none() {
            return Err(invalid("tools", "this model was not made to call tools"));
        }
        let beginning = tools.map(|format| format.beginning(&request.tool_choice));
        Ok(Wishes {
            stop: std::mem::take(&mut request.stop),
            logprobs: request.logprobs,
            pointing: Pointing::new(&self.pointers, request),
            tools,
            beginning: beginning.unwrap_or_default(),
        })
    }

    /// The tokens of a prompt, and of what the answer is made to begin with.
    fn checked_prompt(&self, prompt: &Prompt, beginning: &str) -> Result<Vec<u32>, EngineError> {
        let context = self.model.context;
        let tokens = self.text.prompt_tokens(prompt, context, beginning)?;
        self.check_length(tokens.len())?;
        Ok(tokens)
    }

    /// The same, and where the texts are whose attention is to be told.
    fn watched_prompt(
        &self,
        request: &Request,
        beginning: &str,
    ) -> Result<(Vec<u32>, Option<Watch>), EngineError> {
        if request.watch.is_empty() || self.anatomy.is_none() {
            return Ok((self.checked_prompt(&request.prompt, beginning)?, None));
        }
        let context = self.model.context;
        let read = self
            .text
            .ranged_prompt(&request.prompt, context, beginning)?;
        self.check_length(read.ids.len())?;
        let watch = read.find(request.watch.iter().map(String::as_str));
        Ok((read.ids, Some(Watch::new(watch))))
    }

    fn check_length(&self, prompt: usize) -> Result<(), EngineError> {
        let context = self.model.context;
        if prompt == 0 {
            return Err(invalid("messages", "the prompt is empty"));
        }
        if prompt >= context {
            return Err(EngineError::PromptTooLong { prompt, context });
        }
        Ok(())
    }
}

impl Engine for CandleEngine {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn count_tokens(&self, text: &str) -> usize {
        // A tokenizer that cannot encode a text fails on the prompt too, and says why there.
        self.content_tokens(text)
            .map_or(text.len(), |tokens| tokens.len())
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.prompt_tokens(prompt).map(|tokens| tokens.len())
    }

    fn generate(&self, mut request: Request) -> Result<TokenStream, EngineError> {
        check_sampling(&request.sampling)?;
        check_limits(&request)?;
        self.check_bias(&request.logit_bias)?;
        self.pool.check_room()?;
        let grammar = self.grammar(&request.format)?;
        let quotation = self.quotation(&request)?;
        let wishes = self.wishes(&mut request)?;
        let (prompt, watch) = self.watched_prompt(&request, &wishes.beginning)?;
        let room = self.model.context - prompt.len();
        let max_tokens = request.max_tokens.unwrap_or(room).min(room);
        let (sender, stream) = TokenStream::channel(max_tokens);
        let manner = Manner {
            sampling: request.sampling,
            logit_bias: request.logit_bias,
            wishes,
            grammar,
            quotation,
            watch,
            max_tokens,
            end_tokens: self.end_tokens.clone(),
            text: self.text.clone(),
        };
        let writing = Writing::new(&prompt, manner);
        self.pool.submit(Job {
            prompt,
            task: Task::Write(Box::new(writing)),
            sharing: request.sharing,
            sender,
        })?;
        Ok(stream)
    }

    fn fingerprint(&self) -> Fingerprint {
        let compute = || fingerprint(&self.source);
        self.fingerprint.get_or_init(compute).clone()
    }

    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        self.judge(prompt, text, sharing)
    }

    fn inside(&self) -> Result<&dyn Inside, EngineError> {
        match self.anatomy {
            Some(_) => Ok(self),
            None => Err(invalid(
                "model",
                "attention is shown of decoders only, and this model is none",
            )),
        }
    }

    fn load(&self) -> Load {
        self.pool.load()
    }

    fn forget(&self) {
        self.pool.forget();
    }

    fn era(&self) -> u64 {
        self.pool.era()
    }
}

/// Memory for fewer tokens than this is a mistake.
const FEWEST_TOKENS: usize = 64;

/// More stop strings than anybody needs.
const MOST_STOP_STRINGS: usize = 16;

/// In bytes. While text may be the beginning of a stop string it is held back.
const LONGEST_STOP_STRING: usize = 1024;

fn check_limits(request: &Request) -> Result<(), EngineError> {
    if request.max_tokens == Some(0) {
        return Err(invalid("max_tokens", "max_tokens must be at least 1"));
    }
    if request
        .logprobs
        .is_some_and(|top| top > Request::MOST_LOGPROBS)
    {
        return Err(invalid("top_logprobs", "top_logprobs must be at most 20"));
    }
    if request.stop.len() > MOST_STOP_STRINGS {
        return Err(invalid("stop", "there may be at most 16 stop strings"));
    }
    if request.watch.len() > Request::MOST_WATCHED {
        return Err(invalid("watch", "at most 4096 texts are watched"));
    }
    let fits = |stop: &String| (1..=LONGEST_STOP_STRING).contains(&stop.len());
    if !request.stop.iter().all(fits) {
        return Err(invalid("stop", "a stop string must have 1 to 1024 bytes"));
    }
    Ok(())
}

/// The context that the memory allows, if that is one to work with.
fn checked_context(most: usize, made_for: usize, settings: &Settings) -> Result<usize, LoadError> {
    if most < FEWEST_TOKENS {
        return Err(LoadError::Setting {
            name: "kv_bytes",
            range: "enough for 64 tokens of this model",
        });
    }
    if most < settings.context.unwrap_or(made_for).min(made_for) {
        tracing::warn!(context = most, made_for, "kv_bytes limits the context");
    }
    Ok(most)
}

fn check_settings(settings: &Settings) -> Result<(), LoadError> {
    let ranges = [
        ("workers", settings.workers, 64, "1 to 64"),
        ("threads", settings.threads.unwrap_or(1), 1024, "1 to 1024"),
        ("queue", settings.queue, 1 << 16, "1 to 65536"),
        ("max_running", settings.max_running, 1024, "1 to 1024"),
        (
            "queue_tokens",
            settings.queue_tokens,
            usize::MAX,
            "at least 1",
        ),
        (
            "context",
            settings.context.unwrap_or(2),
            usize::MAX,
            "at least 2",
        ),
    ];
    for (name, value, largest, range) in ranges {
        let smallest = if name == "context" { 2 } else { 1 };
        if value < smallest || value > largest {
            return Err(LoadError::Setting { name, range });
        }
    }
    Ok(())
}

fn invalid(param: &'static str, message: &str) -> EngineError {
    EngineError::InvalidRequest {
        param,
        message: message.to_owned(),
    }
}
