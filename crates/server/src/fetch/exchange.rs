//! One request over one connection that is open already: TLS, HTTP, and the bounds of a reply.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use flate2::read::GzDecoder;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;

use super::url::{Host, Url};
use super::{FetchError, MAX_BYTES, failed};

/// Headers of a reply that are read.
const MAX_HEADERS: usize = 64;

/// Bytes of them.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What a place had to say.
pub(super) enum Reply {
    /// The thing itself.
    Content(Vec<u8>),
    /// Look there instead.
    Elsewhere(String),
}

/// TLS with the certificate authorities that Mozilla trusts, and `others`.
///
/// # Errors
///
/// When one of the others is no certificate of an authority.
pub(crate) fn tls(
    others: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<TlsConnector, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in others {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the protocols of its own library")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Asks for `url` over `stream`.
pub(super) async fn exchange(
    stream: TcpStream,
    tls: &TlsConnector,
    url: &Url,
) -> Result<Reply, FetchError> {
    if !url.is_https {
        return over(stream, url).await;
    }
    let name = match &url.host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(failed)?,
        Host::Address(address) => ServerName::from(*address),
    };
    over(tls.connect(name, stream).await.map_err(failed)?, url).await
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &Url,
) -> Result<Reply, FetchError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(&url.path)
        .header(header::HOST, url.authority())
        .header(
            header::USER_AGENT,
            concat!("ibid/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::ACCEPT, "*/*")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .body(Body::empty())
        .map_err(failed)?;
    let mut client = http1::Builder::new();
    client
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    let response = send(&client, stream, request).await.map_err(failed)?;
    read(response).await
}

/// One request over a connection of its own, which ends when the reply has been read.
pub(crate) async fn send(
    client: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> hyper::Result<Response<Incoming>> {
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await?;
    // It ends with the sender and the reply.
    tokio::spawn(connection);
    sender.send_request(request).await
}

async fn read(response: Response<Incoming>) -> Result<Reply, FetchError> {
    let text = |headers: &HeaderMap, name| {
        let value = headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).map(str::to_owned)
    };
    let status = response.status();
    let headers = response.headers();
    if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        let location = text(headers, header::LOCATION);
        return location
            .map(Reply::Elsewhere)
            .ok_or_else(|| failed("it redirects to nowhere"));
    }
    if status != StatusCode::OK {
        return Err(failed(format!("it answers with status {status}")));
    }
    let encoding = text(headers, header::CONTENT_ENCODING);
    let bytes = bounded(response.into_body()).await?;
    match encoding.as_deref() {
        None | Some("identity") => Ok(Reply::Content(bytes)),
        // Some send it although it was not asked for.
        Some("gzip" | "x-gzip") => {
            let unpacking = spawn_blocking(move || unpacked(&bytes));
            unpacking.await.map_err(failed)?.map(Reply::Content)
        }
        Some(other) => Err(failed(format!("it is encoded as {other:?}"))),
    }
}

async fn bounded(mut body: Incoming) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(failed)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, FetchError> {
    let mut plain = Vec::new();
    let mut unpacking = GzDecoder::new(bytes).take(MAX_BYTES as u64 + 1);
    unpacking.read_to_end(&mut plain).map_err(failed)?;
    match plain.len() > MAX_BYTES {
        true => Err(FetchError::TooLarge),
        false => Ok(plain),
    }
}
