//! The library from the outside: what goes in is found, and what is found survives.

mod answers;
mod collections;
mod embedding;
mod failures;
mod files;
mod harness;
mod kill;
mod portable;
mod recovery;
mod removal;
mod space;
mod sync;
mod watch;
