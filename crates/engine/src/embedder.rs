//! The seams of models that read without writing: texts to vectors, and pairs to scores.

use crate::EngineError;

/// A model that turns texts into vectors whose closeness is closeness in meaning.
pub trait Embedder: Send + Sync {
    /// The model behind this embedder.
    fn model(&self) -> &EmbedderInfo;

    /// How many tokens `text` is, with those the model puts around it.
    fn count_tokens(&self, text: &str) -> usize;

    /// One vector of [`EmbedderInfo::dimensions`] numbers for each text, in order, normalised
    /// as the model's own configuration asks. The same text gives the same vector up to
    /// rounding, whatever stands beside it.
    ///
    /// # Errors
    ///
    /// [`EngineError::PromptTooLong`] when a text has more tokens than the model reads; nothing
    /// is cut silently.
    /// [`EngineError::Busy`] when too many wait for the model already.
    fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vec<f32>>, EngineError>;

    /// As [`embed`](Self::embed), for texts that come as tokens of this model, without those the
    /// model puts around a text. They are taken as passages.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidRequest`] for a token the model does not know, besides those of
    /// `embed`.
    fn embed_tokens(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError>;

    /// How much of `text` the model has words for, 0 to 1: the share of its letters and digits
    /// that its tokenizer keeps together in known pieces. Far below 1, the text is in a language
    /// the model was not made for, and its vector means little.
    fn coverage(&self, text: &str) -> f32;
}

/// Which side of a search a text is on. Models that were trained with instructions in front of
/// queries or passages get them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// What is looked for.
    Query,
    /// What may be found.
    Passage,
}

/// The model behind an [`Embedder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedderInfo {
    /// The name clients ask for.
    pub name: String,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// The most tokens of one text.
    pub max_tokens: usize,
}

/// A model that reads a query and a passage together and says how well they fit.
pub trait Reranker: Send + Sync {
    /// The name clients ask for.
    fn name(&self) -> &str;

    /// The most tokens of a query and a passage together.
    fn max_tokens(&self) -> usize;

    /// How many tokens `text` is when it is read alone, with those the model puts around it.
    fn count_tokens(&self, text: &str) -> usize;

    /// How much of `text` the model has words for, 0 to 1; see [`Embedder::coverage`].
    fn coverage(&self, text: &str) -> f32;

    /// One score for each passage, in order; higher fits better. Scores compare only for the
    /// same model.
    ///
    /// # Errors
    ///
    /// [`EngineError::PromptTooLong`] when a pair has more tokens than the model reads,
    /// [`EngineError::Busy`] when too many wait for the model already.
    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, EngineError>;
}

/// The whole of `text` in pieces that `fits` lets through, cut in halves at white space as long
/// as one does not. A single character is a piece whatever `fits` says of it.
pub fn fitting_pieces<'a>(text: &'a str, fits: &dyn Fn(&str) -> bool) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut rest = vec![text];
    while let Some(piece) = rest.pop() {
        let piece = piece.trim();
        if piece.is_empty() {
            continue;
        }
        let middle = middle(piece);
        if middle == 0 || fits(piece) {
            pieces.push(piece);
            continue;
        }
        let (first, second) = piece.split_at(middle);
        rest.extend([second, first]);
    }
    pieces
}

/// Where to cut a text that begins and ends without white space in two: at the white space
/// nearest to its middle, so that words stay whole, or else at its middle; 0 for a single
/// character.
fn middle(text: &str) -> usize {
    let half = text.ceil_char_boundary(text.len().div_ceil(2));
    let (front, back) = text.split_at(half);
    let before = front.rfind(char::is_whitespace);
    let behind = back.find(char::is_whitespace).map(|space| half + space);
    let spaces = before.into_iter().chain(behind);
    let nearest = spaces.min_by_key(|space| space.abs_diff(half));
    nearest.unwrap_or_else(|| middle_of_word(text, half))
}

/// `half`, or the last character when that one reaches over the middle to the end.
fn middle_of_word(text: &str, half: usize) -> usize {
    if half < text.len() {
        return half;
    }
    let last = text.char_indices().next_back();
    last.map_or(0, |(start, _)| start)
}

#[cfg(test)]
mod tests {
    use super::fitting_pieces;

    #[test]
    fn pieces_fit_and_leave_nothing_out() {
        let check = |text: &str, most: usize, expected: &[&str]| {
            assert_eq!(fitting_pieces(text, &|piece| piece.len() <= most), expected);
        };
        check("one two three four", 100, &["one two three four"]);
        check("one two three four", 9, &["one two", "three", "four"]);
        check("abcdef", 2, &["ab", "c", "de", "f"]);
        check("가나", 1, &["가", "나"]);
        check("a가", 3, &["a", "가"]);
        check("  ", 1, &[]);
    }
}
