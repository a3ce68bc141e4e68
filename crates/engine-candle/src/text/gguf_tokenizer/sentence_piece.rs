//! `llama`: SentencePiece's byte pair encoding, which merges by score.

use super::metadata::{Kind, Metadata, Vocabulary};
use crate::text::sentence_piece::{Piece, PieceKind, SentencePiece};

pub(super) fn rebuild(metadata: &Metadata<'_>, vocabulary: &Vocabulary) -> SentencePiece {
    let pieces = vocabulary.tokens.iter().zip(&vocabulary.kinds);
    let pieces = pieces
        .zip(&vocabulary.scores)
        .map(|((text, kind), score)| Piece {
            text: text.clone(),
            score: *score,
            kind: match kind {
                Kind::Normal | Kind::Unused => PieceKind::Merged,
                Kind::UserDefined => PieceKind::Whole,
                Kind::Control | Kind::Unknown => PieceKind::Control,
                Kind::Byte => byte(text).map_or(PieceKind::Control, PieceKind::Byte),
            },
        });
    let unknown = metadata.id("tokenizer.ggml.unknown_token_id");
    let adds_blank = metadata.flag("tokenizer.ggml.add_space_prefix");
    SentencePiece::new(pieces.collect(), unknown, adds_blank.unwrap_or(true))
}

/// The byte that `<0x0A>` stands for.
fn byte(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}
