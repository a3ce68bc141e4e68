//! Tests of the whole program; see `it/main.rs`.
