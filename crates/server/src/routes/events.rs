//! `GET /v1/vector_stores/{collection}/events`: what happens to the files of a collection, as
//! it happens, as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use library::Collection;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use super::input::InPath;
use super::off_thread::off_thread;
use super::vector_stores::unknown_collection;
use crate::app::App;
use crate::error::ApiError;
use crate::wire::events::{CollectionEvent, FileEventObject};

/// Events that wait for one client; beyond that it misses some and is told how things stand.
const WAITING: usize = 64;

/// Begins with how the collection stands, and says so again when all is done, and after events
/// that the client was too slow for.
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    InPath(name): InPath<String>,
) -> Result<Response, ApiError> {
    let events = app.events.subscribe();
    let collection = state_of(&app, &name).await?;
    let collection = collection.ok_or_else(|| unknown_collection(&name))?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let feed = Feed {
        app: app.clone(),
        id: collection.id.clone(),
        events,
        sender,
    };
    tokio::spawn(feed.run(collection));
    let keep_alive = KeepAlive::new().interval(app.limits.sse_keep_alive);
    // nginx would otherwise hold the events back until it has a buffer full of them.
    let unbuffered = [("x-accel-buffering", "no")];
    let stream = Sse::new(Received(receiver)).keep_alive(keep_alive);
    Ok((unbuffered, stream).into_response())
}

/// One client and what it is told.
struct Feed {
    app: Arc<App>,
    id: String,
    events: broadcast::Receiver<library::Event>,
    sender: mpsc::Sender<Event>,
}

impl Feed {
    /// Until the client leaves, the collection is gone, or the server stops.
    async fn run(mut self, collection: Collection) {
        let gone = self.sender.clone();
        let stopping = self.app.stopping();
        tokio::select! {
            () = gone.closed() => {}
            () = stopping => {}
            _ = self.tell_all(collection) => {}
        }
    }

    /// `None` when there is nobody or nothing to tell of any more.
    async fn tell_all(&mut self, collection: Collection) -> Option<()> {
        self.tell(&CollectionEvent::new(&collection)).await?;
        loop {
            match self.events.recv().await {
                Ok(library::Event::File(event)) if event.collection_id == self.id => {
                    self.tell(&FileEventObject::new(&event)).await?;
                }
                Ok(library::Event::File(_)) => {}
                Ok(library::Event::AtRest) | Err(RecvError::Lagged(_)) => {
                    let collection = state_of(&self.app, &self.id).await.ok()??;
                    self.tell(&CollectionEvent::new(&collection)).await?;
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn tell(&self, object: &impl serde::Serialize) -> Option<()> {
        let event = Event::default().json_data(object).ok()?;
        self.sender.send(event).await.ok()
    }
}

async fn state_of(app: &Arc<App>, name: &str) -> Result<Option<Collection>, ApiError> {
    let (library, name) = (app.library.clone(), name.to_owned());
    off_thread(move || Ok(library.collection(&name)?)).await
}

/// The events as a stream.
struct Received(mpsc::Receiver<Event>);

impl Stream for Received {
    type Item = Result<Event, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = self.get_mut().0.poll_recv(context);
        event.map(|event| event.map(Ok))
    }
}
