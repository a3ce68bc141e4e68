//! The one place that gets something from elsewhere: a document that a request names by its URL,
//! where the configuration allows it.
//!
//! Whoever may name a URL must not reach what only this machine can reach. So only addresses of
//! the public Internet are opened; the address that was checked is the one that is opened, which
//! leaves a name no second answer; and every redirect is checked as if it had been asked for.
//! Nothing is sent along: no cookies, no credentials, no referrer.

mod address;
mod exchange;
mod network;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_tls;
mod url;

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use self::address::is_public;
use self::exchange::{Reply, exchange};
pub(crate) use self::exchange::{send, tls};
use self::network::Network;
use self::url::{Host, Url};
use crate::config::FetchConfig;

/// Bytes of a document, before and after unpacking.
const MAX_BYTES: usize = 10_000_000;

/// How long all of it may take.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// Gets documents from the Internet.
pub(crate) struct Fetcher {
    network: Network,
    tls: TlsConnector,
    max_time: Duration,
}

/// A document that was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The URL it came from in the end.
    pub(crate) url: String,
    /// The last part of that URL.
    pub(crate) filename: String,
    /// What was there.
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// This URL is never fetched.
    #[error("this URL is not fetched: {0}")]
    Refused(&'static str),
    /// It could not be had.
    #[error("the URL cannot be fetched: {0}")]
    Failed(String),
    /// There is too much of it.
    #[error("what is at the URL has more than 10 MB; download it and upload the file")]
    TooLarge,
}

impl Fetcher {
    /// The fetcher, if the configuration wants one.
    ///
    /// # Errors
    ///
    /// When the certificates that it names cannot be read.
    pub(crate) fn configured(config: &FetchConfig) -> anyhow::Result<Option<Fetcher>> {
        if !config.enabled {
            return Ok(None);
        }
        let certificates = match &config.certificates {
            Some(path) => read_certificates(path)
                .with_context(|| format!("cannot use the certificates in {}", path.display()))?,
            None => Vec::new(),
        };
        let tls = exchange::tls(certificates).context("cannot use fetch.certificates")?;
        Ok(Some(Fetcher::over(Network::real(), tls, MAX_TIME)))
    }

    fn over(network: Network, tls: TlsConnector, max_time: Duration) -> Fetcher {
        Fetcher {
            network,
            tls,
            max_time,
        }
    }

    /// Gets what is at `url`.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub(crate) async fn fetch(&self, url: &str) -> Result<Fetched, FetchError> {
        let url = Url::parse(url)?;
        let fetched = timeout(self.max_time, self.follow(url)).await;
        fetched.unwrap_or_else(|_| Err(failed("it takes more than 10 seconds")))
    }

    async fn follow(&self, mut url: Url) -> Result<Fetched, FetchError> {
        for _ in 0..=MAX_REDIRECTS {
            let stream = self.open(&url).await?;
            match exchange(stream, &self.tls, &url).await? {
                Reply::Content(bytes) => {
                    return Ok(Fetched {
                        url: url.to_string(),
                        filename: url.filename(),
                        bytes,
                    });
                }
                Reply::Elsewhere(location) => url = url.join(&location)?,
            }
        }
        Err(FetchError::Refused("it redirects more than three times"))
    }

    /// A connection to one of the addresses of the URL's host that are public.
    async fn open(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let addresses = self.addresses(&url.host).await?;
        let public = addresses.into_iter().filter(|address| is_public(*address));
        let public: Vec<IpAddr> = public.take(MAX_ADDRESSES).collect();
        if public.is_empty() {
            let reason = "its host is not on the public Internet";
            return Err(FetchError::Refused(reason));
        }
        let mut last = None;
        for address in public {
            match (self.network.connect)(SocketAddr::new(address, url.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        let reason = last.map_or_else(String::new, |error| error.to_string());
        Err(failed(format!("its host does not answer: {reason}")))
    }

    async fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>, FetchError> {
        match host {
            Host::Address(address) => Ok(vec![*address]),
            Host::Name(name) => {
                let found = (self.network.look_up)(name.clone()).await;
                found.map_err(|error| failed(format!("its host has no address: {error}")))
            }
        }
    }
}

fn read_certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    ensure!(!certificates.is_empty(), "there are none in it");
    Ok(certificates)
}

fn failed(reason: impl Display) -> FetchError {
    FetchError::Failed(reason.to_string())
}
