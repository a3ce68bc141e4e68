//! The vectors nearest to a query's: all are compared in 8 bits, the best again exactly.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::thread;

use super::Vectors;
use super::dot::Quantised;
use super::segment::{Segment, unit};
use super::snapshot::Snapshot;

/// So many times more vectors are compared exactly than are asked for: 8 bits put a vector a few
/// places wrong, not hundreds.
const RESCORED: usize = 4;

/// Rows whose products are computed in one go; their sums stay in the cache.
const BLOCK: usize = 512;

/// A thread more is worth its start from so many numbers on.
const NUMBERS_PER_THREAD: usize = 16_000_000;

/// Most threads of one search; more would only wait for the memory.
const MAX_THREADS: usize = 4;

/// What a search by meaning found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Nearest {
    /// The passages of the nearest vectors, nearest first, each once.
    pub neighbours: Vec<Neighbour>,
    /// The mean cosine over all vectors that were compared.
    pub mean: f32,
    /// The standard deviation of those cosines.
    pub deviation: f32,
}

/// A passage near to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The passage's file.
    pub file_id: String,
    /// The passage's first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The cosine of the angle between passage and query, -1 to 1.
    pub cosine: f32,
}

impl Vectors {
    /// The `count` passages nearest to `vector`, among the files that `allows` lets through.
    /// Empty when the vector is of another length, as that of another model.
    pub fn nearest(
        &self,
        vector: &[f32],
        count: usize,
        allows: &(dyn Fn(&str) -> bool + Sync),
    ) -> Nearest {
        let snapshot = self.snapshot();
        if vector.len() != snapshot.manifest.origin.probe.len() || count == 0 {
            return Nearest::default();
        }
        let vector = unit(vector);
        let runs = runs(&snapshot, allows);
        let scan = scan(&runs, &vector, count * RESCORED);
        let mut found: Vec<_> = scan.best.into_sorted_vec();
        let mut best: HashMap<(&str, usize, usize), f32> = HashMap::new();
        for Reverse(candidate) in found.drain(..) {
            let segment = runs[candidate.run].segment;
            let (start, end) = segment.span(candidate.row);
            let file = segment
                .files
                .partition_point(|file| file.rows.end <= candidate.row);
            let cosine = segment.cosine(&vector, candidate.row);
            let known = best.entry((&segment.files[file].file_id, start, end));
            let known = known.or_insert(f32::MIN);
            *known = known.max(cosine);
        }
        let neighbours = best
            .into_iter()
            .map(|((file_id, start, end), cosine)| Neighbour {
                file_id: file_id.to_owned(),
                start,
                end,
                cosine,
            });
        let mut neighbours: Vec<_> = neighbours.collect();
        neighbours.sort_by(nearer);
        neighbours.truncate(count);
        let (mean, deviation) = scan.cosines.mean_and_deviation();
        Nearest {
            neighbours,
            mean,
            deviation,
        }
    }

    /// The cosine between `vector` and each of some passages (file, start, end); `None` where a
    /// passage has no vector.
    pub fn cosines(&self, vector: &[f32], passages: &[(&str, usize, usize)]) -> Vec<Option<f32>> {
        let snapshot = self.snapshot();
        if vector.len() != snapshot.manifest.origin.probe.len() {
            return vec![None; passages.len()];
        }
        let vector = unit(vector);
        let cosine = |&(file_id, start, end): &(&str, usize, usize)| {
            let (segment, file) = snapshot.find(file_id)?;
            let rows = file.rows.clone();
            let of_passage = rows.filter(|row| segment.span(*row) == (start, end));
            let cosines = of_passage.map(|row| segment.cosine(&vector, row));
            cosines.max_by(f32::total_cmp)
        };
        passages.iter().map(cosine).collect()
    }
}

fn nearer(one: &Neighbour, other: &Neighbour) -> Ordering {
    let place = |neighbour: &Neighbour| (neighbour.start, neighbour.end);
    let by_cosine = other.cosine.total_cmp(&one.cosine);
    by_cosine
        .then_with(|| one.file_id.cmp(&other.file_id))
        .then_with(|| place(one).cmp(&place(other)))
}

/// Neighbouring rows of one segment that are all to be compared.
struct Run<'a> {
    segment: &'a Segment,
    rows: Range<usize>,
}

/// The rows that count and are allowed.
fn runs<'a>(snapshot: &'a Snapshot, allows: &dyn Fn(&str) -> bool) -> Vec<Run<'a>> {
    let mut runs = Vec::<Run<'a>>::new();
    for (segment, file) in snapshot.living() {
        if !allows(&file.file_id) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if std::ptr::eq(run.segment, segment) && run.rows.end == file.rows.start => {
                run.rows.end = file.rows.end;
            }
            _ => runs.push(Run {
                segment,
                rows: file.rows.clone(),
            }),
        }
    }
    runs
}

/// A row that may be among the best.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    /// The cosine in 8 bits.
    about: f32,
    run: usize,
    row: usize,
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |candidate: &Self| Reverse((candidate.run, candidate.row));
        let by_cosine = self.about.total_cmp(&other.about);
        by_cosine.then_with(|| place(self).cmp(&place(other)))
    }
}

/// What comparing some rows came to.
#[derive(Default)]
struct Scan {
    /// The best so far, the worst of them on top.
    best: BinaryHeap<Reverse<Candidate>>,
    cosines: Moments,
}

#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn mean_and_deviation(self) -> (f32, f32) {
        if self.count == 0.0 {
            return (0.0, 0.0);
        }
        let mean = self.sum / self.count;
        let variance = (self.squares / self.count - mean * mean).max(0.0);
        (mean as f32, variance.sqrt() as f32)
    }
}

/// The best `count` rows of all runs.
fn scan(runs: &[Run], vector: &[f32], count: usize) -> Scan {
    let rows: usize = runs.iter().map(|run| run.rows.len()).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let worth = rows * vector.len() / NUMBERS_PER_THREAD;
    let threads = worth.clamp(1, cores.min(MAX_THREADS));
    let query = Quantised::new(vector);
    if threads == 1 {
        return scan_share(runs, &query, count, 0..rows);
    }
    let share = rows.div_ceil(threads);
    let query = &query;
    let scans = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let rows = worker * share..((worker + 1) * share).min(rows);
                scope.spawn(move || scan_share(runs, query, count, rows))
            })
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Scan>| {
            worker.join().expect("comparing vectors does not panic")
        };
        workers.into_iter().map(join).collect::<Vec<_>>()
    });
    let mut all = Scan::default();
    for scan in scans {
        all.cosines.count += scan.cosines.count;
        all.cosines.sum += scan.cosines.sum;
        all.cosines.squares += scan.cosines.squares;
        for Reverse(candidate) in scan.best {
            all.keep(candidate, count);
        }
    }
    all
}

/// Compares the rows of the runs from `share.start` to `share.end`, counted through all runs.
fn scan_share(runs: &[Run], query: &Quantised, count: usize, share: Range<usize>) -> Scan {
    let vector: Vec<i16> = query.numbers.iter().copied().map(i16::from).collect();
    let mut products = [0; BLOCK];
    let mut scan = Scan::default();
    let mut passed = 0;
    for (index, run) in runs.iter().enumerate() {
        let of_run = passed..passed + run.rows.len();
        passed = of_run.end;
        let from = share.start.max(of_run.start);
        let to = share.end.min(of_run.end);
        let mut row = run.rows.start + from.saturating_sub(of_run.start);
        let end = run.rows.start + to.saturating_sub(of_run.start);
        while from < to && row < end {
            let rows = row..end.min(row + BLOCK);
            let products = &mut products[..rows.len()];
            run.segment.products(&vector, rows.clone(), products);
            let scales = run.segment.scales(rows.clone());
            for ((row, product), scale) in rows.clone().zip(products).zip(scales) {
                let about = *product as f32 * scale * query.scale;
                scan.cosines.add(about);
                let run = index;
                scan.keep(Candidate { about, run, row }, count);
            }
            row = rows.end;
        }
    }
    scan
}

impl Moments {
    fn add(&mut self, cosine: f32) {
        let cosine = f64::from(cosine);
        self.count += 1.0;
        self.sum += cosine;
        self.squares += cosine * cosine;
    }
}

impl Scan {
    fn keep(&mut self, candidate: Candidate, count: usize) {
        if self.best.len() < count {
            self.best.push(Reverse(candidate));
        } else if let Some(mut worst) = self.best.peek_mut()
            && worst.0 < candidate
        {
            *worst = Reverse(candidate);
        }
    }
}
