//! `ibid serve`: index, then answer over HTTP until told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;

use crate::app::{App, Stage};
use crate::cli::announcement;
use crate::cli::progress::IndexingBar;
use crate::config::Config;
use crate::http::{self, HttpSettings};
use crate::{logging, routes, sources, startup};

/// What `ibid serve` understands.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Files and folders to serve and to watch: the collection is kept holding just these and
    /// what was uploaded [default: what it holds already, or the example documents]
    paths: Vec<PathBuf>,
    /// Address and port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,
}

#[tokio::main]
pub(super) async fn serve(config: Config, args: &ServeArgs) -> anyhow::Result<()> {
    logging::start(&config.log)?;
    let listener = bind(config.listen).await?;
    let address = listener.local_addr()?;
    let engines = startup::load_engines(&config)?;
    let encoders = startup::load_encoders(&config.retrieval)?;
    let data_dir = startup::data_dir(&config)?;
    let extractor = startup::extractor()?;
    let library =
        startup::open_library_with(&config, &data_dir, &engines[0], extractor, &encoders)?;
    let app = startup::app_with_models(&config, engines, library, encoders)?;
    app.library.announce(&address.to_string());

    let router = routes::router(app.clone());
    let server = tokio::spawn(http::serve(
        listener,
        router,
        http_settings(&config),
        stopping(app.clone()),
    ));
    index(app.clone(), args.paths.clone()).await?;
    let watches = sources::watch(&app.library, &args.paths, &config.collections)?;
    if app.stage() == Stage::Starting {
        app.set_ready();
        announcement::print(&app, address)?;
    }
    server.await??;
    // Off the async threads, since it waits for the folder being looked at.
    tokio::task::spawn_blocking(move || drop(watches)).await?;
    app.library.close();
    Ok(())
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen")
    })
}

fn http_settings(config: &Config) -> HttpSettings {
    HttpSettings {
        max_connections: config.limits.connections,
        drain: Duration::from_secs(config.limits.drain_s),
        ..HttpSettings::default()
    }
}

/// Brings the default collection up to date, with a progress bar, off the async threads.
async fn index(app: Arc<App>, paths: Vec<PathBuf>) -> anyhow::Result<()> {
    let max_file_bytes = app.limits.upload_bytes as u64;
    let library = app.library.clone();
    let indexing = tokio::task::spawn_blocking(move || {
        let bar = IndexingBar::new();
        sources::sync(&library, &paths, max_file_bytes, &mut |progress| {
            bar.show(&progress);
        })
    });
    tokio::select! {
        indexed = indexing => indexed?,
        () = app.stopping() => {
            app.library.close();
            anyhow::bail!("stopped while indexing; the next start goes on from here")
        }
    }
}

/// Resolves when the terminal or the system asks to stop, and tells the whole server so.
async fn stopping(app: Arc<App>) {
    stop_requested().await;
    app.set_stopping();
}

async fn stop_requested() {
    let interrupted = async {
        tokio::signal::ctrl_c()
            .await
            .expect("a handler for ctrl-c can be set");
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())
            .expect("a handler for SIGTERM can be set")
            .recv()
            .await;
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => (),
        () = terminated => (),
    }
}
