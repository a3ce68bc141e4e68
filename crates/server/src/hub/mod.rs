//! Models of Hugging Face's hub: `hf:OWNER/NAME`, or `hf:OWNER/NAME:FILE` for one file of several.
//!
//! They are read from the cache that all programs share, and put there by `ibid models pull`, the
//! only thing in ibid that downloads a model.

mod cache;
mod connection;
mod download;
mod name;
mod pull;

pub(crate) use cache::find;
pub(crate) use name::is_name;
pub(crate) use pull::{Pulled, pull};
