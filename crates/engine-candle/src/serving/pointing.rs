//! Answers made of whole sources: the model names them, and their texts are said.

use engine::PromptDocument;

/// The sources of one answer, for a model whose vocabulary has a token for each.
#[derive(Default)]
pub(crate) struct Pointing {
    /// The tokens that stand for sources, each with the text of its own while it is still to be
    /// said. A token for which the prompt has no source has none from the beginning.
    sources: Vec<(u32, Option<String>)>,
    said: bool,
}

/// What stands between two sources: each is a paragraph, as it may end without a full stop.
const BETWEEN: &str = "\n\n";

impl Pointing {
    /// The tokens `pointers` stand for the `documents` of a prompt, in this order.
    pub(crate) fn new(pointers: &[u32], documents: &[PromptDocument]) -> Self {
        let texts = documents.iter().map(|document| Some(document.text.clone()));
        let texts = texts.chain(std::iter::repeat(None));
        Self {
            sources: pointers.iter().copied().zip(texts).collect(),
            said: false,
        }
    }

    /// No token stands for a source.
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Makes it impossible to name a source that is not there, or that was said already.
    pub(crate) fn restrict(&self, logits: &mut [f32]) {
        let silent = self.sources.iter().filter(|(_, text)| text.is_none());
        for (id, _) in silent {
            logits[*id as usize] = f32::NEG_INFINITY;
        }
    }

    /// What this token says, if it stands for a source.
    pub(crate) fn say(&mut self, id: u32) -> Option<String> {
        let source = self.sources.iter_mut().find(|(token, _)| *token == id);
        let text = source?.1.take()?;
        let before = if self.said { BETWEEN } else { "" };
        self.said = true;
        Some(format!("{before}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> PromptDocument {
        PromptDocument {
            title: String::new(),
            text: text.into(),
        }
    }

    #[test]
    fn each_source_is_said_once() {
        let mut pointing = Pointing::new(&[5, 6, 7], &[document("tea"), document("차")]);
        assert_eq!(pointing.say(6).as_deref(), Some("차"));
        assert_eq!(pointing.say(5).as_deref(), Some("\n\ntea"));
        assert_eq!(pointing.say(6), None, "said already");
        assert_eq!(pointing.say(7), None, "there are two");
        assert_eq!(pointing.say(1), None, "no source's token");
    }

    #[test]
    fn only_what_can_be_said_can_be_named() {
        let mut pointing = Pointing::new(&[2, 1], &[document("tea")]);
        let mut logits = [0.0; 4];
        pointing.restrict(&mut logits);
        assert_eq!(logits, [0.0, f32::NEG_INFINITY, 0.0, 0.0]);
        pointing.say(2);
        pointing.restrict(&mut logits);
        assert_eq!(logits, [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0]);
    }
}
