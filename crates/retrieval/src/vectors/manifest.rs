//! What the vectors of a collection are made of: the one file that is replaced, at once, with
//! every change.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tantivy::Directory;
use tantivy::directory::error::OpenReadError;

use crate::error::RetrievalError;
use crate::index::damage;

/// Raised when a segment's layout changes, so that old ones are built again.
const FORMAT: u32 = 1;

const NAME: &str = "vectors.json";

/// What vectors are made by. Only vectors of the same origin can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the embedder, for people.
    pub model: String,
    /// The embedder's vector of a fixed text: another model gives another one, whatever its name.
    pub probe: Vec<f32>,
    /// How documents were cut into passages.
    pub passages: String,
}

/// How near the vectors of one text by one model are on different machines.
const SAME_MODEL: f32 = 0.9995;

impl Origin {
    /// Whether vectors of the two can be compared, and stand for the same passages.
    pub fn same_as(&self, other: &Origin) -> bool {
        let product: f32 = self
            .probe
            .iter()
            .zip(&other.probe)
            .map(|(x, y)| x * y)
            .sum();
        let length = |origin: &Origin| origin.probe.iter().map(|x| x * x).sum::<f32>().sqrt();
        self.passages == other.passages
            && self.probe.len() == other.probe.len()
            && product >= SAME_MODEL * length(self) * length(other)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) origin: Origin,
    pub(super) generation: u64,
    /// Every passage had a vector once: from then on it can be searched.
    pub(super) complete: bool,
    pub(super) segments: Vec<Listed>,
}

/// A segment in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) number: u64,
    /// Places of files in its table that have been replaced or deleted.
    pub(super) dead: Vec<usize>,
}

impl Listed {
    pub(super) fn file(&self) -> String {
        format!("{}.vectors", self.number)
    }
}

impl Manifest {
    pub(super) fn new(origin: Origin) -> Manifest {
        Manifest {
            format: FORMAT,
            origin,
            generation: 0,
            complete: false,
            segments: Vec::new(),
        }
    }

    /// Reads the manifest; `None` when there is none.
    pub(super) fn read(directory: &dyn Directory) -> Result<Option<Manifest>, RetrievalError> {
        let bytes = match directory.atomic_read(Path::new(NAME)) {
            Ok(bytes) => bytes,
            Err(OpenReadError::FileDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(RetrievalError::Storage(Box::new(error))),
        };
        match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(manifest) if manifest.format == FORMAT => Ok(Some(manifest)),
            Ok(manifest) => Err(damage(format!("format {}, not {FORMAT}", manifest.format))),
            Err(_) => Err(damage("the list of vectors is unreadable")),
        }
    }

    pub(super) fn write(&self, directory: &dyn Directory) -> Result<(), RetrievalError> {
        let bytes = serde_json::to_vec(self).expect("strings and numbers have a JSON form");
        directory
            .atomic_write(Path::new(NAME), &bytes)
            .and_then(|()| directory.sync_directory())
            .map_err(|error| RetrievalError::Storage(Box::new(error)))
    }
}
