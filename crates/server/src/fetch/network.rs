//! The two things a fetcher asks of the network, so that tests can stand in for it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};

/// What is not there yet.
type Later<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Names to addresses, and addresses to connections.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) look_up: Arc<dyn Fn(String) -> Later<Vec<IpAddr>> + Send + Sync>,
    pub(super) connect: Arc<dyn Fn(SocketAddr) -> Later<TcpStream> + Send + Sync>,
}

impl Network {
    /// The one this machine is on. No proxy that the environment names is asked.
    pub(super) fn real() -> Network {
        Network {
            look_up: Arc::new(|name| {
                Box::pin(async move {
                    let found = lookup_host((name, 0)).await?;
                    Ok(found.map(|address| address.ip()).collect())
                })
            }),
            connect: Arc::new(|address| Box::pin(TcpStream::connect(address))),
        }
    }
}
