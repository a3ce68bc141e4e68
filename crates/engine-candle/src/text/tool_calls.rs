//! The calls of tools in an answer, taken out of its text as it comes.

use engine::ToolCall;

use super::stop::StopStrings;
use super::tool_format::{ToolFormat, read_calls};

/// Takes one answer's text in pieces and parts it into text and calls.
///
/// Text is held back while it may be the beginning of a call. What looks like one and cannot be
/// understood is text after all.
pub(crate) struct ToolCallParser {
    format: &'static ToolFormat,
    opening: StopStrings,
    held: String,
    state: State,
}

/// Part of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    /// Text to send.
    Text(String),
    /// Calls, and how many bytes of the answer they took.
    Calls(Vec<ToolCall>, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space came yet.
    Fresh,
    /// In the text.
    Text,
    /// Behind the mark that opens a call; `held` begins with it.
    Call,
    /// In an answer that begins with a brace.
    Bare,
}

impl ToolCallParser {
    /// Begins an answer in this format.
    pub(crate) fn new(format: &'static ToolFormat) -> Self {
        Self {
            format,
            opening: StopStrings::new(vec![format.open.to_owned()]),
            held: String::new(),
            state: State::Fresh,
        }
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<Part> {
        self.held.push_str(piece);
        let mut parts = Vec::new();
        while let Some(part) = self.next_part() {
            parts.push(part);
        }
        parts
    }

    /// The answer is over: the rest of it.
    pub(crate) fn finish(&mut self) -> Vec<Part> {
        let held = std::mem::take(&mut self.held);
        let body = held.strip_prefix(self.format.open);
        let calls = match self.state {
            State::Call | State::Bare => read_calls(body.unwrap_or(&held)),
            State::Fresh | State::Text => None,
        };
        match calls {
            Some(calls) => vec![Part::Calls(calls, held.len())],
            None if held.is_empty() => Vec::new(),
            None => vec![Part::Text(held)],
        }
    }

    fn next_part(&mut self) -> Option<Part> {
        match self.state {
            State::Fresh => {
                let first = self.held.trim_start().chars().next()?;
                self.state = match self.format.bare && first == '{' {
                    true => State::Bare,
                    false => State::Text,
                };
                self.next_part()
            }
            State::Bare => None,
            State::Text => self.next_text(),
            State::Call => self.next_call(),
        }
    }

    /// Text before a call, or that is certainly none.
    fn next_text(&mut self) -> Option<Part> {
        let found = self.opening.find(&self.held);
        if found == Some(0) {
            self.state = State::Call;
            return self.next_call();
        }
        let kept = self.opening.beginning(&self.held);
        let certain = found.unwrap_or(self.held.len() - kept);
        let rest = self.held.split_off(certain);
        let text = std::mem::replace(&mut self.held, rest);
        (!text.is_empty()).then_some(Part::Text(text))
    }

    /// The call that `held` begins with, if it has ended.
    fn next_call(&mut self) -> Option<Part> {
        let close = self.format.close?;
        let start = self.format.open.len();
        let end = start + self.held[start..].find(close)?;
        let rest = self.held.split_off(end + close.len());
        let whole = std::mem::replace(&mut self.held, rest);
        self.state = State::Text;
        Some(match read_calls(&whole[start..end]) {
            Some(calls) => Part::Calls(calls, whole.len()),
            None => Part::Text(whole),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a text, in pieces of every length; calls as `(name arguments)`.
    fn check(template: &str, text: &str, expected: &str) {
        let format = ToolFormat::of_template(template).expect("the format is known");
        for length in 1..=text.chars().count() {
            let mut parser = ToolCallParser::new(format);
            let characters = text.chars().collect::<Vec<_>>();
            let pieces = characters.chunks(length).map(String::from_iter);
            let mut parts = pieces
                .flat_map(|piece| parser.push(&piece))
                .collect::<Vec<_>>();
            parts.extend(parser.finish());
            let mut bytes = 0;
            let shown = parts.iter().map(|part| match part {
                Part::Text(text) => {
                    bytes += text.len();
                    text.clone()
                }
                Part::Calls(calls, length) => {
                    bytes += length;
                    let shown = calls
                        .iter()
                        .map(|call| format!("({} {})", call.name, call.arguments));
                    shown.collect()
                }
            });
            assert_eq!(
                shown.collect::<String>(),
                expected,
                "{text} in pieces of {length}"
            );
            assert_eq!(bytes, text.len(), "every byte is accounted for");
        }
    }

    #[test]
    fn tagged_calls_are_taken_out() {
        let check = |text: &str, expected: &str| check("<tool_call>", text, expected);
        check("No tool < needed.", "No tool < needed.");
        check(
            "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
            "Let me see.\n(f {\"a\":1})",
        );
        check(
            "<tool_call>{\"name\": \"f\"}</tool_call>\n<tool_call>{\"name\": \"g\"}</tool_call>",
            "(f {})\n(g {})",
        );
        check("<tool_call>{\"name\": \"f\"}", "(f {})");
        check(
            "<tool_call>{\"name\": </tool_call> so",
            "<tool_call>{\"name\": </tool_call> so",
        );
        check("<tool_call>{\"na", "<tool_call>{\"na");
        check("a <tool_cal", "a <tool_cal");
    }

    #[test]
    fn listed_calls_go_on_to_the_end() {
        let check = |text: &str, expected: &str| check("[TOOL_CALLS]", text, expected);
        check(
            "[TOOL_CALLS] [{\"name\": \"f\"}, {\"name\": \"g\"}]",
            "(f {})(g {})",
        );
        check("See [1]. [TOOL", "See [1]. [TOOL");
    }

    #[test]
    fn a_bare_object_is_a_call() {
        let check = |text: &str, expected: &str| {
            check(
                "\"parameters\": dictionary of argument name",
                text,
                expected,
            );
        };
        check("{\"name\": \"f\", \"parameters\": {}}", "(f {})");
        check("\n{\"name\": \"f\"}; {\"name\": \"g\"}", "(f {})(g {})");
        check("{\"answer\": 3}", "{\"answer\": 3}");
        check("Then {\"name\": \"f\"}", "Then {\"name\": \"f\"}");
        check("<|python_tag|>{\"name\": \"f\"}", "(f {})");
    }
}
