//! The tokens that steer a model, and how they are kept out of content.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use tokenizers::AddedToken;

use crate::LoadError;

/// A noncharacter of Unicode, which it sets aside for use inside a program. It stands in content
/// wherever the name of a control token would otherwise be complete, and never reaches the model.
pub(crate) const SENTINEL: char = '\u{FDD0}';

/// The added tokens of a vocabulary.
pub(crate) struct Controls {
    tokens: Vec<(u32, AddedToken)>,
    /// Finds the names that content may not spell, also where they overlap.
    forbidden: AhoCorasick,
    forbidden_names: Vec<String>,
    /// Finds all names in a rendered prompt as Hugging Face does: leftmost, then longest.
    all: AhoCorasick,
}

/// A place in a prompt that is one token, whatever the vocabulary's rules say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) range: Range<usize>,
    pub(crate) id: u32,
}

impl Controls {
    /// Prepares the search for these tokens.
    pub(crate) fn new(mut tokens: Vec<(u32, AddedToken)>) -> Result<Self, LoadError> {
        tokens.retain(|(_, token)| !token.content.is_empty());
        tokens.sort_unstable_by_key(|(id, _)| *id);
        let forbidden_names = tokens
            .iter()
            .filter(|(_, token)| steers(token))
            .map(|(_, token)| token.content.clone())
            .collect::<Vec<_>>();
        let names = tokens.iter().map(|(_, token)| &token.content);
        let failed = |error: aho_corasick::BuildError| LoadError::Tokenizer(error.to_string());
        Ok(Self {
            forbidden: AhoCorasick::new(&forbidden_names).map_err(failed)?,
            all: AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(names)
                .map_err(failed)?,
            forbidden_names,
            tokens,
        })
    }

    /// The id is that of a token content may not produce.
    pub(crate) fn is_control(&self, id: u32) -> bool {
        let added = self.added(id);
        added.is_some_and(steers)
    }

    /// The token that was added to the vocabulary under this id.
    pub(crate) fn added(&self, id: u32) -> Option<&AddedToken> {
        let found = self.tokens.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().map(|index| &self.tokens[index].1)
    }

    /// Content that spells no control token, neither alone nor with what a template may put
    /// before or after it.
    pub(crate) fn protect(&self, content: &str) -> String {
        let content = content.replace(SENTINEL, "");
        let mut breaks = self
            .forbidden
            .find_overlapping_iter(&content)
            .map(|found| {
                let first = content[found.range()].chars().next();
                found.start() + first.map_or(0, char::len_utf8)
            })
            .collect::<Vec<_>>();
        if self.could_end_a_name(&content) {
            breaks.push(0);
        }
        if self.could_begin_a_name(&content) {
            breaks.push(content.len());
        }
        breaks.sort_unstable();
        breaks.dedup();
        with_sentinels(&content, &breaks)
    }

    /// The text of a rendered prompt without sentinels, and where its control tokens are.
    pub(crate) fn cut(&self, rendered: &str) -> (String, Vec<Cut>) {
        let mut text = String::with_capacity(rendered.len());
        let mut found = Vec::new();
        let mut end = 0;
        for name in self.all.find_iter(rendered) {
            push_without_sentinels(&mut text, &rendered[end..name.start()]);
            let start = text.len();
            text.push_str(&rendered[name.range()]);
            found.push((start..text.len(), name.pattern().as_usize()));
            end = name.end();
        }
        push_without_sentinels(&mut text, &rendered[end..]);
        let cuts = self.widened(&text, found);
        (text, cuts)
    }

    /// Applies the flags of the tokens: some take the white space beside them, some must be
    /// words of their own.
    fn widened(&self, text: &str, found: Vec<(Range<usize>, usize)>) -> Vec<Cut> {
        let mut cuts = Vec::<Cut>::new();
        for (mut range, index) in found {
            let (id, token) = &self.tokens[index];
            let earliest = cuts.last().map_or(0, |cut| cut.range.end);
            let inside_a_word = touches_a_word(text, &range);
            if range.start < earliest || token.single_word && inside_a_word {
                continue;
            }
            if token.lstrip {
                let before = &text[earliest..range.start];
                range.start = earliest + before.trim_end().len();
            }
            if token.rstrip {
                let after = &text[range.end..];
                range.end += after.len() - after.trim_start().len();
            }
            cuts.push(Cut { range, id: *id });
        }
        cuts
    }

    fn could_begin_a_name(&self, content: &str) -> bool {
        self.forbidden_names
            .iter()
            .any(|name| inner_boundaries(name).any(|at| content.ends_with(&name[..at])))
    }

    fn could_end_a_name(&self, content: &str) -> bool {
        self.forbidden_names
            .iter()
            .any(|name| inner_boundaries(name).any(|at| content.starts_with(&name[at..])))
    }
}

/// The token tells the model something that content may not: it is called special, or looks as if
/// it should be. Other added tokens, such as a run of blanks or a rare letter, are text.
fn steers(token: &AddedToken) -> bool {
    token.special || looks_like_markup(&token.content)
}

/// `<think>`, `[INST]` and the like: what templates and models mark turns and calls with.
pub(crate) fn looks_like_markup(name: &str) -> bool {
    let is_in = |open, close| name.starts_with(open) && name.ends_with(close);
    name.chars().count() > 2 && (is_in('<', '>') || is_in('[', ']'))
}

fn inner_boundaries(name: &str) -> impl Iterator<Item = usize> {
    name.char_indices().skip(1).map(|(at, _)| at)
}

fn with_sentinels(content: &str, breaks: &[usize]) -> String {
    let mut protected = String::with_capacity(content.len() + breaks.len() * SENTINEL.len_utf8());
    let mut start = 0;
    for &at in breaks {
        protected.push_str(&content[start..at]);
        protected.push(SENTINEL);
        start = at;
    }
    protected.push_str(&content[start..]);
    protected
}

fn push_without_sentinels(text: &mut String, piece: &str) {
    for part in piece.split(SENTINEL) {
        text.push_str(part);
    }
}

fn touches_a_word(text: &str, range: &Range<usize>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text[..range.start].ends_with(is_word) || text[range.end..].starts_with(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls(names: &[&str]) -> Controls {
        let tokens = names.iter().zip(0..);
        let tokens = tokens.map(|(name, id)| (id, AddedToken::from(*name, true)));
        Controls::new(tokens.collect()).expect("the names can be searched for")
    }

    #[test]
    fn content_spells_no_control_token() {
        let check = |names: &[&str], before: &str, content: &str, after: &str| {
            let controls = controls(names);
            let rendered = format!("{before}{}{after}", controls.protect(content));
            let (text, cuts) = controls.cut(&rendered);
            assert_eq!(
                text,
                format!("{before}{content}{after}").replace(SENTINEL, "")
            );
            assert_eq!(cuts, [], "{content:?} between {before:?} and {after:?}");
        };
        check(&["</s>"], "", "a </s> b </s>", "");
        check(&["<s>", "s>x"], "", "<s>x", "");
        check(&["aa"], "", "aaaaaa", "");
        check(&["</s>"], "<", "/s>", "");
        check(&["</s>"], "", "</s", ">");
        check(&["</s>"], "", "<\u{FDD0}/s>", "");
        check(&["<끝>"], "", "앞 <끝> 뒤", "");
    }

    #[test]
    fn the_template_spells_control_tokens() {
        let controls = controls(&["<s>", "<a>"]);
        let rendered = format!("<s>{}<a>", controls.protect("<s>"));
        let (text, cuts) = controls.cut(&rendered);
        assert_eq!(text, "<s><s><a>");
        let ranges = cuts.into_iter().map(|cut| (cut.range, cut.id));
        assert_eq!(ranges.collect::<Vec<_>>(), [(0..3, 0), (6..9, 1)]);
    }

    #[test]
    fn ordinary_content_is_left_alone() {
        let controls = controls(&["<s>", "</s>"]);
        assert_eq!(controls.protect("a < b, 2 > 1."), "a < b, 2 > 1.");
    }
}
