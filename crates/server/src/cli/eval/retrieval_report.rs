//! The figures of `ibid eval retrieval`, as a table or as JSON Lines.

use std::io::{self, Write};

use serde_json::json;

use super::measures::{mean, percentile, rounded};
use super::mode::Mode;

/// What was measured of one collection in one mode, a value for each query.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) ndcg: Vec<f64>,
    pub(super) recall: Vec<f64>,
    pub(super) reciprocal_rank: Vec<f64>,
    pub(super) milliseconds: Vec<f64>,
    pub(super) index_bytes: u64,
}

/// Prints figures as they come, and their mean at the end.
pub(super) struct Report {
    json: bool,
    rows: Vec<(Mode, [f64; 3])>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
        }
    }

    /// Prints one collection in one mode.
    pub(super) fn print(&mut self, set: &str, mode: Mode, figures: &Figures) -> io::Result<()> {
        let queries = figures.ndcg.len();
        let quality = [&figures.ndcg, &figures.recall, &figures.reciprocal_rank]
            .map(|values| mean(values).unwrap_or(0.0));
        let [ndcg, recall, mrr] = quality;
        let p50 = percentile(&figures.milliseconds, 0.50).unwrap_or(0.0);
        let p99 = percentile(&figures.milliseconds, 0.99).unwrap_or(0.0);
        let mib = figures.index_bytes as f64 / (1024.0 * 1024.0);
        let mut out = io::stdout().lock();
        if self.json {
            let line = json!({
                "set": set, "mode": mode.name(), "queries": queries,
                "ndcg@10": rounded(ndcg), "recall@5": rounded(recall), "mrr": rounded(mrr),
                "ms_p50": rounded(p50), "ms_p99": rounded(p99), "index_mib": rounded(mib),
            });
            return writeln!(out, "{line}");
        }
        if self.rows.is_empty() {
            writeln!(
                out,
                "{:<20} {:<9} {:>7} {:>8} {:>9} {:>6} {:>8} {:>8} {:>10}",
                "set",
                "mode",
                "queries",
                "ndcg@10",
                "recall@5",
                "mrr",
                "ms p50",
                "ms p99",
                "index MiB"
            )?;
        }
        self.rows.push((mode, quality));
        writeln!(
            out,
            "{set:<20} {:<9} {queries:>7} {ndcg:>8.3} {recall:>9.3} {mrr:>6.3} {p50:>8.2} {p99:>8.2} {mib:>10.2}",
            mode.name()
        )
    }

    /// Below the table of several collections, the mean of each mode.
    pub(super) fn finish(&self) {
        let mut modes: Vec<Mode> = Vec::new();
        for (mode, _) in &self.rows {
            if !modes.contains(mode) {
                modes.push(*mode);
            }
        }
        for mode in modes {
            let rows = self.rows.iter().filter(|(of, _)| *of == mode);
            let rows: Vec<[f64; 3]> = rows.map(|(_, quality)| *quality).collect();
            if rows.len() < 2 {
                continue;
            }
            let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<_>>();
            let [ndcg, recall, mrr] = [0, 1, 2].map(|at| mean(&column(at)).unwrap_or(0.0));
            let (mean, name) = ("mean of the sets", mode.name());
            println!(
                "{mean:<20} {name:<9} {:>7} {ndcg:>8.3} {recall:>9.3} {mrr:>6.3}",
                ""
            );
        }
    }
}
