//! A document fetched over TLS, from whom it should be from. The certificates in `tests_tls/` were
//! made for this test.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::network::Network;
use super::{FetchError, Fetcher, exchange};

/// A public address, behind which stands the server of the test.
const OUTSIDE: &str = "93.184.216.34";

/// The authority that signed the certificate of `docs.example`; its key is thrown away.
const AUTHORITY: &[u8] = include_bytes!("tests_tls/ca.der");
const CERTIFICATE: &[u8] = include_bytes!("tests_tls/server.der");
const CERTIFICATE_KEY: &[u8] = include_bytes!("tests_tls/server-key.der");

fn trusting_ours() -> TlsConnector {
    exchange::tls([CertificateDer::from(AUTHORITY)]).expect("an authority")
}

/// Answers every connection over TLS, as `docs.example`, with one reply.
async fn serve_tls(listener: TcpListener, reply: &'static [u8]) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("it has them")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivateKeyDer::Pkcs8(CERTIFICATE_KEY.into()),
        )
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    while let Ok((stream, _)) = listener.accept().await {
        // A client that does not trust the certificate goes away.
        let Ok(mut stream) = acceptor.accept(stream).await else {
            continue;
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a whole request"));
        }
        stream.write_all(reply).await.expect("it is read");
        stream.shutdown().await.expect("it is read");
    }
}

#[tokio::test]
async fn a_document_is_fetched_over_tls_from_whom_it_should_be_from() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = listener.local_addr().expect("an address");
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
    tokio::spawn(serve_tls(listener, reply));
    let network = Network {
        look_up: Arc::new(|_| {
            Box::pin(async { Ok(vec![OUTSIDE.parse::<IpAddr>().expect("an address")]) })
        }),
        connect: Arc::new(move |_| Box::pin(TcpStream::connect(server))),
    };
    let fetcher = |tls| Fetcher::over(network.clone(), tls, Duration::from_secs(10));

    let trusting = fetcher(trusting_ours());
    let fetched = trusting.fetch("https://docs.example/a.txt").await;
    assert_eq!(fetched.expect("it is there").bytes, b"abc");
    let other = trusting.fetch("https://other.example/a.txt").await;
    assert!(matches!(other, Err(FetchError::Failed(_))), "{other:?}");

    let strict = fetcher(exchange::tls([]).expect("Mozilla's alone"));
    let unknown = strict.fetch("https://docs.example/a.txt").await;
    assert!(matches!(unknown, Err(FetchError::Failed(_))), "{unknown:?}");
}
