//! The bar of a measurement, for those who have waited for two seconds.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows how far a measurement is once it takes long; nothing when no terminal is there.
pub(in crate::cli) struct MeasuringBar {
    bar: ProgressBar,
    /// Dropped to tell the thread that shows the bar that it is too late.
    running: Option<Sender<()>>,
    showing: Option<JoinHandle<()>>,
}

impl MeasuringBar {
    pub(in crate::cli) fn new(passes: u64) -> Self {
        Self::of("measuring", passes)
    }

    /// A bar of something that has to be done before measuring can begin.
    pub(in crate::cli) fn of(what: &'static str, steps: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {elapsed}");
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden())
            .with_style(style.expect("the template is well-formed"))
            .with_message(what);
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
    pub(in crate::cli) fn advance(&self) {
        self.advance_by(1);
    }

    /// So many passes are done.
    pub(in crate::cli) fn advance_by(&self, passes: u64) {
        self.bar.inc(passes);
    }

    /// Prints something without the bar in its way.
    pub(in crate::cli) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for MeasuringBar {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(showing) = self.showing.take() {
            let _ = showing.join();
        }
        self.bar.finish_and_clear();
    }
}
