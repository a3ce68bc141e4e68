//! Bytes that are read piece by piece, from a file or from the program itself.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::LoadError;

/// A file of weights. Only the pieces asked for are ever in memory.
pub(crate) struct Blob {
    name: String,
    len: u64,
    bytes: Bytes,
}

/// candle views blocks of numbers in place, of which some begin with an f32. Bytes inside the program
/// may begin anywhere; what is allocated is aligned at least to this.
const ALIGNED: usize = 8;

enum Bytes {
    Embedded(&'static [u8]),
    File(File),
}

/// What parsers of headers read from.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

impl Blob {
    /// Bytes inside the program; `name` appears in error messages.
    pub(crate) fn embedded(name: &str, bytes: &'static [u8]) -> Self {
        Self {
            name: name.to_owned(),
            len: bytes.len() as u64,
            bytes: Bytes::Embedded(bytes),
        }
    }

    /// A file on disk.
    pub(crate) fn file(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let opened =
            File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match opened {
            Ok((file, metadata)) if metadata.is_file() => Ok(Self {
                name,
                len: metadata.len(),
                bytes: Bytes::File(file),
            }),
            Ok(_) => Err(LoadError::Missing(format!("{name} is not a file"))),
            Err(source) => Err(LoadError::Read { file: name, source }),
        }
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// A reader from the first byte on. Only one may be in use at a time: readers of a file
    /// share its position.
    pub(crate) fn reader(&self) -> Result<Box<dyn ReadSeek + '_>, LoadError> {
        match &self.bytes {
            Bytes::Embedded(bytes) => Ok(Box::new(Cursor::new(*bytes))),
            Bytes::File(file) => {
                let mut reader = BufReader::new(file);
                let rewound = reader.rewind();
                rewound.map_err(|source| self.unreadable(source))?;
                Ok(Box::new(reader))
            }
        }
    }

    /// The bytes of `range`, which must lie inside.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<Cow<'static, [u8]>, LoadError> {
        if range.start > range.end || range.end > self.len {
            return Err(self.damaged("it ends too early"));
        }
        match &self.bytes {
            Bytes::Embedded(bytes) => {
                let part = &bytes[range.start as usize..range.end as usize];
                Ok(match part.as_ptr().align_offset(ALIGNED) {
                    0 => Cow::Borrowed(part),
                    _ => Cow::Owned(part.to_vec()),
                })
            }
            Bytes::File(file) => read_file(file, range)
                .map(Cow::Owned)
                .map_err(|source| self.unreadable(source)),
        }
    }

    /// The error for bytes that make no sense.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> LoadError {
        LoadError::Malformed {
            file: self.name.clone(),
            reason: reason.into(),
        }
    }

    fn unreadable(&self, source: io::Error) -> LoadError {
        LoadError::Read {
            file: self.name.clone(),
            source,
        }
    }
}

fn read_file(mut file: &File, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
