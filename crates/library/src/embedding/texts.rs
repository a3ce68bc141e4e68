//! What an embedder reads of a passage.

use engine::{Embedder, fitting_pieces};
use retrieval::Passage;

/// A passage of which the model has words for a smaller share gets no vector: it is in a language
/// the model was not made for, and what it would say of it is noise.
const LEAST_COVERAGE: f32 = 0.5;

/// What is embedded of a passage: all of it, behind its title and headings, in as many pieces as
/// the model needs; none of a passage that it has no words for.
pub fn texts_to_embed(passage: &Passage, embedder: &dyn Embedder) -> Vec<String> {
    if embedder.coverage(&passage.text) < LEAST_COVERAGE {
        return Vec::new();
    }
    let most = embedder.model().max_tokens;
    let mut context = passage.context();
    if embedder.count_tokens(&context) > most / 2 {
        context.clear();
    }
    let fits = |piece: &str| embedder.count_tokens(&format!("{context}{piece}")) <= most;
    let pieces = fitting_pieces(&passage.text, &fits);
    let text = |piece: &str| format!("{context}{piece}");
    pieces.into_iter().map(text).collect()
}
