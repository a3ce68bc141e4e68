//! `ibid models quantize`: a model in fewer bits, as a GGUF file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use engine_candle::quantize::{Report, Target, quantize as write};
use indicatif::{ProgressBar, ProgressStyle};

use super::inspect::size;
use crate::cli::named_model::NamedModel;

const EXAMPLES: &str = "\
Examples:
  ibid models quantize ~/models/qwen3-0.6b qwen3-0.6b-q4_k_m.gguf --to Q4_K_M
  ibid models quantize model-f16.gguf model-q8_0.gguf --to Q8_0

  F16     16 bits a number: a folder as one file, hardly changed
  Q8_0    8.5 bits: as good as the original
  Q6_K    6.6 bits: very nearly
  Q4_K_M  4.8 bits: the usual choice when memory is short
  Q4_0    4.6 bits: the fastest, and the least exact

The error is that of the weights: the root of the mean square of what changed, by that of what
was there. Vectors stay as they are, and what is smaller already is not made larger. Memory does
not grow with the model.";

/// What `ibid models quantize` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct QuantizeArgs {
    /// A Hugging Face folder or a GGUF file, or built-in
    #[arg(value_name = "IN")]
    named: NamedModel,
    /// The GGUF file to write, which must not exist
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// How many bits to use
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    to: To,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    #[value(name = "F16")]
    F16,
    #[value(name = "Q8_0")]
    Q8_0,
    #[value(name = "Q6_K")]
    Q6K,
    #[value(name = "Q4_K_M")]
    Q4KM,
    #[value(name = "Q4_0")]
    Q4_0,
}

impl From<To> for Target {
    fn from(to: To) -> Self {
        match to {
            To::F16 => Self::F16,
            To::Q8_0 => Self::Q8_0,
            To::Q6K => Self::Q6K,
            To::Q4KM => Self::Q4KM,
            To::Q4_0 => Self::Q4_0,
        }
    }
}

pub(super) fn quantize(args: &QuantizeArgs) -> anyhow::Result<()> {
    let style = ProgressStyle::with_template("quantizing {bar:30} {percent:>3} % {eta} {wide_msg}");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(250));
    let report = write(
        &args.named.source()?,
        &args.out,
        args.to.into(),
        &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.tensor.to_owned());
        },
    );
    bar.finish_and_clear();
    let report = report.with_context(|| format!("cannot quantize {}", args.named.as_given()))?;
    print(args, &report);
    Ok(())
}

fn print(args: &QuantizeArgs, report: &Report) {
    let (before, after) = (size(report.bytes_before), size(report.bytes_after));
    println!("{}", args.out.display());
    println!("  size           {after}, from {before}");
    for one in &report.types {
        let tensors = format!("{} tensors, {}", one.tensors, size(one.bytes));
        let error = percent(one.relative_error);
        println!("  {:<15}{tensors:<26} error {error}", one.name);
    }
    match &report.worst {
        Some((tensor, error)) => println!("  worst tensor   {tensor}, error {}", percent(*error)),
        None => println!("  worst tensor   none: no number changed"),
    }
    if let Some(reason) = &report.without_tokenizer {
        println!(
            "  tokenizer      not in the file ({reason}): keep the model's tokenizer.json beside it"
        );
    }
}

fn percent(error: f64) -> String {
    format!("{:.3} %", 100.0 * error)
}
