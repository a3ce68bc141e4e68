//! Passages, conversation and question into what the model can read.

use engine::{Engine, Message, Prompt, PromptDocument};

use crate::draft::Draft;
use crate::error::RagError;
use crate::ledger::Ledger;
use crate::question::Question;
use crate::search::Found;
use crate::settings::Settings;
use crate::sources::Sources;

/// How passages are given to a model whose chat template does not place them itself.
pub(crate) const TEMPLATE: &str = include_str!("prompt_template.txt");

/// A prompt, and the account of it.
pub(crate) struct Splice {
    pub(crate) prompt: Prompt,
    /// The passages in it, numbered.
    pub(crate) sources: Sources,
    pub(crate) ledger: Ledger,
    /// The most tokens the answer may have.
    pub(crate) max_tokens: usize,
}

/// Puts the passages that were `found` before the question, within the model's context.
///
/// System messages and the question are never cut. Passages go in whole, best first, and one
/// that does not fit is left out; of the earlier turns, the oldest are left out first. The
/// ledger says what and why.
pub(crate) fn splice(
    engine: &dyn Engine,
    question: &Question,
    found: Option<&Found>,
    settings: &Settings,
) -> Result<Splice, RagError> {
    let mut draft = Draft::new(engine, question, settings)?;
    draft.add_history(question, found.is_some());
    if let Some(found) = found {
        draft.add_passages(found)?;
    }
    draft.finish()
}

/// The conversation with `sources` before the question, in the way the model takes them.
pub(crate) fn render(
    earlier: impl Iterator<Item = Message>,
    question: &[Message],
    sources: &Sources,
    reads_documents: bool,
) -> Prompt {
    let mut asked = question.to_vec();
    let mut documents = Vec::new();
    if reads_documents {
        documents = sources
            .numbered()
            .map(|(_, source)| source.document())
            .collect();
    } else if let Some(first) = asked.first_mut().filter(|_| !sources.is_empty()) {
        first.content = with_sources(&first.content, sources);
    }
    Prompt {
        messages: earlier.chain(asked).collect(),
        documents,
        ..Prompt::default()
    }
}

/// Neither the sources nor the question are searched for the template's own marks.
fn with_sources(question: &str, sources: &Sources) -> String {
    let written: String = sources
        .numbered()
        .map(|(n, source)| {
            let PromptDocument { title, text } = source.document();
            format!("[{n}] {title}\n{text}\n\n")
        })
        .collect();
    let (before, rest) = TEMPLATE
        .split_once("{sources}\n")
        .expect("the template has a line for sources");
    let (between, after) = rest
        .split_once("{question}")
        .expect("the template has a place for the question");
    format!("{before}{written}{between}{question}{}", after.trim_end())
}
