//! A benchmark's rows, as a table for people or as JSON lines for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::measure::Measurement;

/// Writes rows as they come.
pub(super) struct Report {
    heading: Heading,
    json: bool,
    begun: bool,
}

/// What holds for all rows.
pub(super) struct Heading {
    pub(super) model: String,
    pub(super) prompt: usize,
    pub(super) generate: usize,
    pub(super) repeat: usize,
}

/// What was measured with one number of streams.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    parallel: u16,
    prefill_tok_s: f64,
    decode_tok_s: f64,
    ttft_ms: f64,
    /// `null` where the system does not say.
    rss_mib: Option<f64>,
}

/// A row that stands alone.
#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    #[serde(flatten)]
    row: &'a Row,
}

impl Row {
    pub(super) fn of(parallel: u16, measurement: &Measurement, peak: Option<u64>) -> Self {
        let mebibyte = f64::from(1 << 20);
        Self {
            parallel,
            prefill_tok_s: rounded(measurement.prefill_tok_s()),
            decode_tok_s: rounded(measurement.decode_tok_s()),
            ttft_ms: rounded(measurement.first_token_ms()),
            rss_mib: peak.map(|bytes| rounded(bytes as f64 / mebibyte)),
        }
    }
}

impl Report {
    pub(super) fn new(heading: Heading, json: bool) -> Self {
        Self {
            heading,
            json,
            begun: false,
        }
    }

    /// Writes one row, and before the first what they are rows of.
    pub(super) fn print(&mut self, row: &Row) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            let model = &self.heading.model;
            let line = serde_json::to_string(&Line { model, row })?;
            return writeln!(out, "{line}");
        }
        if !self.begun {
            self.begun = true;
            self.print_heading(&mut out)?;
        }
        let memory = row.rss_mib.map(|mib| format!("{mib:.1} MiB"));
        writeln!(
            out,
            "{:>8}  {:>13.1}  {:>12.1}  {:>11}  {:>12}",
            row.parallel,
            row.prefill_tok_s,
            row.decode_tok_s,
            format!("{:.1} ms", row.ttft_ms),
            memory.as_deref().unwrap_or("not known"),
        )
    }

    fn print_heading(&self, out: &mut impl Write) -> io::Result<()> {
        let Heading {
            model,
            prompt,
            generate,
            repeat,
        } = &self.heading;
        let times = match repeat {
            1 => "measured once".to_owned(),
            repeat => format!("medians of {repeat}"),
        };
        writeln!(
            out,
            "{model}: prompts of {prompt} tokens, {generate} generated, {times}\n"
        )?;
        writeln!(
            out,
            "parallel  prefill tok/s  decode tok/s  first token   peak memory"
        )
    }
}

/// To a tenth: more would be noise.
fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}
