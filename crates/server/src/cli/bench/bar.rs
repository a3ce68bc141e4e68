//! The bar of a benchmark, for those who have waited for two seconds.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows how far a benchmark is once it takes long; nothing when no terminal is there.
pub(super) struct BenchBar {
    bar: ProgressBar,
    /// Dropped to tell the thread that shows the bar that it is too late.
    running: Option<Sender<()>>,
    showing: Option<JoinHandle<()>>,
}

impl BenchBar {
    pub(super) fn new(passes: u64) -> Self {
        let style = ProgressStyle::with_template("measuring {bar:30} {pos}/{len} {elapsed}");
        let bar = ProgressBar::with_draw_target(Some(passes), ProgressDrawTarget::hidden())
            .with_style(style.expect("the template is well-formed"));
        let (running, wait) = mpsc::channel::<()>();
        let shown = bar.clone();
        let showing = thread::spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(250));
            }
        });
        Self {
            bar,
            running: Some(running),
            showing: Some(showing),
        }
    }

    /// One pass is done.
    pub(super) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Prints something without the bar in its way.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for BenchBar {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(showing) = self.showing.take() {
            let _ = showing.join();
        }
        self.bar.finish_and_clear();
    }
}
