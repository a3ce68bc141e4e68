//! Vectors for the passages of a set, made at once, with a bar for those who wait.

use std::collections::BTreeMap;
use std::path::Path;

use engine::{Embedder, Side};
use retrieval::{Change, Origin, Passage, VectorChange, VectorRow, Vectors};

use crate::cli::measuring_bar::MeasuringBar;

/// Texts that are embedded in one call.
const TEXTS: usize = 32;

/// A text of a passage.
struct Piece<'a> {
    passage: &'a Passage,
    text: String,
}

/// What `embedder` makes of all passages that `changes` add: in `folder`, or in memory.
///
/// # Errors
///
/// When the model fails, or the folder cannot be written.
pub(super) fn of_passages(
    changes: &[Change],
    embedder: &dyn Embedder,
    folder: Option<&Path>,
) -> anyhow::Result<Vectors> {
    let origin = Origin {
        model: embedder.model().name.clone(),
        // These vectors are gone before another model could be mistaken for theirs.
        probe: vec![0.0; embedder.model().dimensions],
        passages: String::new(),
    };
    let vectors = match folder {
        Some(folder) => Vectors::create(folder, origin)?,
        None => Vectors::in_memory(origin),
    };
    let mut pieces: Vec<Piece> = passages(changes)
        .flat_map(|passage| {
            let texts = library::texts_to_embed(passage, embedder);
            texts.into_iter().map(move |text| Piece { passage, text })
        })
        .collect();
    // Texts of one length waste nothing on padding.
    pieces.sort_by_key(|piece| piece.text.len());
    let bar = MeasuringBar::of("embedding", pieces.len() as u64);
    let mut rows: BTreeMap<&str, Vec<VectorRow>> = BTreeMap::new();
    for group in pieces.chunks(TEXTS) {
        let texts: Vec<&str> = group.iter().map(|piece| piece.text.as_str()).collect();
        let embedded = embedder.embed(&texts, Side::Passage)?;
        for (Piece { passage, .. }, vector) in group.iter().zip(embedded) {
            let row = VectorRow {
                start: passage.start,
                end: passage.end,
                vector,
            };
            rows.entry(&passage.file_id).or_default().push(row);
        }
        bar.advance_by(group.len() as u64);
    }
    let upsert = |(file_id, rows): (&str, Vec<VectorRow>)| VectorChange::Upsert {
        file_id: file_id.to_owned(),
        rows,
    };
    vectors.apply(rows.into_iter().map(upsert).collect(), 1, true)?;
    Ok(vectors)
}

fn passages(changes: &[Change]) -> impl Iterator<Item = &Passage> {
    changes.iter().flat_map(|change| match change {
        Change::Upsert { passages, .. } => &passages[..],
        Change::Delete { .. } => &[],
    })
}
