//! Chat templates: the Jinja programs by which models say how they want to be spoken to.
//!
//! A template comes with the model, never with a request. It may still be hostile or broken, so
//! its work and its output are bounded by fuel.

use std::error::Error;

use engine::{EngineError, Prompt};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, context};

use super::template_functions::{self as functions, Raised};
use super::template_json::tojson;
use super::tool_format::ToolFormat;
use super::{generation_marks, percent, python, template_context};
use crate::LoadError;

/// A compiled chat template.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: SpecialTokens,
    reads_documents: bool,
    tool_format: Option<&'static ToolFormat>,
}

/// The names of special tokens, which templates may write.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpecialTokens {
    pub(crate) bos: Option<String>,
    pub(crate) eos: Option<String>,
    pub(crate) unk: Option<String>,
    pub(crate) pad: Option<String>,
}

/// For base models, which have no template: the messages' text, with empty lines between.
const PLAIN: &str = "{{ bos_token or '' }}{% for message in messages %}\
    {{ message.content }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endfor %}";

/// One unit is about one instruction, or 64 bytes of text.
const FUEL: u64 = 2_000_000;

const DEEPEST_RECURSION: usize = 100;

const NAME: &str = "chat_template";

impl ChatTemplate {
    /// Compiles the model's template, or the plain one if it has none.
    pub(crate) fn compile(
        source: Option<String>,
        special_tokens: SpecialTokens,
    ) -> Result<Self, LoadError> {
        let source = source.unwrap_or_else(|| {
            tracing::warn!("the model has no chat template; messages are joined as plain text");
            PLAIN.to_owned()
        });
        let mut environment = Environment::new();
        environment.set_syntax(syntax());
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEEPEST_RECURSION);
        environment.set_unknown_method_callback(python::method);
        environment.set_formatter(python::format);
        environment.add_filter("tojson", tojson);
        environment.add_function("raise_exception", functions::raise_exception);
        environment.add_function("strftime_now", functions::strftime_now);
        environment
            .add_template_owned(
                NAME,
                percent::as_method(&generation_marks::without(&source)),
            )
            .map_err(|error| LoadError::Template(format!("{error:#}")))?;
        let template = environment
            .get_template(NAME)
            .map_err(|error| LoadError::Template(format!("{error:#}")))?;
        let variables = template.undeclared_variables(false);
        let reads = |variable| variables.contains(variable);
        Ok(Self {
            reads_documents: reads("documents"),
            tool_format: ToolFormat::of_template(&source).filter(|_| reads("tools")),
            environment,
            special_tokens,
        })
    }

    /// The template places documents itself.
    pub(crate) fn reads_documents(&self) -> bool {
        self.reads_documents
    }

    /// How the model calls the tools that the template tells it of; `None` if it tells of none,
    /// or the way is not known.
    pub(crate) fn tool_format(&self) -> Option<&'static ToolFormat> {
        self.tool_format
    }

    /// The prompt's text. Content goes through `protect` before the template sees it.
    pub(crate) fn render(
        &self,
        prompt: &Prompt,
        protect: impl Fn(&str) -> String,
    ) -> Result<String, EngineError> {
        let special = &self.special_tokens;
        let template = self.environment.get_template(NAME);
        let template = template.expect("the template was added when the model was loaded");
        template
            .render(context! {
                add_generation_prompt => true,
                bos_token => name(&special.bos),
                eos_token => name(&special.eos),
                unk_token => name(&special.unk),
                pad_token => name(&special.pad),
                ..template_context::values(prompt, &protect)
            })
            .map_err(refusal)
    }
}

/// Line breaks are treated as `transformers` tells Jinja to.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    syntax
        .build()
        .expect("the delimiters are Jinja's own, which differ from each other")
}

/// A token the model does not have is not defined in its template.
fn name(token: &Option<String>) -> Value {
    token.as_ref().map_or(Value::UNDEFINED, Value::from)
}

/// What a template raises itself is about the conversation; anything else is its own fault.
fn refusal(error: minijinja::Error) -> EngineError {
    let raised = error.source().is_some_and(<dyn Error>::is::<Raised>);
    match error.detail().filter(|_| raised) {
        Some(detail) => EngineError::InvalidRequest {
            param: "messages",
            message: format!("the model's chat template refuses the conversation: {detail}"),
        },
        None => EngineError::Failed(format!("the chat template: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use engine::{Message, PromptDocument, Role};

    use super::*;

    fn render(source: &str) -> Result<String, EngineError> {
        let special = SpecialTokens {
            bos: Some("<s>".into()),
            ..SpecialTokens::default()
        };
        let template = ChatTemplate::compile(Some(source.into()), special).expect("it compiles");
        let prompt = Prompt {
            messages: vec![Message::new(Role::User, " Où est \"<b>\"? ")],
            documents: vec![PromptDocument {
                title: "Tea".into(),
                text: "차".into(),
            }],
            ..Prompt::default()
        };
        template.render(&prompt, str::to_owned)
    }

    #[test]
    fn templates_render_as_in_jinja() {
        let check = |source: &str, expected: &str| {
            assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
        };
        check("{{ bos_token }}{{ messages[0]['role'] }}", "<s>user");
        check("{% if true %}\n  x\n  {% endif %}\ny", "  x\ny");
        check(
            "{{ messages[0].content.strip() | tojson }}",
            r#""Où est \"<b>\"?""#,
        );
        check(
            "{{ documents | tojson }}",
            r#"[{"title": "Tea", "text": "차"}]"#,
        );
        check(
            "{{ {'b': [1, 2.5, none], 'a': true} | tojson(indent=2) }}",
            "{\n  \"b\": [\n    1,\n    2.5,\n    null\n  ],\n  \"a\": true\n}",
        );
        check("{% if tools is none %}no tools{% endif %}", "no tools");
        check("{% if pad_token is not defined %}-{% endif %}", "-");
    }

    #[test]
    fn a_template_that_refuses_or_never_ends_is_an_error() {
        let refused = render("{{ raise_exception('only pairs') }}");
        assert!(
            matches!(&refused, Err(EngineError::InvalidRequest { message, .. }) if message.contains("only pairs")),
            "{refused:?}"
        );
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let endless = render(endless);
        assert!(
            matches!(endless, Err(EngineError::Failed(_))),
            "{endless:?}"
        );
    }

    #[test]
    fn reading_documents_is_noticed() {
        let reads = |source: &str| {
            let template = ChatTemplate::compile(Some(source.into()), SpecialTokens::default());
            template.expect("it compiles").reads_documents()
        };
        assert!(reads(
            "{% for d in documents or [] %}{{ d.title }}{% endfor %}"
        ));
        assert!(!reads("{{ messages[0].content }} {# documents #}"));
    }
}
