//! HTTP to the hub, and to where it sends us.

use std::env;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::body::Body;
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::fetch;

const HUB: &str = "https://huggingface.co";

/// How long a server may take to be reached, and to begin its answer.
const PATIENCE: Duration = Duration::from_secs(20);

const MAX_REDIRECTS: usize = 5;

/// The hub, and who asks it.
pub(super) struct Hub {
    /// Without a slash at its end.
    pub(super) endpoint: String,
    token: Option<String>,
    tls: TlsConnector,
}

impl Hub {
    /// As Hugging Face's own programs take it from `HF_ENDPOINT` and `HF_TOKEN`.
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let value = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = value("HF_ENDPOINT").unwrap_or_else(|| HUB.to_owned());
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: value("HF_TOKEN"),
            tls: fetch::tls([])?,
        })
    }

    /// The headers of what is at `url`, as the hub itself tells them, without going on to where
    /// it is kept.
    pub(super) async fn head(&self, url: &str) -> anyhow::Result<HeaderMap> {
        let response = self.ask(Method::HEAD, &parsed(url)?, 0).await?;
        check(url, response.status())?;
        Ok(response.headers().clone())
    }

    /// What is at `url` from its byte number `from` on. The server may send all of it all the
    /// same; its status tells.
    pub(super) async fn get(&self, url: &str, from: u64) -> anyhow::Result<Response<Incoming>> {
        let mut place = parsed(url)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(Method::GET, &place, from).await?;
            if !response.status().is_redirection() {
                check(url, response.status())?;
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            let location = location.context("the hub redirects to nowhere")?.to_str()?;
            place = joined(&place, location)?;
        }
        bail!("{url} redirects more than {MAX_REDIRECTS} times")
    }

    async fn ask(
        &self,
        method: Method,
        place: &Uri,
        from: u64,
    ) -> anyhow::Result<Response<Incoming>> {
        let reached = timeout(PATIENCE, self.exchange(method, place, from)).await;
        let unreachable = || format!("cannot get {place}");
        reached
            .context("the server does not answer")
            .and_then(|outcome| outcome)
            .with_context(unreachable)
    }

    async fn exchange(
        &self,
        method: Method,
        place: &Uri,
        from: u64,
    ) -> anyhow::Result<Response<Incoming>> {
        let host = place.host().context("it has no host")?.to_owned();
        let is_https = place.scheme() == Some(&Scheme::HTTPS);
        let port = place.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare, port)).await?;
        let request = self.request(method, place, from)?;
        let client = http1::Builder::new();
        if !is_https {
            return Ok(fetch::send(&client, stream, request).await?);
        }
        let name = ServerName::try_from(bare.to_owned())?;
        let stream = self.tls.connect(name, stream).await?;
        Ok(fetch::send(&client, stream, request).await?)
    }

    /// The token goes to the hub alone, and not to where it sends us.
    fn request(&self, method: Method, place: &Uri, from: u64) -> anyhow::Result<Request<Body>> {
        let path = place.path_and_query().map_or("/", |path| path.as_str());
        let authority = place.authority().context("it has no host")?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, authority.as_str())
            .header(
                header::USER_AGENT,
                concat!("ibid/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONNECTION, "close");
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let is_hub = place
            .to_string()
            .starts_with(&format!("{}/", self.endpoint));
        if let Some(token) = self.token.as_ref().filter(|_| is_hub) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        Ok(request.body(Body::empty())?)
    }
}

fn check(url: &str, status: StatusCode) -> anyhow::Result<()> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => bail!(
            "{url} is not there for everybody ({status}): accept its licence on the hub, and set \
             HF_TOKEN to a token of yours; or the name is wrong"
        ),
        StatusCode::NOT_FOUND => bail!("{url} does not exist: is the name right?"),
        status if status.is_client_error() || status.is_server_error() => {
            bail!("{url} answers with status {status}")
        }
        _ => Ok(()),
    }
}

fn parsed(url: &str) -> anyhow::Result<Uri> {
    let place: Uri = url.parse().with_context(|| format!("{url} is no URL"))?;
    let known = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)];
    ensure!(known.contains(&place.scheme()), "{url} is no http URL");
    Ok(place)
}

/// Where a redirect leads: to another place, or another path of the same.
fn joined(place: &Uri, location: &str) -> anyhow::Result<Uri> {
    let scheme = place.scheme_str().unwrap_or_default();
    let authority = place.authority().map_or("", |authority| authority.as_str());
    let next = match location {
        _ if location.starts_with("//") => parsed(&format!("{scheme}:{location}"))?,
        _ if location.starts_with('/') => parsed(&format!("{scheme}://{authority}{location}"))?,
        _ => parsed(location)?,
    };
    let is_weaker = scheme == "https" && next.scheme() != Some(&Scheme::HTTPS);
    ensure!(!is_weaker, "{place} leads from https to http");
    Ok(next)
}
