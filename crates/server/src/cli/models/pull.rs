//! `ibid models pull`: a model of Hugging Face's hub into the cache.

use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::hub;

const EXAMPLES: &str = "\
Examples:
  ibid models pull hf:Qwen/Qwen3-0.6B                                    a whole folder
  ibid models pull hf:Qwen/Qwen3-0.6B-GGUF:Qwen3-0.6B-Q8_0.gguf          one file of several
  ibid serve --model hf:Qwen/Qwen3-0.6B-GGUF:Qwen3-0.6B-Q8_0.gguf        and then

It goes into the cache that all programs of Hugging Face share (HF_HUB_CACHE, HF_HOME). A download
that broke off is resumed. HF_TOKEN is sent to the hub, for models that need one; HF_ENDPOINT names
another hub. This is the one command that downloads a model: serving reads the cache only.";

/// What `ibid models pull` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct PullArgs {
    /// hf:OWNER/NAME, or hf:OWNER/NAME:FILE
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) fn pull(args: &PullArgs) -> anyhow::Result<()> {
    let style = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}",
    );
    let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(250));
    let mut show = |pulled: &hub::Pulled<'_>| {
        bar.set_length(pulled.total);
        bar.set_position(pulled.done);
        bar.set_message(pulled.file.to_owned());
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let path = runtime.block_on(hub::pull(&args.name, &mut show))?;
    bar.finish_and_clear();
    println!("{}", path.display());
    Ok(())
}
