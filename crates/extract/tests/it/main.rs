//! What `extract` makes of files, one module per feature, one line per case.

mod check;

mod csv;
mod encodings;
mod formats;
mod html;
mod json;
mod limits;
mod markdown;
mod unreadable;
