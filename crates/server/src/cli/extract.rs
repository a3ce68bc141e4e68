//! `ibid __extract`: the sandboxed child in which files are read. Not for people: it speaks
//! over its standard input and output with the program that started it.

use clap::Args;
use extract::Limits;

/// What a parent says, in the order of [`Limits::to_args`].
#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// Bytes of address space
    memory_bytes: u64,
    /// Seconds of processor time for one file
    cpu_seconds: u64,
}

pub(super) fn serve(args: &ExtractArgs) -> anyhow::Result<()> {
    let limits = Limits {
        memory_bytes: args.memory_bytes,
        cpu_seconds: args.cpu_seconds,
    };
    Ok(extract::serve(limits, extract::extract)?)
}
