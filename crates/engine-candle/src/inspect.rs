//! What can be said of a model without running it: for people who want to know whether it will
//! run, and why it misbehaves.

mod tensor_types;

use engine::{EngineError, ModelInfo, Prompt};
use serde_json::Value;

use crate::LoadError;
use crate::Settings;
use crate::config::DecoderConfig;
use crate::decoder::{KvLayout, KvType, PAGE_TOKENS};
use crate::encoder_decoder::{T5, is_t5};
use crate::files::{ModelFiles, ModelSource, Weights};
use crate::model;
use crate::text::{ChatTemplate, ModelTokenizer, SENTINEL, SpecialTokens, Text};
pub use tensor_types::TensorType;

/// A model as its files describe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// What its configuration calls the architecture.
    pub family: String,
    /// Positions it was made for.
    pub context: usize,
    /// How its tensors are stored, the type with most bytes first.
    pub tensor_types: Vec<TensorType>,
    /// The chat template reads `documents`; `None` when there is no template.
    pub template_reads_documents: Option<bool>,
    /// The kind of tokenizer, and where it comes from.
    pub tokenizer: String,
    /// Tokens in the tokenizer's vocabulary.
    pub vocabulary: usize,
    /// Bytes of keys and values for each token of a prompt or an answer, in f16.
    pub kv_bytes_per_token: u64,
}

impl Inspection {
    /// Reads everything but the values of the weights.
    ///
    /// # Errors
    ///
    /// As loading the model would end, as far as the values of the weights do not matter.
    pub fn open(source: &ModelSource) -> Result<Self, LoadError> {
        let files = ModelFiles::open(source)?;
        let sizes = Sizes::read(&files, KvType::F16)?;
        let tokenizer = model::tokenizer(&files)?;
        model::check_vocabulary(&tokenizer, sizes.vocab)?;
        let vocabulary = tokenizer.largest_id() as usize + 1;
        let template = model::chat_template(&files)
            .map(|source| ChatTemplate::compile(Some(source), SpecialTokens::default()))
            .transpose()?;
        Ok(Self {
            family: family(&files),
            context: sizes.context,
            tensor_types: tensor_types(source, &files)?,
            template_reads_documents: template.map(|template| template.reads_documents()),
            tokenizer: tokenizer_kind(&files),
            vocabulary,
            kv_bytes_per_token: sizes.kv_bytes_per_token as u64,
        })
    }

    /// Numbers in all tensors.
    pub fn parameters(&self) -> u64 {
        self.tensor_types.iter().map(|one| one.parameters).sum()
    }

    /// Bytes of all tensors in the files.
    pub fn file_bytes(&self) -> u64 {
        self.tensor_types.iter().map(|one| one.file_bytes).sum()
    }

    /// Bytes of all tensors once they are loaded.
    pub fn loaded_bytes(&self) -> u64 {
        self.tensor_types.iter().map(|one| one.loaded_bytes).sum()
    }
}

/// What an engine would say of a model, read without its weights.
///
/// # Errors
///
/// As loading the model would end, as far as the values of the weights do not matter.
pub fn model_info(source: &ModelSource, settings: &Settings) -> Result<ModelInfo, LoadError> {
    let files = ModelFiles::open(source)?;
    let sizes = Sizes::read(&files, settings.kv_type)?;
    let text = model::text(&files)?;
    model::check_vocabulary(&text.tokenizer, sizes.vocab)?;
    let fits = settings.kv_bytes / sizes.kv_bytes_per_token;
    let most = sizes.context.min(fits);
    Ok(ModelInfo {
        name: settings.name.clone(),
        context: settings.context.unwrap_or(most).min(most),
        reads_documents: text.template.reads_documents(),
        reads_tools: text.template.tool_format().is_some(),
        card: model::card(&files.config),
    })
}

/// Sizes that an engine's limits depend on.
struct Sizes {
    vocab: usize,
    context: usize,
    kv_bytes_per_token: usize,
}

impl Sizes {
    fn read(files: &ModelFiles, kv_type: KvType) -> Result<Self, LoadError> {
        if is_t5(files) {
            let t5 = T5::sizes(files)?;
            return Ok(Self {
                vocab: t5.vocab,
                context: t5.context,
                kv_bytes_per_token: t5.kv_bytes_per_token,
            });
        }
        let config = DecoderConfig::read(files)?;
        let layout = KvLayout {
            layers: config.layers,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
            kv_type,
        };
        Ok(Self {
            vocab: config.vocab,
            context: config.context,
            kv_bytes_per_token: layout.page_bytes() / PAGE_TOKENS,
        })
    }
}

/// A model's tokenizer by itself. A GGUF file that holds nothing but a vocabulary is enough.
pub struct Vocabulary(ModelTokenizer);

impl Vocabulary {
    /// Reads the tokenizer of a model.
    ///
    /// # Errors
    ///
    /// When the files are damaged, or the tokenizer cannot be rebuilt exactly.
    pub fn open(source: &ModelSource) -> Result<Self, LoadError> {
        model::tokenizer(&ModelFiles::open(source)?).map(Self)
    }

    /// The tokens of a text as content of a prompt: it spells no control token.
    ///
    /// # Errors
    ///
    /// When the tokenizer fails.
    pub fn content_tokens(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        self.0.encode_rendered(&self.0.protect(text))
    }
}

/// A model's chat template by itself.
pub struct PromptWriter(Text);

impl PromptWriter {
    /// Reads the template and the tokenizer; the weights are not touched.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read.
    pub fn open(source: &ModelSource) -> Result<Self, LoadError> {
        Ok(Self(model::text(&ModelFiles::open(source)?)?))
    }

    /// The same with another template in place of the model's own.
    ///
    /// # Errors
    ///
    /// When the tokenizer cannot be read or the template is none.
    pub fn with_template(source: &ModelSource, template: String) -> Result<Self, LoadError> {
        let mut files = ModelFiles::open(source)?;
        files.chat_template = Some(template);
        Ok(Self(model::text(&files)?))
    }

    /// The text that the model would read, with the names of control tokens in their places.
    /// Content may spell such a name too; as tokens the two differ.
    ///
    /// # Errors
    ///
    /// When the template refuses the conversation.
    pub fn write(&self, prompt: &Prompt) -> Result<String, EngineError> {
        let Text {
            tokenizer,
            template,
        } = &self.0;
        let rendered = template.render(prompt, |content| tokenizer.protect(content))?;
        Ok(rendered.replace(SENTINEL, ""))
    }
}

fn tensor_types(source: &ModelSource, files: &ModelFiles) -> Result<Vec<TensorType>, LoadError> {
    let mut types = tensor_types::read(source, &files.weights)?;
    if is_t5(files) {
        // candle computes with them in f32.
        for one in &mut types {
            one.loaded_bytes = one.parameters * size_of::<f32>() as u64;
        }
    }
    Ok(types)
}

fn family(files: &ModelFiles) -> String {
    let name = match &files.weights {
        Weights::Gguf(gguf) => gguf.string("general.architecture"),
        Weights::Safetensors(_) => files.config["model_type"].as_str(),
    };
    name.unwrap_or_default().to_owned()
}

fn tokenizer_kind(files: &ModelFiles) -> String {
    if let (None, Weights::Gguf(gguf)) = (&files.tokenizer, &files.weights) {
        let string = |key| gguf.string(key).unwrap_or("unnamed");
        let model = string("tokenizer.ggml.model");
        return format!("{model} ({}) from GGUF", string("tokenizer.ggml.pre"));
    }
    let json = files.tokenizer.as_deref().unwrap_or_default();
    let json = serde_json::from_slice::<Value>(json).unwrap_or_default();
    let kind = json["model"]["type"].as_str().unwrap_or("unnamed");
    format!("{kind} from tokenizer.json")
}
