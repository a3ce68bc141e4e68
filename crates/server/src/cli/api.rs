//! Our own HTTP interface, as the commands that manage documents use it: that of a running
//! server, or, when nobody has the library open, within this process and without a socket.

use std::path::Path;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, header};
use clap::Args;
use hyper::client::conn::http1;
use library::Holder;
use serde_json::Value;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::config::Config;
use crate::{fetch, routes, startup};

/// Where the documents are.
#[derive(Debug, Args)]
pub(super) struct Whereabouts {
    /// The server to talk to [default: the one that has the data directory open, or none]
    #[arg(long, value_name = "ADDRESS:PORT")]
    server: Option<String>,
    /// The collection
    #[arg(long, value_name = "NAME", default_value = library::DEFAULT_COLLECTION)]
    pub(super) collection: String,
}

/// The interface.
pub(super) enum Api {
    /// Of a server, at this address and port.
    Server(String),
    /// Of this process.
    Here(Router),
}

/// The largest reply that is read: a page of a list.
const MAX_REPLY_BYTES: usize = 64 << 20;

impl Api {
    /// The server that was named, or the one that has the data directory open; without one,
    /// the library itself.
    pub(super) fn open(config: &Config, whereabouts: &Whereabouts) -> anyhow::Result<Self> {
        if let Some(server) = &whereabouts.server {
            let address = server.strip_prefix("http://").unwrap_or(server);
            return Ok(Self::Server(address.trim_end_matches('/').to_owned()));
        }
        let data_dir = startup::data_dir(config)?;
        match library::holder(&data_dir) {
            Holder::Nobody => Self::here(config, &data_dir),
            Holder::At(address) => Ok(Self::Server(address)),
            Holder::Unknown => bail!(
                "the library in {} is in use by another ibid command; try again when it is done",
                data_dir.display()
            ),
        }
    }

    fn here(config: &Config, data_dir: &Path) -> anyhow::Result<Self> {
        let engine = startup::load_engine(&config.model)?;
        let library = startup::open_library(config, data_dir, &engine, startup::extractor()?)?;
        let app = startup::app(config, engine, library)?;
        Ok(Self::Here(routes::router(app)))
    }

    /// Where the documents are, for people.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Server(address) => format!("server http://{address}"),
            Self::Here(_) => "no server is running".to_owned(),
        }
    }

    /// The JSON that a request without a body is answered with.
    pub(super) async fn call(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        let request = Request::builder().method(method).uri(path);
        self.send(request.body(Body::empty())?).await
    }

    /// The JSON that a request is answered with; a refusal is an error with its message.
    pub(super) async fn send(&self, request: Request<Body>) -> anyhow::Result<Value> {
        let response = match self {
            Self::Server(address) => over_tcp(address, request).await?,
            Self::Here(router) => router.clone().oneshot(request).await?,
        };
        let status = response.status();
        let body = to_bytes(response.into_body(), MAX_REPLY_BYTES).await?;
        let body: Value = serde_json::from_slice(&body)
            .with_context(|| format!("what answers with status {status} is no ibid server"))?;
        if status.is_success() {
            return Ok(body);
        }
        let message = body["error"]["message"].as_str();
        bail!(
            "{}",
            message.unwrap_or("the server refused without a reason")
        )
    }
}

async fn over_tcp(address: &str, mut request: Request<Body>) -> anyhow::Result<Response<Body>> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.with_context(|| format!("no server answers at http://{address}"))?;
    request.headers_mut().insert(header::HOST, address.parse()?);
    let response = fetch::send(&http1::Builder::new(), stream, request).await;
    let response = response.with_context(|| format!("the server at http://{address} hung up"))?;
    Ok(response.map(Body::new))
}
