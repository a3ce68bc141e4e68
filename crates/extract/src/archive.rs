//! ZIP archives, as Office, OpenDocument, EPUB and HWPX files are: their parts by name, within
//! limits of our own.
//!
//! What an archive says of itself is not believed. Before a parser that is not ours may see one,
//! [`Archive::check`] unpacks it once to nowhere and counts.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::ExtractError;

/// Parts an archive may have.
const MAX_PARTS: usize = 10_000;

/// Bytes that all parts together may unpack to.
const MAX_UNPACKED_BYTES: u64 = 150_000_000;

/// How many times its packed size a part may grow, once it is larger than `FREE_BYTES`. What
/// people write grows ten times, an empty spreadsheet fifty.
const MAX_RATIO: u64 = 200;
const FREE_BYTES: u64 = 1_000_000;

/// How a ZIP archive begins, with parts and without.
const MAGIC: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// The names of an archive's parts.
#[derive(Debug)]
pub(crate) struct Archive {
    names: BTreeSet<String>,
}

/// Whether the bytes begin like an archive; one that is cut off or damaged still does.
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

impl Archive {
    /// The archive in these bytes, if they are one.
    pub(crate) fn open(bytes: &[u8]) -> Option<Self> {
        if !has_magic(bytes) {
            return None;
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
        let names = archive.file_names().take(MAX_PARTS);
        let names = names.flatten().map(Cow::into_owned).collect();
        Some(Self { names })
    }

    /// Whether it has a part of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Unpacks every part to nowhere, within the limits.
    pub(crate) fn check(bytes: &[u8], format: &'static str) -> Result<(), ExtractError> {
        let mut archive = reader(bytes, format)?;
        let mut budget = MAX_UNPACKED_BYTES;
        for index in 0..archive.len() {
            let mut sink = io::sink();
            // What is damaged or packed in another way the parser may need, or not.
            unpack(&mut archive, index, &mut budget, &mut sink, format).or_else(unless_bomb)?;
        }
        Ok(())
    }

    /// One part of the archive as bytes.
    pub(crate) fn part(
        bytes: &[u8],
        name: &str,
        format: &'static str,
    ) -> Result<Vec<u8>, ExtractError> {
        let mut archive = reader(bytes, format)?;
        let index = archive.index_for_name(name).ok_or_else(|| {
            ExtractError::malformed(format, format!("it has no part {name:.100}"))
        })?;
        let mut budget = MAX_UNPACKED_BYTES;
        let mut part = Vec::new();
        unpack(&mut archive, index, &mut budget, &mut part, format)?;
        Ok(part)
    }
}

fn reader<'a>(
    bytes: &'a [u8],
    format: &'static str,
) -> Result<ZipArchive<Cursor<&'a [u8]>>, ExtractError> {
    let archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| ExtractError::malformed(format, error))?;
    if archive.len() > MAX_PARTS {
        let reason = format!(
            "it has {} parts, and {MAX_PARTS} are allowed",
            archive.len()
        );
        return Err(ExtractError::malformed(format, reason));
    }
    Ok(archive)
}

/// Unpacks one part, counting what really comes out.
fn unpack(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    budget: &mut u64,
    into: &mut impl io::Write,
    format: &'static str,
) -> Result<(), ExtractError> {
    let part = archive.by_index(index).map_err(|error| match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => ExtractError::Protected,
        error => ExtractError::malformed(format, error),
    })?;
    let by_ratio = (part.compressed_size().saturating_mul(MAX_RATIO)).max(FREE_BYTES);
    let allowed = by_ratio.min(*budget);
    let unpacked = io::copy(&mut part.take(allowed + 1), into)
        .map_err(|error| ExtractError::malformed(format, error))?;
    if unpacked > allowed {
        return Err(ExtractError::Bomb {
            limit: MAX_UNPACKED_BYTES,
            ratio: MAX_RATIO,
        });
    }
    *budget -= unpacked;
    Ok(())
}

fn unless_bomb(error: ExtractError) -> Result<(), ExtractError> {
    match error {
        ExtractError::Bomb { .. } | ExtractError::Protected => Err(error),
        _ => Ok(()),
    }
}
