//! What an answer costs: processor time, and joules measured or estimated from it.
//!
//! Time and energy are those of the whole process, or machine, while answers are made, shared
//! out equally among the answers that are in the making at each moment.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

/// Shares out the energy among answers.
pub(crate) struct EnergyMeter {
    rapl: Rapl,
    watts_per_core: f64,
    state: Mutex<State>,
}

/// Running totals.
#[derive(Clone, Copy, Default)]
struct State {
    running: usize,
    last: Reading,
    /// What an answer would have been charged that ran from the very beginning.
    charged: Reading,
}

/// Two clocks that only go forward.
#[derive(Clone, Copy, Default)]
struct Reading {
    cpu_seconds: f64,
    joules: f64,
}

/// An answer in the making; while it lives, it has its share.
pub(crate) struct Metered {
    meter: Arc<EnergyMeter>,
    began: Reading,
}

/// What an answer took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spent {
    /// Seconds of one processor core.
    pub(crate) cpu_seconds: f64,
    /// Joules.
    pub(crate) joules: f64,
    /// They were measured (by RAPL), and are those of the processor package, whoever used it;
    /// otherwise they are the processor time of this program times the watts of a core.
    pub(crate) measured: bool,
}

impl EnergyMeter {
    /// Where the machine measures its energy, that; else `watts_per_core` for each busy core.
    pub(crate) fn new(watts_per_core: f64) -> Arc<Self> {
        Arc::new(Self {
            rapl: Rapl::find(Path::new("/sys/class/powercap")),
            watts_per_core,
            state: Mutex::default(),
        })
    }

    /// An answer begins.
    pub(crate) fn begin(self: &Arc<Self>) -> Metered {
        let mut state = self.advance();
        state.running += 1;
        Metered {
            began: state.charged,
            meter: Arc::clone(self),
        }
    }

    /// Charges what was used since the last call to those that were running.
    fn advance(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Reading {
            cpu_seconds: cpu_seconds(),
            joules: self.rapl.joules(state.last.joules),
        };
        if state.running > 0 {
            let sharers = state.running as f64;
            state.charged.cpu_seconds += (now.cpu_seconds - state.last.cpu_seconds) / sharers;
            state.charged.joules += (now.joules - state.last.joules) / sharers;
        }
        state.last = now;
        state
    }
}

impl Metered {
    /// What the answer took so far.
    pub(crate) fn spent(&self) -> Spent {
        let charged = self.meter.advance().charged;
        let cpu_seconds = charged.cpu_seconds - self.began.cpu_seconds;
        let measured = self.meter.rapl.is_there();
        Spent {
            cpu_seconds,
            joules: match measured {
                true => charged.joules - self.began.joules,
                false => cpu_seconds * self.meter.watts_per_core,
            },
            measured,
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.meter.advance().running -= 1;
    }
}

/// Seconds of processor time that this process has used.
fn cpu_seconds() -> f64 {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(unix))]
    0.0
}

/// Intel's and AMD's energy counters, as Linux shows them under `/sys/class/powercap`
/// (Documentation/power/powercap): microjoules that wrap around.
struct Rapl {
    packages: Vec<Mutex<Package>>,
}

struct Package {
    counter: PathBuf,
    wraps_at: u64,
    last: u64,
    joules: f64,
}

impl Rapl {
    /// The packages that can be read; often that needs root.
    fn find(folder: &Path) -> Self {
        let zones = fs::read_dir(folder).into_iter().flatten().flatten();
        let packages = zones.filter_map(|zone| Package::open(&zone.path()).ok().flatten());
        Self {
            packages: packages.map(Mutex::new).collect(),
        }
    }

    fn is_there(&self) -> bool {
        !self.packages.is_empty()
    }

    /// All packages together, not before `last`.
    fn joules(&self, last: f64) -> f64 {
        let packages = self.packages.iter();
        let joules = packages.map(|package| {
            let mut package = package.lock().unwrap_or_else(PoisonError::into_inner);
            package.advance()
        });
        joules.sum::<f64>().max(last)
    }
}

impl Package {
    fn open(zone: &Path) -> io::Result<Option<Self>> {
        if !fs::read_to_string(zone.join("name"))?.starts_with("package-") {
            return Ok(None);
        }
        let counter = zone.join("energy_uj");
        let last = read_number(&counter)?;
        Ok(Some(Self {
            wraps_at: read_number(&zone.join("max_energy_range_uj"))?,
            counter,
            last,
            joules: 0.0,
        }))
    }

    fn advance(&mut self) -> f64 {
        // A counter that cannot be read any more stands still.
        let now = read_number(&self.counter).unwrap_or(self.last);
        let passed = match now >= self.last {
            true => now - self.last,
            false => now + self.wraps_at - self.last,
        };
        self.last = now;
        self.joules += passed as f64 / 1e6;
        self.joules
    }
}

fn read_number(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_share_what_is_used() {
        let meter = EnergyMeter::new(10.0);
        let one = meter.begin();
        let other = meter.begin();
        let started = cpu_seconds();
        while cpu_seconds() < started + 0.05 {
            std::hint::spin_loop();
        }
        let (one, other) = (one.spent(), other.spent());
        let used = cpu_seconds() - started;
        for spent in [one, other] {
            assert!(
                spent.cpu_seconds > 0.02 && spent.cpu_seconds <= used,
                "{spent:?} of {used}"
            );
            assert!(spent.measured || spent.joules == spent.cpu_seconds * 10.0);
        }
    }

    #[test]
    fn counters_wrap_around() {
        let folder = tempfile::tempdir().expect("a folder");
        let zone = folder.path().join("intel-rapl:0");
        fs::create_dir(&zone).expect("a zone");
        let write = |file: &str, text: &str| fs::write(zone.join(file), text).expect("a file");
        write("name", "package-0\n");
        write("max_energy_range_uj", "1000000\n");
        write("energy_uj", "900000\n");
        let rapl = Rapl::find(folder.path());
        assert!(rapl.is_there());
        write("energy_uj", "400000\n");
        assert!((rapl.joules(0.0) - 0.5).abs() < 1e-9);
    }
}
