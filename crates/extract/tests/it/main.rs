//! What `extract` makes of files, one module per feature, one line per case.

mod archive;
mod check;

mod books;
mod containers;
mod csv;
mod encodings;
mod formats;
mod html;
mod json;
mod limits;
mod mail;
mod markdown;
mod office;
mod pdf;
mod unreadable;
