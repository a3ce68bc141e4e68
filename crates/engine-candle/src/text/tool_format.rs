//! How models write the calls of tools.
//!
//! Nothing in a model's files says so in a form for software, but its chat template writes
//! earlier calls back the way the model learnt them, and so shows it.

use engine::{ToolCall, ToolChoice};
use serde_json::Value;

/// One way of writing calls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToolFormat {
    /// A template that holds this is of this format.
    mark: &'static str,
    /// Stands before a call, or a list of them.
    pub(crate) open: &'static str,
    /// Stands behind it; without one, the rest of the answer is calls.
    pub(crate) close: Option<&'static str>,
    /// An answer that begins with a brace is a call too.
    pub(crate) bare: bool,
    /// The field of a call that holds what the tool is called with.
    arguments: &'static str,
    /// What the model writes first when it calls something.
    beginning: &'static str,
}

/// The formats, the more telling marks first.
const FORMATS: &[ToolFormat] = &[
    // Mistral: a list of calls.
    ToolFormat {
        mark: "[TOOL_CALLS]",
        open: "[TOOL_CALLS]",
        close: None,
        bare: false,
        arguments: "arguments",
        beginning: "[TOOL_CALLS][",
    },
    // Granite 3 and Phi 4: a list of calls.
    ToolFormat {
        mark: "<|tool_call|>",
        open: "<|tool_call|>",
        close: Some("<|/tool_call|>"),
        bare: false,
        arguments: "arguments",
        beginning: "<|tool_call|>[",
    },
    // Hermes, Qwen 2.5 and 3, SmolLM3: one call between the tags.
    ToolFormat {
        mark: "<tool_call>",
        open: "<tool_call>",
        close: Some("</tool_call>"),
        bare: false,
        arguments: "arguments",
        beginning: "<tool_call>\n",
    },
    // Llama 3.1 and later: the answer is a call, or several with semicolons between.
    ToolFormat {
        mark: "\"parameters\": dictionary of argument name",
        open: "<|python_tag|>",
        close: None,
        bare: true,
        arguments: "parameters",
        beginning: "",
    },
];

impl ToolFormat {
    /// The format that a chat template shows, if it is a known one.
    pub(crate) fn of_template(template: &str) -> Option<&'static ToolFormat> {
        // In a template the quotation marks may be escaped, as they stand in a string.
        let template = template.replace("\\\"", "\"");
        FORMATS.iter().find(|format| template.contains(format.mark))
    }

    /// What the answer is made to begin with, so that it is the call that was chosen.
    pub(crate) fn beginning(&self, choice: &ToolChoice) -> String {
        let before = self.beginning;
        match choice {
            ToolChoice::Auto => String::new(),
            ToolChoice::Required => format!("{before}{{\"name\": \""),
            ToolChoice::Named(name) => {
                let arguments = self.arguments;
                format!("{before}{{\"name\": \"{name}\", \"{arguments}\": ")
            }
        }
    }
}

/// The calls in what stands between the marks; `None` if it cannot be understood, or not wholly.
pub(crate) fn read_calls(text: &str) -> Option<Vec<ToolCall>> {
    let text = text.trim().trim_end_matches(';');
    let mut calls = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next()?.ok()? {
            Value::Array(list) => {
                for value in list {
                    calls.push(read_call(value)?);
                }
            }
            value => calls.push(read_call(value)?),
        }
        let end = values.byte_offset();
        rest = rest[end..]
            .trim_start()
            .trim_start_matches(';')
            .trim_start();
    }
    (!calls.is_empty()).then_some(calls)
}

/// `{"name": …, "arguments": …}`, or with `parameters`, or all of it in `function`.
fn read_call(mut value: Value) -> Option<ToolCall> {
    if value["function"].is_object() {
        value = value["function"].take();
    }
    let name = value["name"].as_str()?.to_owned();
    let fields = value.as_object_mut()?;
    let arguments = ["arguments", "parameters"].map(|name| fields.remove(name));
    let arguments = match arguments.into_iter().flatten().next() {
        // Some models write the object as a string.
        Some(Value::String(text)) => serde_json::from_str(&text).ok()?,
        Some(arguments) => arguments,
        None => Value::Object(serde_json::Map::new()),
    };
    arguments.is_object().then_some(ToolCall {
        id: None,
        name,
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read() {
        let check = |text: &str, expected: Option<&[(&str, &str)]>| {
            let calls = read_calls(text).map(|calls| {
                let calls = calls.into_iter();
                let calls = calls.map(|call| (call.name, call.arguments.to_string()));
                calls.collect::<Vec<_>>()
            });
            let expected = expected.map(|calls| {
                let calls = calls
                    .iter()
                    .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
                calls.collect::<Vec<_>>()
            });
            assert_eq!(calls, expected, "{text}");
        };
        let seoul = Some(&[("weather", r#"{"city":"서울"}"#)][..]);
        check(
            r#"{"name": "weather", "arguments": {"city": "서울"}}"#,
            seoul,
        );
        check(
            r#" {"name": "weather", "parameters": {"city": "서울"}} "#,
            seoul,
        );
        check(
            r#"[{"name": "weather", "arguments": {"city": "서울"}}]"#,
            seoul,
        );
        check(
            r#"{"function": {"name": "weather", "arguments": {"city": "서울"}}}"#,
            seoul,
        );
        check(
            r#"{"name": "weather", "arguments": "{\"city\": \"서울\"}"}"#,
            seoul,
        );
        check(r#"{"name": "now"}"#, Some(&[("now", "{}")]));
        check(
            r#"{"name": "a"}; {"name": "b"};"#,
            Some(&[("a", "{}"), ("b", "{}")]),
        );
        for broken in [
            "",
            "[]",
            "{",
            r#"{"name": "a""#,
            r#"{"name": 3}"#,
            r#"{"name": "a", "arguments": 3}"#,
            r#"{"name": "a"} and more"#,
            "3",
        ] {
            check(broken, None);
        }
    }

    #[test]
    fn templates_show_their_format() {
        let open = |template| ToolFormat::of_template(template).map(|format| format.open);
        assert_eq!(
            open("{{ '<tool_call>\\n{\"name\": \"' }}"),
            Some("<tool_call>")
        );
        assert_eq!(open("{{- \"[TOOL_CALLS][\" }}"), Some("[TOOL_CALLS]"));
        assert_eq!(
            open(
                r#"{{ "{\"name\": function name, \"parameters\": dictionary of argument name" }}"#
            ),
            Some("<|python_tag|>")
        );
        assert_eq!(open("{{ messages }}"), None);
    }
}
