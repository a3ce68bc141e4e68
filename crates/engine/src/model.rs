//! What an engine says about its model.

/// The model behind an engine, as far as those who write prompts need to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The name clients ask for.
    pub name: String,
    /// Tokens the model can take, prompt and answer together.
    pub context: usize,
    /// The chat template places [`Prompt::documents`](crate::Prompt) itself. Otherwise the
    /// caller writes passages into a message.
    pub reads_documents: bool,
    /// The chat template reads [`Prompt::tools`](crate::Prompt): the model was made to call tools.
    pub reads_tools: bool,
    /// What the model's makers say of it.
    pub card: Card,
}

/// What a model card declares for software to act on: the object `ibid` in `config.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Quoting the best sentences answers better than this model does.
    pub quotes_better: bool,
    /// The model only names sources, each by a token of its own, and the engine says their texts:
    /// an answer is made of whole sources, or of nothing.
    pub points: bool,
    /// What a source is.
    pub unit: SourceUnit,
    /// More sources than this confuse the model.
    pub max_sources: Option<usize>,
    /// A source of more tokens than this confuses the model.
    pub max_source_tokens: Option<usize>,
}

/// What a model was trained to take for one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceUnit {
    /// A passage.
    #[default]
    Passage,
    /// A single sentence. The best ones of all passages are its sources, best first.
    Sentence,
}

/// Hashes of what makes up a model: with the same ones, the same request gives the same answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256 of the files of its weights one behind the other, in hexadecimal digits; `None`
    /// when it is not known.
    pub weights: Option<String>,
    /// SHA-256 of its tokenizer's file; `None` when it is not known, or part of the weights' file.
    pub tokenizer: Option<String>,
}
