//! Passages, conversation and question into what the model can read.

use engine::{Engine, Message, Prompt};

use crate::draft::Draft;
use crate::error::RagError;
use crate::ledger::Ledger;
use crate::prompts::{Prompts, Wording};
use crate::question::Question;
use crate::search::Found;
use crate::settings::Settings;
use crate::sources::Sources;

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
    prompts: &Prompts,
) -> Result<Splice, RagError> {
    let wording = Wording {
        prompts,
        task: &question.task,
        examples: &question.examples,
        language: question.language(),
    };
    let mut draft = Draft::new(engine, question, settings, wording)?;
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
    wording: Wording<'_>,
) -> Result<Prompt, RagError> {
    let mut asked = question.to_vec();
    let documents = sources.numbered().map(|(_, source)| source.document());
    let (documents, written) = match reads_documents {
        true => (documents.collect(), &Sources::default()),
        false => (Vec::new(), sources),
    };
    if let Some(first) = asked.first_mut().filter(|_| wording.is_needed(written)) {
        first.content = wording.write(&first.content, written)?;
    }
    Ok(Prompt {
        messages: earlier.chain(asked).collect(),
        documents,
        ..Prompt::default()
    })
}
