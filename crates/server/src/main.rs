//! The program `ibid`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match server::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ibid: {error:#}");
            ExitCode::FAILURE
        }
    }
}
