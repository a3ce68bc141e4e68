//! From the tokens of one answer to what is sent: text, calls of tools, probabilities.

use std::borrow::Cow;
use std::sync::Arc;

use engine::{EngineError, Token};

use super::logprobs::Logprobs;
use super::pointing::Pointing;
use crate::text::{Detokenizer, Part, Text, ToolCallParser, ToolFormat};

/// What becomes of an answer's tokens.
pub(crate) struct Output {
    text: Arc<Text>,
    detokenizer: Detokenizer,
    logprobs: Option<Logprobs>,
    pointing: Pointing,
    tools: Option<Tools>,
}

/// What the output of one request is to hold.
#[derive(Default)]
pub(crate) struct Wishes {
    /// The text ends before any of these strings.
    pub(crate) stop: Vec<String>,
    /// How many of the most likely tokens to tell beside each chosen one, if any.
    pub(crate) logprobs: Option<usize>,
    /// The tokens that stand for sources, if any do.
    pub(crate) pointing: Pointing,
    /// How the model calls tools, if it may.
    pub(crate) tools: Option<&'static ToolFormat>,
    /// What the answer was made to begin with.
    pub(crate) beginning: String,
}

struct Tools {
    parser: ToolCallParser,
    /// The marks of calls that are special tokens, which have no text otherwise.
    marks: Vec<(u32, &'static str)>,
    called: bool,
}

/// How a token ends an answer, if it does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// More may follow.
    Inside,
    /// It is the last one, for its limit.
    Last,
    /// It is none of the text's: it ends the turn.
    End,
}

/// What became of one token.
pub(crate) struct Sent {
    pub(crate) token: Token,
    /// A stop string came up: the answer ends before it.
    pub(crate) stopped: bool,
}

impl Output {
    /// Begins an answer.
    pub(crate) fn new(text: Arc<Text>, wishes: Wishes) -> Self {
        let mut tools = wishes.tools.map(|format| Tools::new(format, &text));
        if let Some(tools) = &mut tools {
            tools.parser.push(&wishes.beginning);
        }
        let before = wishes.beginning.len();
        Self {
            detokenizer: Detokenizer::new(text.clone(), wishes.stop),
            logprobs: wishes.logprobs.map(|top| Logprobs::new(top, before)),
            pointing: wishes.pointing,
            tools,
            text,
        }
    }

    /// Makes tokens impossible that have nothing to say here.
    pub(crate) fn restrict<'a>(&self, logits: Cow<'a, [f32]>) -> Cow<'a, [f32]> {
        if self.pointing.is_empty() {
            return logits;
        }
        let mut logits = logits.into_owned();
        self.pointing.restrict(&mut logits);
        Cow::Owned(logits)
    }

    /// Takes the next token, with the model's own logits.
    pub(crate) fn take(
        &mut self,
        id: u32,
        place: Place,
        logits: &[f32],
    ) -> Result<Sent, EngineError> {
        let mark = self.tools.as_ref().and_then(|tools| tools.mark(id));
        let source = self.pointing.say(id);
        if let Some(logprobs) = self.logprobs.as_mut().filter(|_| place != Place::End) {
            logprobs.note(id, logits, &self.text.tokenizer, source.as_deref().or(mark));
        }
        let (text, stopped) = self.text_of(id, place, mark, source.as_deref())?;
        let is_last = stopped || place != Place::Inside;
        let mut token = Token {
            id,
            ..Token::default()
        };
        for part in self.parts(text, is_last) {
            self.send(part, &mut token);
        }
        if let Some(logprobs) = self.logprobs.as_mut().filter(|_| is_last && !stopped) {
            token.logprobs.extend(logprobs.send(usize::MAX));
        }
        Ok(Sent { token, stopped })
    }

    /// A tool was called.
    pub(crate) fn called(&self) -> bool {
        self.tools.as_ref().is_some_and(|tools| tools.called)
    }

    /// The text that became certain, and whether it ends in a stop string.
    fn text_of(
        &mut self,
        id: u32,
        place: Place,
        mark: Option<&str>,
        source: Option<&str>,
    ) -> Result<(String, bool), EngineError> {
        let mut piece = match (place, mark, source) {
            (_, _, Some(source)) => self.detokenizer.say(source)?,
            (Place::End, ..) | (_, Some(_), _) => self.detokenizer.finish()?,
            (_, None, None) => self.detokenizer.push(id)?,
        };
        if piece.stopped {
            return Ok((piece.text, true));
        }
        piece.text.push_str(mark.unwrap_or(""));
        if place == Place::Last {
            let rest = self.detokenizer.finish()?;
            piece.text.push_str(&rest.text);
            piece.stopped = rest.stopped;
        }
        Ok((piece.text, piece.stopped))
    }

    fn parts(&mut self, text: String, is_last: bool) -> Vec<Part> {
        let Some(tools) = &mut self.tools else {
            return vec![Part::Text(text)];
        };
        let mut parts = tools.parser.push(&text);
        if is_last {
            parts.extend(tools.parser.finish());
        }
        tools.called |= parts.iter().any(|part| matches!(part, Part::Calls(..)));
        parts
    }

    fn send(&mut self, part: Part, token: &mut Token) {
        let logprobs = self.logprobs.as_mut();
        match part {
            Part::Text(text) => {
                let told = logprobs.map_or(Vec::new(), |told| told.send(text.len()));
                token.logprobs.extend(told);
                token.text.push_str(&text);
            }
            Part::Calls(calls, bytes) => {
                // Probabilities are told of text only.
                let _ = logprobs.map(|told| told.send(bytes));
                token.tool_calls.extend(calls);
            }
        }
    }
}

impl Tools {
    fn new(format: &'static ToolFormat, text: &Text) -> Self {
        let marks = [Some(format.open), format.close].into_iter().flatten();
        let marks = marks.filter_map(|mark| {
            let id = text.tokenizer.id(mark)?;
            text.tokenizer.bytes(id).is_empty().then_some((id, mark))
        });
        Self {
            parser: ToolCallParser::new(format),
            marks: marks.collect(),
            called: false,
        }
    }

    fn mark(&self, id: u32) -> Option<&'static str> {
        let found = self.marks.iter().find(|(mark, _)| *mark == id);
        found.map(|(_, mark)| *mark)
    }
}
