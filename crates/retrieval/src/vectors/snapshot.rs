//! One committed state of the vectors.

use std::path::Path;
use std::sync::Arc;

use tantivy::Directory;

use super::manifest::{Listed, Manifest};
use super::segment::{FileRows, Segment};
use crate::error::RetrievalError;
use crate::index::damage;

/// Checksums of segments up to this size are verified when they are opened, as the index's are.
const MAX_VERIFIED_BYTES: usize = 64 * 1024 * 1024;

/// One committed state.
pub(super) struct Snapshot {
    pub(super) manifest: Manifest,
    pub(super) segments: Vec<Part>,
}

/// A segment, and which of its files count.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) segment: Arc<Segment>,
    /// For each file of the table.
    pub(super) dead: Arc<Vec<bool>>,
}

impl Snapshot {
    pub(super) fn open(
        directory: &dyn Directory,
        manifest: Manifest,
    ) -> Result<Snapshot, RetrievalError> {
        let parts = manifest.segments.iter();
        let parts = parts.map(|listed| Part::open(directory, listed));
        Ok(Snapshot {
            segments: parts.collect::<Result<_, _>>()?,
            manifest,
        })
    }

    /// The files that count, each with its segment.
    pub(super) fn living(&self) -> impl Iterator<Item = (&Segment, &FileRows)> {
        self.segments.iter().flat_map(Part::living)
    }

    pub(super) fn find(&self, file_id: &str) -> Option<(&Segment, &FileRows)> {
        self.segments.iter().find_map(|part| {
            let place = part
                .segment
                .find(file_id)
                .filter(|place| !part.dead[*place])?;
            Some((&*part.segment, &part.segment.files[place]))
        })
    }
}

impl Part {
    pub(super) fn open(directory: &dyn Directory, listed: &Listed) -> Result<Part, RetrievalError> {
        let name = listed.file();
        let missing = |error: &dyn std::fmt::Display| damage(format!("{name}: {error}"));
        let slice = directory.open_read(Path::new(&name));
        let slice = slice.map_err(|error| missing(&error))?;
        let bytes = slice.read_bytes().map_err(|error| missing(&error))?;
        let verify = bytes.len() <= MAX_VERIFIED_BYTES;
        let segment = Segment::open(bytes, verify)?;
        let mut dead = vec![false; segment.files.len()];
        for place in &listed.dead {
            *dead
                .get_mut(*place)
                .ok_or_else(|| damage("the list of vectors does not fit them"))? = true;
        }
        Ok(Part {
            number: listed.number,
            segment: Arc::new(segment),
            dead: Arc::new(dead),
        })
    }

    pub(super) fn listed(&self) -> Listed {
        let dead = self.dead.iter().enumerate();
        Listed {
            number: self.number,
            dead: dead
                .filter(|(_, dead)| **dead)
                .map(|(place, _)| place)
                .collect(),
        }
    }

    pub(super) fn living(&self) -> impl Iterator<Item = (&Segment, &FileRows)> {
        let files = self.segment.files.iter().zip(&*self.dead);
        let living = files.filter(|(_, dead)| !**dead);
        living.map(|(file, _)| (&*self.segment, file))
    }
}
