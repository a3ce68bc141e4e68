//! `[limits]`, `[fetch]` and `[log]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a client may ask of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest JSON body, in bytes.
    pub body_bytes: usize,
    /// The largest document, in bytes.
    pub upload_bytes: usize,
    /// Connections that are open at the same time.
    pub connections: usize,
    /// Seconds that running answers are given when the server stops.
    pub drain_s: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body_bytes: 2_000_000,
            upload_bytes: 100_000_000,
            connections: 1024,
            drain_s: 10,
        }
    }
}

/// Getting documents by their URLs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FetchConfig {
    /// Whether requests may name them.
    pub enabled: bool,
    /// A PEM file of certificate authorities to trust besides Mozilla's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
}

/// What is written to the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Which events, in the syntax of `RUST_LOG`.
    pub filter: String,
    /// One JSON object a line, instead of text.
    pub json: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "warn".into(),
            json: false,
        }
    }
}
