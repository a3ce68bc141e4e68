//! A bar in the terminal for anything that may take more than a moment.

use indicatif::{ProgressBar, ProgressStyle};
use library::Progress;

/// Shows how far indexing is; nothing when no terminal is there to show it.
pub(super) struct IndexingBar(ProgressBar);

impl IndexingBar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("indexing {bar:30} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
        Self(bar)
    }

    pub(super) fn show(&self, progress: &Progress) {
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
        self.0
            .set_message(progress.current.clone().unwrap_or_default());
    }

    /// Says something beside the answer.
    pub(super) fn note(&self, text: &str) {
        self.0.suspend(|| eprintln!("{text}"));
    }

    /// Shows how many files have no vectors yet.
    pub(super) fn show_embedding(&self, files_left: u64) {
        let total = self.0.length().unwrap_or(0).max(files_left);
        self.0.set_length(total);
        self.0.set_position(total - files_left);
        self.0
            .set_message("embedding; --embedder none does without");
    }
}

impl Drop for IndexingBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
