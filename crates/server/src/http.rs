//! The accept loop: connections with time limits, a cap, and an orderly end.
//!
//! axum's own loop sets no timer, so that hyper's limit on slow headers never takes effect,
//! and its graceful shutdown waits for ever on an open stream.

mod write_timeout;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::write_timeout::WriteTimeout;
use crate::error::{ApiError, ErrorKind};

/// How the server treats connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Connections served at a time; one more is told that the server is busy.
    pub max_connections: usize,
    /// How long a client may take to send the headers of a request, and how long a
    /// connection may idle before the next one.
    pub header_read_timeout: Duration,
    /// Headers of one request.
    pub max_headers: usize,
    /// Bytes buffered for one connection in each direction, at least 8192; the headers of a
    /// request must fit.
    pub buffer_bytes: usize,
    /// How long a client may take nothing of a reply that waits for it.
    pub write_timeout: Duration,
    /// How long requests may go on once the server stops.
    pub drain: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            header_read_timeout: Duration::from_secs(10),
            max_headers: 64,
            buffer_bytes: 16 << 10,
            write_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// At the end of [`HttpSettings::drain`] streams say that they were cut short; this is their
/// time to do so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Connections above the cap that are being told so; further ones are closed without a word.
const REFUSALS_AT_A_TIME: usize = 64;

const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves `router` on `listener` until `shutdown` resolves, then lets open requests end for
/// [`HttpSettings::drain`] at the most.
///
/// # Errors
///
/// None today: a connection's failure ends that connection, and failures to accept one are
/// logged and tried again.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: HttpSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let server = Server::new(router, &settings);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            stream = accept(&listener) => server.admit(stream, &graceful, &mut connections),
            Some(_ended) = connections.join_next() => {}
        }
    }
    drop(listener);
    let drained = timeout(settings.drain + LAST_WORDS, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!(
            open = connections.len(),
            "closing connections that did not end in time"
        );
    }
    connections.shutdown().await;
    Ok(())
}

/// What every connection shares.
struct Server {
    http: http1::Builder,
    service: TowerToHyperService<Router>,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    write_timeout: Duration,
}

impl Server {
    fn new(router: Router, settings: &HttpSettings) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.header_read_timeout)
            .max_headers(settings.max_headers)
            .max_buf_size(settings.buffer_bytes);
        Self {
            http,
            service: TowerToHyperService::new(router),
            places: Arc::new(Semaphore::new(settings.max_connections)),
            refusals: Arc::new(Semaphore::new(REFUSALS_AT_A_TIME)),
            write_timeout: settings.write_timeout,
        }
    }

    /// Gives the connection a place, or a refusal, or nothing, as there is room for.
    fn admit(&self, stream: TcpStream, graceful: &GracefulShutdown, connections: &mut JoinSet<()>) {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            connections.spawn(self.converse(stream, place, graceful.watcher()));
        } else if let Ok(place) = self.refusals.clone().try_acquire_owned() {
            connections.spawn(refuse(stream, place));
        }
    }

    /// The life of one connection. Dropping it drops the handlers and streams within.
    fn converse(
        &self,
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + use<> {
        let io = TokioIo::new(WriteTimeout::new(stream, self.write_timeout));
        let connection = self.http.serve_connection(io, self.service.clone());
        async move {
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        }
    }
}

/// Waits for the next connection, whatever becomes of the ones before it.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Each token is a packet of its own; waiting to fill one would delay it.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if ended_before_accepted(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                // Most likely no file descriptors are left: give some time to come back.
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn ended_before_accepted(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Says that there are too many connections.
async fn refuse(mut stream: TcpStream, _place: OwnedSemaphorePermit) {
    let exchange = async {
        // Closing with unread bytes would reset the connection, and the reply with it.
        let mut request = [0; 4096];
        let _length = stream.read(&mut request).await?;
        stream.write_all(refusal().as_bytes()).await?;
        stream.shutdown().await
    };
    // Whether it worked is the client's business.
    let _ = timeout(REFUSAL_TIMEOUT, exchange).await;
}

fn refusal() -> String {
    let body = ApiError::new(ErrorKind::Busy, "too many connections")
        .body()
        .to_string();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len(),
    )
}
