//! Where events go: the terminal's error stream, as text or JSON.

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts writing events.
///
/// # Errors
///
/// When the filter is not in the syntax of `RUST_LOG`.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).with_context(|| {
        format!(
            "log.filter {:?} is not in the syntax of RUST_LOG",
            config.filter
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}
