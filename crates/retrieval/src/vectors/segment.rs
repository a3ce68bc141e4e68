//! One file of vectors: written once, read where it lies, never changed.
//!
//! ```text
//! "ibidvec1" | dimensions u32 | rows u32 | checksum u32 of all that follows | 0u32
//! rows × dimensions i8      the vectors in 8 bits
//! rows × f32                their scales
//! rows × dimensions f32     the vectors, for the exact order of the best
//! rows × (u32, u32)         the span of the passage that each row stands for
//! JSON                      [[file id, number of rows], …] in the order of the rows
//! ```
//!
//! Everything is little endian. Rows of a file lie together, and files are in the order of their
//! ids.

use std::ops::Range;

use tantivy::directory::OwnedBytes;

use super::dot::{self, Quantised};
use crate::error::RetrievalError;
use crate::index::damage;

const MAGIC: &[u8; 8] = b"ibidvec1";
const HEADER: usize = 24;

/// A vector and the passage it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorRow {
    /// The passage's first byte in the document's text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The vector; it need not have the length 1. A long passage may have several.
    pub vector: Vec<f32>,
}

/// The rows of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRows {
    pub(super) file_id: String,
    pub(super) rows: Range<usize>,
}

/// One file of vectors, opened.
pub(super) struct Segment {
    bytes: OwnedBytes,
    dimensions: usize,
    rows: usize,
    pub(super) files: Vec<FileRows>,
}

impl Segment {
    /// The bytes of a segment that holds these files, sorted by their ids. Vectors get the
    /// length 1.
    pub(super) fn write(dimensions: usize, files: &[(String, Vec<VectorRow>)]) -> Vec<u8> {
        let rows = files.iter().flat_map(|(_, rows)| rows);
        let vectors: Vec<_> = rows.clone().map(|row| unit(&row.vector)).collect();
        let quantised: Vec<_> = vectors
            .iter()
            .map(|vector| Quantised::new(vector))
            .collect();
        let mut body = Vec::new();
        for row in &quantised {
            body.extend(row.numbers.iter().map(|number| *number as u8));
        }
        body.extend(quantised.iter().flat_map(|row| row.scale.to_le_bytes()));
        for vector in &vectors {
            body.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
        }
        for row in rows {
            body.extend((row.start as u32).to_le_bytes());
            body.extend((row.end as u32).to_le_bytes());
        }
        let table: Vec<_> = files.iter().map(|(id, rows)| (id, rows.len())).collect();
        body.extend(serde_json::to_vec(&table).expect("strings and numbers have a JSON form"));

        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(MAGIC);
        let checksum = crc32fast::hash(&body);
        for number in [dimensions as u32, vectors.len() as u32, checksum, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(body);
        bytes
    }

    /// Reads the table of a segment. `verify` reads all of it and compares the checksum.
    pub(super) fn open(bytes: OwnedBytes, verify: bool) -> Result<Segment, RetrievalError> {
        if bytes.len() < HEADER || &bytes[..8] != MAGIC {
            return Err(damage("a file of vectors does not begin as one"));
        }
        let number = |place: usize| u32_at(&bytes, 8 + 4 * place) as usize;
        let (dimensions, rows) = (number(0), number(1));
        let of_rows = rows as u64 * (dimensions as u64 * 5 + 4 + 8);
        if dimensions == 0 || of_rows > (bytes.len() - HEADER) as u64 {
            return Err(damage("a file of vectors is cut short"));
        }
        if verify && crc32fast::hash(&bytes[HEADER..]) != u32_at(&bytes, 16) {
            return Err(damage("wrong checksum in a file of vectors"));
        }
        let table = &bytes[HEADER + of_rows as usize..];
        let table: Vec<(String, usize)> = serde_json::from_slice(table)
            .map_err(|error| damage(format!("a table of vectors is unreadable: {error}")))?;
        let mut files = Vec::with_capacity(table.len());
        let mut end = 0usize;
        for (file_id, count) in table {
            let start = end;
            end = end.saturating_add(count);
            let rows = start..end;
            files.push(FileRows { file_id, rows });
        }
        if end != rows || !files.is_sorted_by(|one, next| one.file_id < next.file_id) {
            return Err(damage("a table of vectors does not fit them"));
        }
        Ok(Segment {
            dimensions,
            rows,
            files,
            bytes,
        })
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The place of a file in the table.
    pub(super) fn find(&self, file_id: &str) -> Option<usize> {
        let by_id = |file: &FileRows| file.file_id.as_str().cmp(file_id);
        self.files.binary_search_by(by_id).ok()
    }

    /// The products of a vector of 8-bit numbers with those of `rows`.
    pub(super) fn products(&self, vector: &[i16], rows: Range<usize>, products: &mut [i32]) {
        let bytes = HEADER + rows.start * self.dimensions..HEADER + rows.end * self.dimensions;
        dot::products(vector, &self.bytes[bytes], products);
    }

    /// The scales of rows.
    pub(super) fn scales(&self, rows: Range<usize>) -> impl Iterator<Item = f32> {
        let scales = HEADER + self.rows * self.dimensions;
        let bytes = &self.bytes[scales + rows.start * 4..scales + rows.end * 4];
        bytes
            .as_chunks::<4>()
            .0
            .iter()
            .copied()
            .map(f32::from_le_bytes)
    }

    /// The cosine of the angle between `vector`, of length 1, and a row.
    pub(super) fn cosine(&self, vector: &[f32], row: usize) -> f32 {
        dot::exact_product(vector, self.vector_bytes(row))
    }

    /// The span of the passage that a row stands for.
    pub(super) fn span(&self, row: usize) -> (usize, usize) {
        let spans = HEADER + self.rows * (self.dimensions * 5 + 4);
        let at = spans + row * 8;
        (
            u32_at(&self.bytes, at) as usize,
            u32_at(&self.bytes, at + 4) as usize,
        )
    }

    /// The rows of a file as they were given.
    pub(super) fn rows_of(&self, file: &FileRows) -> Vec<VectorRow> {
        let row = |row| {
            let (start, end) = self.span(row);
            let numbers = self.vector_bytes(row).as_chunks::<4>().0;
            VectorRow {
                start,
                end,
                vector: numbers.iter().copied().map(f32::from_le_bytes).collect(),
            }
        };
        file.rows.clone().map(row).collect()
    }

    fn vector_bytes(&self, row: usize) -> &[u8] {
        let width = self.dimensions * 4;
        let vectors = HEADER + self.rows * (self.dimensions + 4);
        &self.bytes[vectors + row * width..vectors + (row + 1) * width]
    }
}

/// The vector with the length 1; one of length 0 stays.
pub(super) fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter().map(|x| x * factor).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
