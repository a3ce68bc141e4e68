//! How tasks are put to a model: templates, one for each task and language.
//!
//! They are part of the program; a folder may hold others in their place. A template gets
//! `input` (the last message), `sources` (each with `n`, `title`, `text`; none when the model's own
//! chat template places them), `examples` (each with `input` and `output`), `to` and `fields`.

use std::path::Path;
use std::{fs, io};

use minijinja::{AutoEscape, Environment, context};

use crate::error::RagError;
use crate::language::Language;
use crate::sources::Sources;
use crate::task::{Example, Task};

/// All templates, by name.
const TEMPLATES: [(&str, &str); 8] = [
    (
        "answer.en.jinja",
        include_str!("../../../config/prompts/answer.en.jinja"),
    ),
    (
        "answer.ko.jinja",
        include_str!("../../../config/prompts/answer.ko.jinja"),
    ),
    (
        "summarise.en.jinja",
        include_str!("../../../config/prompts/summarise.en.jinja"),
    ),
    (
        "summarise.ko.jinja",
        include_str!("../../../config/prompts/summarise.ko.jinja"),
    ),
    (
        "translate.en.jinja",
        include_str!("../../../config/prompts/translate.en.jinja"),
    ),
    (
        "translate.ko.jinja",
        include_str!("../../../config/prompts/translate.ko.jinja"),
    ),
    (
        "extract.en.jinja",
        include_str!("../../../config/prompts/extract.en.jinja"),
    ),
    (
        "extract.ko.jinja",
        include_str!("../../../config/prompts/extract.ko.jinja"),
    ),
];

/// Steps that one template may take: enough for hundreds of sources.
const FUEL: u64 = 1_000_000;

/// The templates that are in use.
#[derive(Clone)]
pub struct Prompts {
    templates: Environment<'static>,
}

/// A task, put into the words of a template.
#[derive(Clone, Copy)]
pub(crate) struct Wording<'a> {
    pub(crate) prompts: &'a Prompts,
    pub(crate) task: &'a Task,
    pub(crate) examples: &'a [Example],
    pub(crate) language: Language,
}

impl Default for Prompts {
    /// The templates of the program.
    fn default() -> Self {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::None);
        templates.set_fuel(Some(FUEL));
        for (name, source) in TEMPLATES {
            let added = templates.add_template(name, source);
            added.expect("a test renders every template");
        }
        Self { templates }
    }
}

impl Prompts {
    /// The templates of the program, and in their place those of the same name in `folder`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or a template in it is none; the text says which and why.
    pub fn with_folder(folder: &Path) -> io::Result<Self> {
        let mut prompts = Self::default();
        // A folder that is not there is a mistake, one without templates is not.
        fs::read_dir(folder)?;
        for (name, _) in TEMPLATES {
            let path = folder.join(name);
            let source = match fs::read_to_string(&path) {
                Ok(source) => source,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(described(&path, error)),
            };
            let added = prompts.templates.add_template_owned(name, source);
            added.map_err(|error| described(&path, error))?;
            prompts
                .try_out(name)
                .map_err(|error| described(&path, error))?;
        }
        Ok(prompts)
    }

    /// Finds mistakes that only show when a template is used.
    fn try_out(&self, name: &str) -> Result<(), minijinja::Error> {
        let source = context! { n => 1, title => "title", text => "text" };
        let example = context! { input => "input", output => "output" };
        for some in [0, 1] {
            self.templates.get_template(name)?.render(context! {
                input => "input",
                sources => vec![source.clone(); some],
                examples => vec![example.clone(); some],
                to => "English",
                fields => ["field"],
            })?;
        }
        Ok(())
    }
}

impl Wording<'_> {
    /// The message must be put into other words: it is more than a question, or has sources
    /// that the model's own template does not place.
    pub(crate) fn is_needed(&self, sources: &Sources) -> bool {
        !self.task.is_answer() || !self.examples.is_empty() || !sources.is_empty()
    }

    /// The message to the model. Nothing in `input` or `sources` is taken for a template.
    ///
    /// # Errors
    ///
    /// When a template of the operator's fails, or takes too many steps.
    pub(crate) fn write(&self, input: &str, sources: &Sources) -> Result<String, RagError> {
        let sources = sources.numbered().map(|(n, source)| {
            let document = source.document();
            context! { n, title => document.title, text => document.text }
        });
        let examples = self.examples.iter();
        let examples = examples.map(|Example { input, output }| context! { input, output });
        let (to, fields) = match self.task {
            Task::Translate { to } => (Some(to), None),
            Task::Extract { fields } => (None, Some(fields)),
            Task::Answer | Task::Summarise => (None, None),
        };
        let name = format!("{}.{}.jinja", self.task.name(), self.language_code());
        let template = self.templates().get_template(&name);
        let written = template.and_then(|template| {
            template.render(context! {
                input,
                sources => sources.collect::<Vec<_>>(),
                examples => examples.collect::<Vec<_>>(),
                to,
                fields,
            })
        });
        match written {
            Ok(written) => Ok(written.trim_end().to_owned()),
            Err(error) => Err(RagError::Prompt(format!("{name}: {error:#}"))),
        }
    }

    fn templates(&self) -> &Environment<'static> {
        &self.prompts.templates
    }

    fn language_code(&self) -> &'static str {
        match self.language {
            Language::Korean => "ko",
            Language::English | Language::Japanese | Language::Chinese => "en",
        }
    }
}

fn described(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error:#}", path.display()))
}
