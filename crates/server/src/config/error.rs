//! Why a configuration is refused.

use std::path::PathBuf;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("there is no configuration file at {0}")]
    NoFile(PathBuf),
    /// A further model without files.
    #[error("each of [[models]] needs a path; the built-in model is there without being named")]
    NoPath,
    /// A collection with a profile that is not there.
    #[error("the collection {collection:?} has the profile {profile:?}; there are: {known}")]
    NoProfile {
        /// The collection's name.
        collection: String,
        /// The profile that it names.
        profile: String,
        /// Those that there are.
        known: String,
    },
    /// An unknown key, or a value of the wrong kind.
    #[error(transparent)]
    Invalid(Box<figment::Error>),
    /// A number outside its range.
    #[error("{key} is {value}, which is outside {least} to {most}")]
    OutOfRange {
        /// The key, with dots.
        key: &'static str,
        /// What it says.
        value: String,
        /// The least it may say.
        least: String,
        /// The most it may say.
        most: String,
    },
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        ConfigError::Invalid(Box::new(error))
    }
}
