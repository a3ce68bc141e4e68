//! The figures of `ibid eval answers`, as a table or as JSON Lines.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::answers::Outcome;
use super::items::{Expected, Item};
use super::measures::{mean, percentile, rounded};
use super::text_measures::{f1, is_exact};

/// The floors that a curve shows.
const FLOORS: [f32; 12] = [
    0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9,
];

/// What was measured of one file, a value for each question it applies to.
#[derive(Default)]
pub(super) struct Tally {
    exact: Vec<f64>,
    f1: Vec<f64>,
    contains: Vec<f64>,
    refused_right: Vec<f64>,
    refused_wrong: Vec<f64>,
    citation_right: Vec<f64>,
    citation_found: Vec<f64>,
    span_right: Vec<f64>,
    span_found: Vec<f64>,
    accounted: Vec<f64>,
    passed: Vec<f64>,
    milliseconds: Vec<f64>,
    /// Whether a question can be answered, and its evidence.
    evidence: Vec<(bool, f32)>,
}

impl Tally {
    /// Counts one question; returns whether it passed.
    pub(super) fn add(&mut self, item: &Item, outcome: &Outcome) -> bool {
        let share = |yes: bool| if yes { 1.0 } else { 0.0 };
        self.milliseconds.push(outcome.milliseconds);
        let shares = |spans: &[bool]| spans.iter().map(|&right| share(right)).collect::<Vec<_>>();
        self.span_right.extend(shares(&outcome.spans.right));
        self.span_found.extend(shares(&outcome.spans.found));
        self.accounted.extend(shares(&outcome.spans.accounted));
        self.evidence.push((!item.unanswerable, outcome.evidence));
        if item.unanswerable {
            self.refused_right.push(share(outcome.refused));
            self.passed.push(share(outcome.refused));
            return outcome.refused;
        }
        self.refused_wrong.push(share(outcome.refused));
        let met = !outcome.refused && item.expected.is_met_by(&outcome.text);
        self.contains.push(share(met));
        self.passed.push(share(met));
        if let Expected::Answers(golds) = &item.expected {
            let answered = share(!outcome.refused);
            self.exact
                .push(answered * share(is_exact(&outcome.text, golds, item.unit)));
            self.f1.push(answered * f1(&outcome.text, golds, item.unit));
        }
        if !item.right.is_empty() {
            let right = outcome.cited.iter().map(|name| is_right(name, &item.right));
            let right: Vec<bool> = right.collect();
            self.citation_found.push(share(right.contains(&true)));
            self.citation_right.extend(right.into_iter().map(share));
        }
        met
    }

    fn columns(&self) -> [(&'static str, Option<f64>); 12] {
        [
            ("em", mean(&self.exact)),
            ("f1", mean(&self.f1)),
            ("contains", mean(&self.contains)),
            ("refused_right", mean(&self.refused_right)),
            ("refused_wrong", mean(&self.refused_wrong)),
            ("citation_precision", mean(&self.citation_right)),
            ("citation_recall", mean(&self.citation_found)),
            ("span_precision", mean(&self.span_right)),
            ("span_recall", mean(&self.span_found)),
            ("accounted", mean(&self.accounted)),
            ("passed", mean(&self.passed)),
            ("ms_p50", percentile(&self.milliseconds, 0.5)),
        ]
    }

    /// The share of the questions of one kind whose evidence is below the floor.
    fn refused_below(&self, floor: f32, answerable: bool) -> Option<f64> {
        let of_kind = self.evidence.iter().filter(|(kind, _)| *kind == answerable);
        let refused: Vec<f64> = of_kind
            .map(|(_, evidence)| if *evidence < floor { 1.0 } else { 0.0 })
            .collect();
        mean(&refused)
    }
}

/// A set names a file with or without its ending, and never its folder.
fn is_right(cited: &str, right: &[String]) -> bool {
    let path = Path::new(cited);
    let names = [path.file_name(), path.file_stem()];
    let mut names = names
        .into_iter()
        .flatten()
        .map(|name| name.to_string_lossy());
    right.iter().any(|right| right == cited)
        || names.any(|name| right.iter().any(|right| *right == name))
}

/// Prints figures as they come.
pub(super) struct Report {
    json: bool,
    curve: bool,
    printed: bool,
}

impl Report {
    pub(super) fn new(json: bool, curve: bool) -> Self {
        Self {
            json,
            curve,
            printed: false,
        }
    }

    /// Prints one file.
    pub(super) fn print(&mut self, set: &str, tally: &Tally) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let columns = tally.columns();
        if self.json {
            let mut line = json!({"set": set, "n": tally.passed.len()});
            for (name, value) in columns {
                line[name] = value.map_or(Value::Null, |value| rounded(value).into());
            }
            writeln!(out, "{line}")?;
        } else {
            if !self.printed || self.curve {
                print_heading(&mut out)?;
            }
            write!(out, "{set:<20} {:>6}", tally.passed.len())?;
            for (_, value) in columns {
                let value = value.map_or("–".to_owned(), |value| format!("{value:.3}"));
                write!(out, " {value:>9}")?;
            }
            writeln!(out)?;
        }
        self.printed = true;
        if self.curve {
            self.print_curve(&mut out, set, tally)?;
        }
        Ok(())
    }

    fn print_curve(&self, out: &mut impl Write, set: &str, tally: &Tally) -> io::Result<()> {
        for floor in FLOORS {
            let right = tally.refused_below(floor, false);
            let wrong = tally.refused_below(floor, true);
            if self.json {
                let line = json!({
                    "set": set, "evidence_floor": rounded(floor.into()),
                    "refused_right": right.map(rounded), "refused_wrong": wrong.map(rounded),
                });
                writeln!(out, "{line}")?;
                continue;
            }
            let percent = |share: Option<f64>| {
                share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0))
            };
            writeln!(
                out,
                "  evidence_floor {floor:.2} refuses {:>7} of the unanswerable, {:>7} of the answerable",
                percent(right),
                percent(wrong)
            )?;
        }
        Ok(())
    }
}

/// Two lines of names over the columns.
const HEADINGS: [[&str; 12]; 2] = [
    [
        "", "", "", "refused", "refused", "citation", "citation", "span", "span", "", "", "ms",
    ],
    [
        "em",
        "f1",
        "contains",
        "right",
        "wrong",
        "precision",
        "recall",
        "precision",
        "recall",
        "accounted",
        "passed",
        "p50",
    ],
];

fn print_heading(out: &mut impl Write) -> io::Result<()> {
    let [above, below] = HEADINGS;
    for (set, n, names) in [("", "", above), ("set", "n", below)] {
        write!(out, "{set:<20} {n:>6}")?;
        for name in names {
            write!(out, " {name:>9}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
