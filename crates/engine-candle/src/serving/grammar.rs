//! Answers that must be JSON: which tokens may come next.
//!
//! llguidance keeps a parser of the text so far and knows for every token of the vocabulary
//! whether the text could go on with it.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use engine::{EngineError, OutputFormat};
use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};
use toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};

use crate::text::ModelTokenizer;

/// In bytes. OpenAI's limit is near this.
const LONGEST_SCHEMA: usize = 100_000;

/// White space that an answer may have between the parts of its JSON. Bounded, because small
/// models like to go on with blanks for ever.
const WHITE_SPACE: &str = r" |\n {0,32}";

/// Makes grammars for one vocabulary. Making this takes a moment, so it is made once.
pub(crate) struct Grammars(ParserFactory);

/// The grammar of one answer, at the place that the answer has reached.
pub(crate) struct Grammar(Matcher);

impl Grammars {
    /// For a model whose logits are of `vocab` tokens, of which `end_tokens` end its turn.
    pub(crate) fn new(
        tokenizer: &ModelTokenizer,
        vocab: usize,
        end_tokens: &[u32],
    ) -> Result<Self, EngineError> {
        let Some(&end) = end_tokens.first() else {
            return Err(refused("this model knows no token that ends an answer"));
        };
        let words = (0..vocab as u32).map(|id| word(tokenizer, id));
        let info = TokRxInfo::new(vocab as u32, end);
        let trie = TokTrie::from(&info, &words.collect::<Vec<_>>()).with_eos_tokens(end_tokens);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&environment)
            .map_err(|error| EngineError::Failed(format!("the vocabulary: {error}")))?;
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(Self(factory))
    }

    /// The grammar of a format, at its beginning; `None` if anything goes.
    pub(crate) fn compile(&self, format: &OutputFormat) -> Result<Option<Grammar>, EngineError> {
        let schema = match format {
            OutputFormat::Text => return Ok(None),
            OutputFormat::JsonObject => json!({"type": "object"}),
            OutputFormat::JsonSchema(schema) => read(schema)?,
        };
        let compiled = catch_unwind(AssertUnwindSafe(|| {
            let grammar = TopLevelGrammar::from_json_schema(with_our_white_space(schema));
            self.0.create_parser(grammar).map_err(|e| format!("{e:#}"))
        }));
        let unreadable = || Err("it cannot be understood".to_owned());
        match compiled.unwrap_or_else(|_| unreadable()) {
            Ok(parser) => Ok(Some(Grammar(Matcher::new(Ok(parser))))),
            Err(reason) => Err(refused(&format!(
                "this JSON Schema cannot be used: {}",
                first_line(&reason)
            ))),
        }
    }
}

impl Grammar {
    /// Makes every token impossible that the text cannot go on with. The end is possible where
    /// the text is complete.
    pub(crate) fn restrict(&mut self, logits: &mut [f32]) -> Result<(), EngineError> {
        let mask = self.0.compute_mask_or_eos().map_err(too_hard)?;
        mask.iter_unset_entries(|id| {
            if let Some(logit) = logits.get_mut(id) {
                *logit = f32::NEG_INFINITY;
            }
        });
        Ok(())
    }

    /// The text goes on with this token.
    pub(crate) fn consume(&mut self, id: u32) -> Result<(), EngineError> {
        self.0.consume_token(id).map_err(too_hard)
    }
}

/// A token as the trie takes it: its bytes, or its name behind a byte that no text has, so that
/// no text is mistaken for it.
fn word(tokenizer: &ModelTokenizer, id: u32) -> Vec<u8> {
    let bytes = tokenizer.bytes(id);
    let name = tokenizer.name(id);
    match bytes.is_empty() && !name.is_empty() {
        true => [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat(),
        false => bytes,
    }
}

fn read(schema: &str) -> Result<Value, EngineError> {
    if schema.len() > LONGEST_SCHEMA {
        return Err(refused("a JSON Schema may have at most 100000 bytes"));
    }
    match serde_json::from_str(schema) {
        Ok(Value::Object(schema)) => Ok(Value::Object(schema)),
        _ => Err(refused("a JSON Schema must be an object")),
    }
}

/// llguidance takes its options from this key; what the request wrote there is overwritten.
fn with_our_white_space(mut schema: Value) -> Value {
    schema["x-guidance"] = json!({"whitespace_pattern": WHITE_SPACE});
    schema
}

/// A schema may be fine to read and yet take more work for each token than is allowed.
fn too_hard(error: impl Display) -> EngineError {
    refused(&format!(
        "this JSON Schema is too hard to follow: {}",
        first_line(&format!("{error:#}"))
    ))
}

fn refused(message: &str) -> EngineError {
    EngineError::InvalidRequest {
        param: "response_format",
        message: message.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}
