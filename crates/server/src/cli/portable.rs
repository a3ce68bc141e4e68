//! `ibid export`, `import` and `backup`: collections and libraries as files.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::cli::progress::IndexingBar;
use crate::config::Config;
use crate::startup;

/// What `ibid export` understands.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The collection's id or name
    collection: String,
    /// The file to make, such as notes.ibid
    file: PathBuf,
}

/// What `ibid import` understands.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// A file that `ibid export` made
    file: PathBuf,
    /// What the collection is to be called [default: what it was called]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// What `ibid backup` understands.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to make
    file: PathBuf,
}

pub(super) fn export(config: &Config, args: &ExportArgs) -> anyhow::Result<()> {
    let data_dir = startup::data_dir(config)?;
    let moved = library::export(&data_dir, &args.collection, &args.file)?;
    println!(
        "{}: collection {:?}, {} files, {} bytes",
        args.file.display(),
        moved.collection,
        moved.files,
        moved.bytes
    );
    Ok(())
}

pub(super) fn import(config: &Config, args: &ImportArgs) -> anyhow::Result<()> {
    let data_dir = startup::data_dir(config)?;
    if library::holder(&data_dir) != library::Holder::Nobody {
        bail!(
            "the library in {} is in use: stop the server, import, and start it again",
            data_dir.display()
        );
    }
    let engine = startup::load_engine(&config.model)?;
    let library = startup::open_library(config, &data_dir, &engine, startup::extractor()?)?;
    let collection = library.import(&args.file, args.name.as_deref())?;
    let bar = IndexingBar::new();
    library.wait_until_idle(&mut |progress| bar.show(&progress))?;
    drop(bar);
    println!(
        "collection {:?}: {} files",
        collection.name, collection.counts.total
    );
    Ok(())
}

pub(super) fn backup(config: &Config, args: &BackupArgs) -> anyhow::Result<()> {
    let data_dir = startup::data_dir(config)?;
    library::backup(&data_dir, &args.file)?;
    let file = args.file.display();
    println!("{file}: to restore it, copy it to library.sqlite in an empty data directory");
    Ok(())
}
