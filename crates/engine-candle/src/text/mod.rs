//! From conversations to tokens, and from tokens back to text.

mod clock;
mod controls;
mod detokenizer;
mod generation_marks;
mod gguf_tokenizer;
mod percent;
mod python;
mod ranged;
mod sentence_piece;
mod stop;
mod template;
mod template_context;
mod template_functions;
mod template_json;
mod token_bytes;
mod tokenizer;
mod tool_calls;
mod tool_format;

use engine::{EngineError, Prompt};
use serde_json::Value;

pub(crate) use controls::SENTINEL;
pub(crate) use detokenizer::Detokenizer;
pub(crate) use ranged::Ranged;
pub(crate) use template::{ChatTemplate, SpecialTokens};
pub(crate) use tokenizer::ModelTokenizer;
pub(crate) use tool_calls::{Part, ToolCallParser};
pub(crate) use tool_format::ToolFormat;

/// How a model wants to be spoken to.
pub(crate) struct Text {
    pub(crate) tokenizer: ModelTokenizer,
    pub(crate) template: ChatTemplate,
}

/// No prompt that fits has on average more bytes for each token than this; what has more is
/// refused unread. Only the longest runs of white space come near it.
const MOST_BYTES_PER_TOKEN: usize = 32;

impl Text {
    /// The tokens of a prompt, with everything the chat template adds, and of what the answer
    /// is made to begin with.
    ///
    /// Content cannot produce control tokens: their names in it are broken before the template
    /// sees it, so that only the template's own can be recognised afterwards.
    pub(crate) fn prompt_tokens(
        &self,
        prompt: &Prompt,
        context: usize,
        beginning: &str,
    ) -> Result<Vec<u32>, EngineError> {
        let mut rendered = self.render(prompt, context)?;
        rendered.push_str(beginning);
        self.tokenizer.encode_rendered(&rendered)
    }

    /// The same, with the text that the tokens are of.
    pub(crate) fn ranged_prompt(
        &self,
        prompt: &Prompt,
        context: usize,
        beginning: &str,
    ) -> Result<Ranged, EngineError> {
        let mut rendered = self.render(prompt, context)?;
        rendered.push_str(beginning);
        self.tokenizer.encode_ranged(&rendered)
    }

    fn render(&self, prompt: &Prompt, context: usize) -> Result<String, EngineError> {
        refuse_the_hopeless(bytes_of(prompt), context)?;
        self.template
            .render(prompt, |content| self.tokenizer.protect(content))
    }

    /// The tokens of a text as content.
    pub(crate) fn content_tokens(&self, content: &str) -> Result<Vec<u32>, EngineError> {
        let protected = self.tokenizer.protect(content);
        self.tokenizer.encode_rendered(&protected)
    }

    /// The same, with the parts of the text that they stand for.
    pub(crate) fn ranged_content(
        &self,
        content: &str,
        context: usize,
    ) -> Result<Ranged, EngineError> {
        refuse_the_hopeless(content.len(), context)?;
        let ranged = self
            .tokenizer
            .encode_ranged(&self.tokenizer.protect(content))?;
        Ok(ranged.of_content(content))
    }
}

fn refuse_the_hopeless(bytes: usize, context: usize) -> Result<(), EngineError> {
    if bytes <= context.saturating_mul(MOST_BYTES_PER_TOKEN) {
        return Ok(());
    }
    // Counting exactly is the work that is refused; four bytes to a token is a usual text.
    let prompt = bytes / 4;
    Err(EngineError::PromptTooLong { prompt, context })
}

fn bytes_of(prompt: &Prompt) -> usize {
    let messages = prompt.messages.iter().map(|message| {
        let calls = message.tool_calls.iter();
        let calls = calls.map(|call| call.name.len() + bytes_of_json(&call.arguments));
        message.content.len() + calls.sum::<usize>()
    });
    let documents = prompt.documents.iter();
    let documents = documents.map(|document| document.title.len() + document.text.len());
    let tools = prompt.tools.iter().map(bytes_of_json);
    messages.chain(documents).chain(tools).sum()
}

/// Of the texts in it; the rest is of no weight.
fn bytes_of_json(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes_of_json).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + bytes_of_json(value))
            .sum(),
        _ => 0,
    }
}
