//! Folders kept in step with a collection while the program runs.
//!
//! The system tells of changes where it can; besides, the folders are looked at every now and
//! then, which finds what it did not tell of (network drives) and costs little, because files
//! that look the same are not read. Either way the whole of the paths is compared: there is
//! one way to bring a collection up to date, [`Library::sync`].

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tracing::{info, warn};

use crate::{Library, LibraryError, Problem, scan_present};

/// What is watched and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// The collection that is to hold what lies under the paths, by its id or name.
    pub collection: String,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// How long nothing may happen before changes are taken over: a file that is being saved
    /// is written in several steps.
    pub quiet: Duration,
    /// How long changes are waited with at the most.
    pub patience: Duration,
    /// How often the paths are looked at even if nothing is told.
    pub poll: Duration,
}

impl WatchSettings {
    /// `paths` into `collection`, with half a second of quiet and a look every minute.
    pub fn new(collection: &str, paths: Vec<PathBuf>) -> WatchSettings {
        WatchSettings {
            collection: collection.to_string(),
            paths,
            quiet: Duration::from_millis(500),
            patience: Duration::from_secs(5),
            poll: Duration::from_secs(60),
        }
    }
}

/// A thread that watches. Dropping it ends the watching; so does dropping the library.
pub struct Watch {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    /// Something changed, or the system lost count of what did.
    Changed,
    Stop,
}

impl Watch {
    /// Begins to watch. What lies under the paths already is taken over first.
    ///
    /// # Errors
    ///
    /// [`LibraryError::Io`] when no thread can be started.
    pub fn start(library: &Arc<Library>, settings: WatchSettings) -> Result<Watch, LibraryError> {
        let (messages, inbox) = mpsc::channel();
        let library = Arc::downgrade(library);
        let mut watching = Watching {
            watcher: watcher(messages.clone()),
            unwatched: settings.paths.clone(),
            library,
            settings,
            problems: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name("watch".into())
            .spawn(move || watching.run(&inbox))
            .map_err(LibraryError::io(
                "start a thread for",
                Path::new("watching"),
            ))?;
        Ok(Watch {
            messages,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A thread that has ended hears nothing, which is as well.
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Watching {
    /// `None` where the system cannot tell of changes.
    watcher: Option<RecommendedWatcher>,
    /// Paths the system does not tell of, yet.
    unwatched: Vec<PathBuf>,
    library: Weak<Library>,
    settings: WatchSettings,
    /// What could not be read when it was last tried, so that each is reported once.
    problems: Vec<Problem>,
}

impl Watching {
    fn run(&mut self, inbox: &Receiver<Message>) {
        loop {
            self.watch_all();
            let Some(library) = self.library.upgrade() else {
                return;
            };
            self.sync(&library);
            // The library may be dropped while this thread waits.
            drop(library);
            if !self.wait(inbox) {
                return;
            }
        }
    }

    /// Asks the system to tell of the paths it does not tell of yet, as far as they exist.
    fn watch_all(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.unwatched.retain(|path| {
            if !path.exists() {
                return true;
            }
            let watched = watcher.watch(path, RecursiveMode::Recursive);
            if let Err(error) = &watched {
                let (path, every_s) = (path.display(), self.settings.poll.as_secs());
                warn!(%path, %error, every_s, "changes are found only by looking");
            }
            false
        });
    }

    fn sync(&mut self, library: &Library) {
        let scanned = scan_present(&self.settings.paths, library.core.settings.max_file_bytes);
        let report = scanned.and_then(|scan| library.sync(&self.settings.collection, &scan));
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                let collection = &self.settings.collection;
                warn!(
                    collection,
                    error = error.with_causes(),
                    "cannot take over changes"
                );
                return;
            }
        };
        for problem in &report.problems {
            if !self.problems.contains(problem) {
                let (path, reason) = (problem.path.display(), &problem.reason);
                warn!(%path, reason, "passed over");
            }
        }
        let (added, changed, removed) = (report.added, report.changed, report.removed);
        if added + changed + removed > 0 {
            let collection = &self.settings.collection;
            info!(collection, added, changed, removed, "taking over changes");
        }
        self.problems = report.problems;
    }

    /// Waits until there may be something new and things have calmed down. `false` when the
    /// watching is to end.
    fn wait(&mut self, inbox: &Receiver<Message>) -> bool {
        match inbox.recv_timeout(self.settings.poll) {
            Ok(Message::Changed) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
        let first = Instant::now();
        while first.elapsed() < self.settings.patience {
            match inbox.recv_timeout(self.settings.quiet) {
                Ok(Message::Changed) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        // A path that was removed and made anew has to be asked for again.
        let gone = self.settings.paths.iter().filter(|path| !path.exists());
        self.unwatched.extend(gone.cloned());
        true
    }
}

fn watcher(messages: Sender<Message>) -> Option<RecommendedWatcher> {
    let told = move |event: notify::Result<notify::Event>| {
        // Reading is no change, and we read ourselves. An error may hide a change.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            let _ = messages.send(Message::Changed);
        }
    };
    match notify::recommended_watcher(told) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            warn!(%error, "the system does not tell of changes; they are found by looking");
            None
        }
    }
}
