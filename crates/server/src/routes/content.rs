//! The bytes of a file as a stream, so that no reply holds a file in memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_core::Stream;
use library::LibraryError;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::app::App;

/// A read of one piece; `None` behind the last.
type Reading = JoinHandle<Result<Option<Vec<u8>>, LibraryError>>;

/// The pieces of a file. The next one is read when the last one has been taken.
pub(super) struct Parts {
    app: Arc<App>,
    file_id: String,
    number: u32,
    first: Option<Vec<u8>>,
    reading: Option<Reading>,
}

impl Parts {
    /// All pieces, of which the `first` has been read.
    pub(super) fn new(app: &Arc<App>, file_id: String, first: Vec<u8>) -> Self {
        Self {
            app: app.clone(),
            file_id,
            number: 0,
            first: Some(first),
            reading: None,
        }
    }

    fn read_next(&mut self) -> Reading {
        self.number += 1;
        let (app, file_id, number) = (self.app.clone(), self.file_id.clone(), self.number);
        spawn_blocking(move || app.library.content_part(&file_id, number))
    }
}

impl Stream for Parts {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first.into())));
        }
        let mut reading = match this.reading.take() {
            Some(reading) => reading,
            None => this.read_next(),
        };
        let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
            this.reading = Some(reading);
            return Poll::Pending;
        };
        // A file that is deleted meanwhile ends before the length that was announced, which
        // the client sees as a failure.
        let read = read.map_err(io::Error::other);
        let part = read.and_then(|part| part.map_err(io::Error::other));
        Poll::Ready(part.map(|part| part.map(Bytes::from)).transpose())
    }
}
