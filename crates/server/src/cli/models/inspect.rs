//! `ibid models inspect`: what a model is, and whether it will run here.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use engine_candle::inspect::Inspection;

use crate::cli::memory;
use crate::cli::named_model::NamedModel;

/// What `ibid models inspect` understands.
#[derive(Debug, Args)]
pub(in crate::cli) struct InspectArgs {
    /// A GGUF file or a Hugging Face folder, or built-in
    #[arg(value_name = "PATH")]
    named: NamedModel,
}

pub(super) fn inspect(args: &InspectArgs) -> anyhow::Result<()> {
    let inspection = Inspection::open(&args.named.source()?)
        .with_context(|| format!("cannot use {}", args.named.as_given()))?;
    print(&args.named.name(), &inspection).context("cannot print")
}

fn print(name: &str, inspection: &Inspection) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let template = match inspection.template_reads_documents {
        None => "none: messages are joined as plain text",
        Some(true) => "yes, and it places documents itself",
        Some(false) => "yes, without a place for documents",
    };
    let memory = format!(
        "{} of weights, {} of keys and values for 1,000 tokens",
        size(inspection.loaded_bytes()),
        size(1000 * inspection.kv_bytes_per_token),
    );
    writeln!(out, "{name}")?;
    for (what, value) in [
        ("family", inspection.family.clone()),
        ("parameters", count(inspection.parameters())),
        ("size on disk", size(inspection.file_bytes())),
        ("tensors", tensors(inspection)),
        ("context", format!("{} tokens", inspection.context)),
        ("chat template", template.to_owned()),
        ("tokenizer", inspection.tokenizer.clone()),
        ("vocabulary", format!("{} tokens", inspection.vocabulary)),
        ("memory", memory),
        ("runs here", runs_here(inspection, memory::available())),
    ] {
        writeln!(out, "  {what:<15}{value}")?;
    }
    Ok(())
}

/// `Q4_K 90 % (193 tensors), Q6_K 10 % (28)`, the shares being those of the parameters.
fn tensors(inspection: &Inspection) -> String {
    let all = inspection.parameters().max(1) as f64;
    let types = inspection.tensor_types.iter().map(|one| {
        let share = 100.0 * one.parameters as f64 / all;
        format!("{} {share:.1} % ({} tensors)", one.name, one.tensors)
    });
    types.collect::<Vec<_>>().join(", ")
}

/// Below this many tokens a context holds no sources and no answer.
const USEFUL_CONTEXT: u64 = 1000;

/// Compares what one answer needs with what is free.
fn runs_here(inspection: &Inspection, available: Option<u64>) -> String {
    let context = inspection.context as u64;
    let weights = inspection.loaded_bytes();
    let whole = weights + context * inspection.kv_bytes_per_token;
    let Some(available) = available else {
        let whole = size(whole);
        return format!(
            "if {whole} are free, for the whole context; this system does not say what is"
        );
    };
    let room = available.saturating_sub(weights) / inspection.kv_bytes_per_token.max(1);
    let free = size(available);
    if room >= context {
        let whole = size(whole);
        format!("yes: the whole context needs {whole}, and {free} are free")
    } else if room >= context.min(USEFUL_CONTEXT) {
        format!("yes, with a context of up to {room} tokens: {free} are free")
    } else {
        let least = size(weights + context.min(USEFUL_CONTEXT) * inspection.kv_bytes_per_token);
        format!("no: it needs {least} or more, and {free} are free")
    }
}

/// Bytes in the largest unit that leaves something before the point.
pub(super) fn size(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    match mebibytes {
        1024.0.. => format!("{:.1} GiB", mebibytes / 1024.0),
        ..0.1 => format!("{:.1} KiB", mebibytes * 1024.0),
        _ => format!("{mebibytes:.1} MiB"),
    }
}

fn count(number: u64) -> String {
    match number as f64 {
        number @ 1e9.. => format!("{:.2} billion", number / 1e9),
        number @ 1e6.. => format!("{:.1} million", number / 1e6),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use engine_candle::inspect::TensorType;

    use super::*;

    #[test]
    fn what_runs_depends_on_what_is_free() {
        let mebibyte = 1 << 20;
        let inspection = Inspection {
            family: "llama".into(),
            context: 4000,
            tensor_types: vec![TensorType {
                name: "F16".into(),
                tensors: 1,
                parameters: 25 * mebibyte,
                file_bytes: 50 * mebibyte,
                loaded_bytes: 100 * mebibyte,
            }],
            template_reads_documents: None,
            tokenizer: "BPE".into(),
            vocabulary: 10,
            kv_bytes_per_token: mebibyte,
        };
        let check = |mebibytes_free: u64, expected: &str| {
            let said = runs_here(&inspection, Some(mebibytes_free * mebibyte));
            assert!(said.starts_with(expected), "{mebibytes_free}: {said}");
        };
        check(4100, "yes: the whole context needs 4.0 GiB");
        check(4099, "yes, with a context of up to 3999 tokens");
        check(1100, "yes, with a context of up to 1000 tokens");
        check(1099, "no: it needs 1.1 GiB or more, and 1.1 GiB are free");
        check(50, "no: ");
        assert!(runs_here(&inspection, None).starts_with("if 4.0 GiB are free"));
    }
}
