//! A progress bar on standard error: only on a terminal, and only once a run lasts.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts what is done; draws itself once the run has lasted two seconds.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    is_shown: Cell<bool>,
}

impl Progress {
    /// A bar for this many things to do.
    pub(crate) fn new(things: usize, noun: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(things as u64), ProgressDrawTarget::hidden());
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(noun);
        Self { bar, begun: Instant::now(), is_shown: Cell::new(false) }
    }

    /// This many are done.
    pub(crate) fn at(&self, done: usize) {
        if !self.is_shown.get() && self.begun.elapsed() >= PATIENCE {
            self.is_shown.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
