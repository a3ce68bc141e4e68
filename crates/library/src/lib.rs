//! What the user entrusted to us: files, collections, jobs, in SQLite; everything in
//! `retrieval` can be rebuilt from it.
//!
//! [`Library`] is the way in. A [`File`] is stored with [`Library::add_file`] and becomes
//! searchable in a [`Collection`] with [`Library::attach`]; folders are kept in step with
//! [`scan`] and [`Library::sync`].
//!
//! The order that loses nothing:
//!
//! 1. SQLite records the membership as in progress; only then does `attach` return.
//! 2. The ingest thread extracts the text and keeps it in SQLite.
//! 3. The index commits the passages under the collection's next generation.
//! 4. SQLite marks the membership completed under that same generation.
//!
//! A collection and its index at equal generations hold the same documents. An index that
//! is behind is caught up, one that is missing, damaged or ahead is built again, in both
//! cases from the texts in SQLite, by the same code.
//!
//! Vectors follow behind, on a thread of their own (`embedding`), under the same generations.

mod answers;
mod attributes;
mod batch;
mod collection;
mod collections;
mod content;
mod document;
mod embedding;
mod error;
mod events;
mod file;
mod files;
mod filter;
mod hashes;
mod indexes;
mod ingest;
mod language;
mod library;
mod lock;
mod membership;
mod memberships;
mod page;
mod portable;
mod removal;
mod scan;
mod signal;
mod store;
mod sync;
mod vector_sets;
mod vector_status;
mod watch;

pub use answers::{KeptAnswer, NewAnswer, Retention};
pub use attributes::{AttributeValue, Attributes};
pub use batch::{Batch, BatchFile, MAX_BATCH_FILES};
pub use collection::{Collection, DEFAULT_COLLECTION, FileCounts, Metadata};
pub use content::{Content, Received};
pub use document::Document;
pub use embedding::texts_to_embed;
pub use error::LibraryError;
pub use events::{Event, FileEvent, Listener};
/// How files are read, for those who open a library.
pub use extract::{Extractor, Sandbox};
pub use file::{File, NewFile};
pub use filter::{Comparison, Filter};
pub use library::{CountTokens, Library, Settings};
pub use lock::{Holder, holder};
pub use membership::{ErrorCode, LastError, Membership, Status};
pub use page::{Listing, Order, Page};
pub use portable::{Moved, backup, export};
pub use removal::Purged;
pub use scan::{Problem, Scan, SourceContent, SourceFile, scan, scan_present};
pub use signal::Progress;
pub use sync::SyncReport;
pub use vector_status::VectorStatus;
pub use watch::{Watch, WatchSettings};
