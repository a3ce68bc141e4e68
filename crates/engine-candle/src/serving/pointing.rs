//! Answers made of whole sources: the model names them, and their texts are said.

use engine::Request;

/// The tokens of a vocabulary that stand for sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pointers {
    /// Of the first source, of the second…
    pub(crate) sources: Vec<u32>,
    /// What is added to the logits of some tokens: how ready the model is to decline, or to end
    /// an answer, as its makers chose after training.
    pub(crate) biases: Vec<(u32, f32)>,
    /// By how much these logits grow with the logit of the evidence (`Request::evidence`).
    pub(crate) evidence: Vec<(u32, f32)>,
    /// By how much the logit of a source grows with what it is nearer to the question than sources
    /// are on the average (`Request::nearness`).
    pub(crate) nearness: f32,
    /// The most sources that an answer names.
    pub(crate) most: usize,
}

/// The sources of one answer, for a model whose vocabulary has a token for each.
#[derive(Default)]
pub(crate) struct Pointing {
    /// The tokens that stand for sources, each with the text of its own while it is still to be
    /// said. A token for which the prompt has no source has none from the beginning.
    sources: Vec<(u32, Option<String>)>,
    biases: Vec<(u32, f32)>,
    /// How many may still be named.
    left: usize,
    said: bool,
}

/// What stands between two sources: each is a paragraph, as it may end without a full stop.
const BETWEEN: &str = "\n\n";

/// The logarithm of the odds; what is said to be sure is nearly so.
fn logit(probability: f32) -> f32 {
    let probability = probability.clamp(0.001, 0.999);
    (probability / (1.0 - probability)).ln()
}

impl Pointing {
    /// The pointers stand for the documents of the request's prompt, in their order.
    pub(crate) fn new(pointers: &Pointers, request: &Request) -> Self {
        let odds = request.evidence.map_or(0.0, logit);
        let weighed = pointers.evidence.iter();
        let weighed = weighed.map(|(id, weight)| (*id, weight * odds));
        let nearness = &request.nearness;
        let mean = nearness.iter().sum::<f32>() / nearness.len() as f32;
        let nearer = pointers.sources.iter().zip(nearness);
        let nearer = nearer.map(|(id, near)| (*id, pointers.nearness * (near - mean)));
        let biases = pointers.biases.iter().copied();
        let documents = request.prompt.documents.iter();
        let texts = documents.map(|document| Some(document.text.clone()));
        let texts = texts.chain(std::iter::repeat(None));
        Self {
            sources: pointers.sources.iter().copied().zip(texts).collect(),
            biases: biases.chain(weighed).chain(nearer).collect(),
            left: pointers.most,
            said: false,
        }
    }

    /// No token stands for a source.
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Makes it impossible to name a source that is not there or was said already, or one more
    /// than may be, and declining and ending as likely as they are meant to be.
    pub(crate) fn restrict(&self, logits: &mut [f32]) {
        for (id, bias) in &self.biases {
            logits[*id as usize] += bias;
        }
        let is_silent = |text: &Option<String>| text.is_none() || self.left == 0;
        let silent = self.sources.iter().filter(|(_, text)| is_silent(text));
        for (id, _) in silent {
            logits[*id as usize] = f32::NEG_INFINITY;
        }
    }

    /// What this token says, if it stands for a source.
    pub(crate) fn say(&mut self, id: u32) -> Option<String> {
        let source = self.sources.iter_mut().find(|(token, _)| *token == id);
        let text = source?.1.take()?;
        self.left = self.left.saturating_sub(1);
        let before = if self.said { BETWEEN } else { "" };
        self.said = true;
        Some(format!("{before}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use engine::{Prompt, PromptDocument};

    use super::*;

    fn request(documents: &[&str]) -> Request {
        let document = |text: &&str| PromptDocument {
            title: String::new(),
            text: (*text).into(),
        };
        Request {
            prompt: Prompt {
                documents: documents.iter().map(document).collect(),
                ..Prompt::default()
            },
            ..Request::default()
        }
    }

    fn pointers(sources: &[u32]) -> Pointers {
        Pointers {
            sources: sources.to_vec(),
            biases: vec![(0, -1.5)],
            evidence: vec![(0, -2.0)],
            nearness: 10.0,
            most: 2,
        }
    }

    #[test]
    fn each_source_is_said_once() {
        let mut pointing = Pointing::new(&pointers(&[5, 6, 7]), &request(&["tea", "차"]));
        assert_eq!(pointing.say(6).as_deref(), Some("차"));
        assert_eq!(pointing.say(5).as_deref(), Some("\n\ntea"));
        assert_eq!(pointing.say(6), None, "said already");
        assert_eq!(pointing.say(7), None, "there are two");
        assert_eq!(pointing.say(1), None, "no source's token");
    }

    #[test]
    fn only_what_can_be_said_can_be_named() {
        let mut pointing = Pointing::new(&pointers(&[2, 1]), &request(&["tea"]));
        let mut logits = [0.0; 4];
        pointing.restrict(&mut logits);
        assert_eq!(logits, [-1.5, f32::NEG_INFINITY, 0.0, 0.0]);
        pointing.say(2);
        pointing.restrict(&mut logits);
        assert_eq!(logits, [-3.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0]);
    }

    #[test]
    fn the_more_evidence_there_is_the_less_it_declines() {
        let declining = |evidence| {
            let mut logits = [0.0; 2];
            let request = Request {
                evidence,
                ..request(&["tea"])
            };
            Pointing::new(&pointers(&[1]), &request).restrict(&mut logits);
            logits[0]
        };
        assert_eq!(declining(Some(0.5)), -1.5, "even odds change nothing");
        assert_eq!(declining(None), -1.5, "nothing is known");
        assert!(declining(Some(0.8)) < -4.2 && declining(Some(0.2)) > 1.2);
        assert!(declining(Some(0.0)).is_finite() && declining(Some(1.0)).is_finite());
    }

    #[test]
    fn the_nearer_a_source_is_the_sooner_it_is_named() {
        let mut logits = [0.0; 4];
        let request = Request {
            nearness: vec![0.25, 0.625, 0.625],
            ..request(&["bread", "tea", "차"])
        };
        Pointing::new(&pointers(&[1, 2, 3]), &request).restrict(&mut logits);
        assert_eq!(logits, [-1.5, -2.5, 1.25, 1.25]);
    }

    #[test]
    fn no_more_are_named_than_may_be() {
        let request = request(&["tea", "pot", "cup"]);
        let mut pointing = Pointing::new(&pointers(&[1, 2, 3]), &request);
        pointing.say(3);
        pointing.say(1);
        let mut logits = [0.0; 5];
        pointing.restrict(&mut logits);
        let none = f32::NEG_INFINITY;
        assert_eq!(logits, [-1.5, none, none, none, 0.0]);
    }
}
