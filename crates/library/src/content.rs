//! The bytes of a file on their way into the library.

use std::fs;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::store::files::Digest;
use crate::{Library, LibraryError};

/// The bytes of a file that is to be added.
pub enum Content {
    /// In memory, for what is small.
    Bytes(Vec<u8>),
    /// On the disk, for what comes piece by piece.
    Received(Received),
}

/// Bytes that come piece by piece, kept on the disk in a file without a name: whatever happens
/// to the process, the system takes the space back.
pub struct Received {
    file: fs::File,
    data_dir: PathBuf,
    bytes: u64,
    limit: u64,
    hasher: Sha256,
}

impl Library {
    /// Begins to receive a file, of at most the configured size.
    ///
    /// # Errors
    ///
    /// [`LibraryError::StorageFull`], [`LibraryError::Io`].
    pub fn receive(&self) -> Result<Received, LibraryError> {
        let settings = &self.core.settings;
        let data_dir = settings.data_dir.clone();
        let file = tempfile::tempfile_in(&data_dir)
            .map_err(LibraryError::io("create a file in", &data_dir))?;
        Ok(Received {
            file,
            data_dir,
            bytes: 0,
            limit: settings.max_file_bytes,
            hasher: Sha256::new(),
        })
    }
}

impl Received {
    /// Adds a piece.
    ///
    /// # Errors
    ///
    /// [`LibraryError::TooLarge`] beyond the configured size, [`LibraryError::StorageFull`].
    pub fn write(&mut self, piece: &[u8]) -> Result<(), LibraryError> {
        let bytes = self.bytes + piece.len() as u64;
        if bytes > self.limit {
            let limit = self.limit;
            return Err(LibraryError::TooLarge { bytes, limit });
        }
        let written = self.file.write_all(piece);
        written.map_err(LibraryError::io("write to a file in", &self.data_dir))?;
        self.hasher.update(piece);
        self.bytes = bytes;
        Ok(())
    }

    /// How many bytes have come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Content {
    /// The size.
    pub fn bytes(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Received(received) => received.bytes,
        }
    }

    pub(crate) fn sha256(&self) -> Digest {
        match self {
            Content::Bytes(bytes) => Sha256::digest(bytes).into(),
            Content::Received(received) => received.hasher.clone().finalize().into(),
        }
    }

    /// The bytes from the first one on.
    pub(crate) fn reader(&self) -> Result<Box<dyn Read + '_>, LibraryError> {
        match self {
            Content::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Content::Received(received) => {
                let mut file = &received.file;
                let rewound = file.seek(io::SeekFrom::Start(0));
                rewound.map_err(LibraryError::io("read a file in", &received.data_dir))?;
                Ok(Box::new(file))
            }
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Content {
        Content::Bytes(bytes)
    }
}
