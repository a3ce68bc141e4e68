//! What happens to files of collections, told to whoever listens.

use std::sync::{Arc, Mutex};

use crate::store::unpoisoned;
use crate::{LastError, Membership, Status};

/// Something that is durable now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// How a file of a collection stands has changed.
    File(FileEvent),
    /// Nothing is left to be done, in any collection.
    AtRest,
}

/// A file of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEvent {
    /// The collection.
    pub collection_id: String,
    /// The file.
    pub file_id: String,
    /// Its name; `None` for a file that was removed.
    pub filename: Option<String>,
    /// How it stands; `None` when it was removed from the collection.
    pub status: Option<Status>,
    /// Why it failed.
    pub last_error: Option<LastError>,
}

/// Is called with every event, in order for each file, and must not take long.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Those who listen.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Listener>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Listener) {
        unpoisoned(&self.0).push(listener);
    }

    pub(crate) fn tell(&self, event: &Event) {
        // Listeners are called without the lock, so that they may add others.
        let listeners = unpoisoned(&self.0).clone();
        for listener in listeners {
            listener(event);
        }
    }

    /// Tells of a file that was put into its collection.
    pub(crate) fn attached(&self, membership: &Membership) {
        self.tell(&Event::File(FileEvent {
            collection_id: membership.collection_id.clone(),
            file_id: membership.file_id.clone(),
            filename: Some(membership.filename.clone()),
            status: Some(membership.status),
            last_error: membership.last_error.clone(),
        }));
    }

    /// Tells of files that were taken out of their collection.
    pub(crate) fn removed(&self, collection_id: &str, file_ids: &[String]) {
        for file_id in file_ids {
            self.tell(&Event::File(FileEvent {
                collection_id: collection_id.to_string(),
                file_id: file_id.clone(),
                filename: None,
                status: None,
                last_error: None,
            }));
        }
    }
}
