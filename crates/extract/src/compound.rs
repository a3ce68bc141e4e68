//! Compound files, in which older Office, HWP and Outlook keep their streams (MS-CFB).

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use cfb::CompoundFile;

use crate::ExtractError;

/// How a compound file begins.
const MAGIC: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// Streams looked at to tell what a file is.
const MAX_STREAMS: usize = 10_000;

/// Bytes read of one stream.
const MAX_STREAM_BYTES: u64 = 50_000_000;

/// The names of the streams and storages at the top of a compound file.
#[derive(Debug)]
pub(crate) struct Compound {
    names: BTreeSet<String>,
}

/// A compound file open for reading.
pub(crate) struct Streams<'a> {
    file: CompoundFile<Cursor<&'a [u8]>>,
}

/// Whether the bytes begin like a compound file.
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl Compound {
    /// The compound file in these bytes, if they are one.
    pub(crate) fn open(bytes: &[u8]) -> Option<Self> {
        if !has_magic(bytes) {
            return None;
        }
        let file = CompoundFile::open(Cursor::new(bytes)).ok()?;
        let entries = file.read_root_storage().take(MAX_STREAMS);
        let names = entries.map(|entry| entry.name().to_owned()).collect();
        Some(Self { names })
    }

    /// Whether it has a stream or storage of that name at the top.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

impl<'a> Streams<'a> {
    pub(crate) fn open(bytes: &'a [u8], format: &'static str) -> Result<Self, ExtractError> {
        let file = CompoundFile::open(Cursor::new(bytes))
            .map_err(|error| ExtractError::malformed(format, error))?;
        Ok(Self { file })
    }

    /// The bytes of a stream, if it is there and can be read.
    pub(crate) fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        let stream = self.file.open_stream(path).ok()?;
        let mut bytes = Vec::new();
        stream.take(MAX_STREAM_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}
