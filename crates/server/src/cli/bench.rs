//! `ibid bench`: how fast a model reads and writes on this machine, and in how much memory.

mod measure;
mod prompts;
mod report;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use engine::Engine;
use engine_candle::{CandleEngine, Settings};

use crate::cli::measuring_bar::MeasuringBar;
use crate::cli::memory;
use crate::cli::named_model::NamedModel;
use measure::{Measurement, Round, measure};
use prompts::{Prompts, content_bias};
use report::{Heading, Row};

const EXAMPLES: &str = "\
Examples:
  ibid bench built-in                              the model inside the program, one stream
  ibid bench model.gguf --parallel 1,8             one stream, then eight at a time
  ibid bench model.gguf --prompt 2048 --threads 4  long prompts, on four threads
  ibid bench model.gguf --json >> speeds.jsonl     one object a line, to keep

What is measured:
  prefill      prompt tokens read in a second, all streams together
  decode       tokens written in a second while all streams run, all streams together
  first token  from the request to its first token, which includes waiting for other streams
  memory       the most that was resident while the row was measured (Linux)

Each figure is the median of the repetitions; one more goes before them to warm up. Prompts are
random text, different for every stream and repetition and the same in every run.";

/// What `ibid bench` understands.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BenchArgs {
    /// A GGUF file or a Hugging Face folder, or built-in
    #[arg(value_name = "MODEL")]
    named: NamedModel,
    /// Tokens of a prompt, with what the chat template adds
    #[arg(long, value_name = "TOKENS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    prompt: u32,
    /// Tokens to generate
    #[arg(long, value_name = "TOKENS", default_value_t = 32, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    generate: u32,
    /// Streams at the same time; several numbers give several rows
    #[arg(long, value_name = "N,…", default_value = "1", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: Vec<u16>,
    /// Repetitions to take the median of
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,
    /// Threads to compute with [default: one for each physical core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn bench(args: &BenchArgs) -> anyhow::Result<()> {
    if let Some(threads) = args.threads
        && std::env::var(KERNEL_THREADS).as_deref() != Ok(&threads.to_string())
    {
        return start_again(threads);
    }
    let bar = MeasuringBar::new(passes(args));
    let engine = load(args)?;
    let heading = Heading {
        model: args.named.name(),
        prompt: args.prompt as usize,
        generate: args.generate as usize,
        repeat: args.repeat.into(),
    };
    let mut report = report::Report::new(heading, args.json);
    for &parallel in &args.parallel {
        memory::forget_peak();
        let measurement = rounds(&engine, args, parallel.into(), &bar)?;
        let row = Row::of(parallel, &measurement, memory::peak());
        bar.suspend(|| report.print(&row))?;
    }
    Ok(())
}

/// More than any row needs: it is taken as it is needed.
const KV_BYTES: usize = 16 << 30;

/// What sizes the pool of candle's quantised kernels.
const KERNEL_THREADS: &str = "CANDLE_NUM_THREADS";

/// The kernels read their number of threads from the environment, and a process cannot change its
/// own safely. It starts itself again with the number set.
fn start_again(threads: u16) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot find this program to start it again")?;
    let status = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(KERNEL_THREADS, threads.to_string())
        .status()
        .context("cannot start this program again with fewer threads")?;
    match status.code() {
        Some(0) => Ok(()),
        // The other one has said what is wrong.
        Some(code) => std::process::exit(code),
        None => bail!("the benchmark was killed"),
    }
}

fn load(args: &BenchArgs) -> anyhow::Result<CandleEngine> {
    let most_streams = usize::from(args.parallel.iter().copied().max().unwrap_or(1));
    let settings = Settings {
        name: args.named.name(),
        workers: 1,
        threads: args.threads.map(usize::from),
        queue: most_streams,
        max_running: most_streams,
        queue_tokens: usize::MAX,
        max_wait: Duration::MAX,
        kv_bytes: KV_BYTES,
        ..Settings::default()
    };
    let engine = CandleEngine::load(args.named.source()?, settings)
        .with_context(|| format!("cannot load {}", args.named.as_given()))?;
    let (prompt, generate) = (args.prompt as usize, args.generate as usize);
    let context = engine.model().context;
    if prompt + generate > context {
        bail!(
            "--prompt {prompt} and --generate {generate} make {} tokens, and this model's context \
             has {context}: ask for fewer",
            prompt + generate
        );
    }
    Ok(engine)
}

/// Every repetition of one row, without the first, which warms up.
fn rounds(
    engine: &CandleEngine,
    args: &BenchArgs,
    parallel: usize,
    bar: &MeasuringBar,
) -> anyhow::Result<Measurement> {
    let mut prompts = Prompts::new(engine, args.prompt as usize);
    let bias = content_bias(engine)?;
    let mut measurement = Measurement::default();
    for repetition in 0..=args.repeat {
        let round = Round {
            prompts: prompts.take(parallel)?,
            generate: args.generate as usize,
            bias: &bias,
        };
        let figures = measure(engine, &round, bar)?;
        if repetition > 0 {
            measurement.add(figures);
        }
    }
    Ok(measurement)
}

/// A pass reads the prompts, or reads them and writes; each repetition has both.
fn passes(args: &BenchArgs) -> u64 {
    let warm_up = 1;
    2 * args.parallel.len() as u64 * (u64::from(args.repeat) + warm_up)
}
