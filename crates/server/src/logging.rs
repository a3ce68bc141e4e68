//! Where events go: the terminal's error stream, as text or JSON.

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// tantivy warns when a segment that was to be rewritten has been merged already, which is as
/// good.
const OF_NO_CONCERN: &str = "tantivy::indexer::segment_manager=error";

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
    let filter = filter.add_directive(OF_NO_CONCERN.parse()?);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Telling of a log that cannot be written, on a full disk, would panic for the same
        // reason and end the request that logged.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    if config.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}
