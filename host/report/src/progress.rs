//! A progress bar for downloads that are large or slow, and for compiling.
//!
//! The caller says whether the bar is visible. It is drawn on standard error and removed at the end.

use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use smcp_model::limits;
use smcp_model::number;
use smcp_model::progress::Progress;
use smcp_model::progress::Unwatched;
use smcp_model::text::SafeText;

/// The template for a download of known size.
const BAR: &str = "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec}";
/// The template for one of unknown size.
const COUNT: &str = "{msg} {bytes} {bytes_per_sec}";

/// The template for other work than a download.
const STEPS: &str = "{msg} {pos}/{len}";

/// Returns a bar on standard error, or one that shows nothing.
pub fn watcher(visible: bool) -> Box<dyn Progress> {
    if visible { Box::new(Bar::default()) } else { Box::new(Unwatched) }
}

/// The work under way, if there is some.
#[derive(Debug, Default)]
struct Bar {
    under_way: Option<Work>,
}

#[derive(Debug)]
struct Work {
    amount: Amount,
    begun: Instant,
    done: u64,
    /// It is there from the beginning, unseen: how fast the work goes is measured from there.
    bar: ProgressBar,
    is_shown: bool,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
enum Amount {
    /// A download of so many bytes, when that is known.
    Bytes(Option<u64>),
    /// So many steps.
    Steps(u64),
}

impl Work {
    fn of(what: &str, amount: Amount) -> Self {
        let (total, template) = match amount {
            Amount::Bytes(Some(total)) => (Some(total), BAR),
            Amount::Bytes(None) => (None, COUNT),
            Amount::Steps(steps) => (Some(steps), STEPS),
        };
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        // The templates are constants and tested; the default of `indicatif` is a fallback.
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(SafeText::new(what).to_string());
        Self { amount, begun: Instant::now(), done: 0, bar, is_shown: false }
    }

    /// Whether to show a bar. A small download ends before the bar can be read; for one of unknown size, bytes and time
    /// so far decide, and for other work the time.
    fn is_worth_showing(&self) -> bool {
        match self.amount {
            Amount::Bytes(Some(total)) => total > limits::PROGRESS_SIZE,
            Amount::Bytes(None) => self.done > limits::PROGRESS_SIZE || self.begun.elapsed() > limits::PROGRESS_DELAY,
            Amount::Steps(_) => self.begun.elapsed() > limits::compiling::SHOWN,
        }
    }
}

impl Progress for Bar {
    fn begin(&mut self, what: &str, total: Option<u64>) {
        self.under_way = Some(Work::of(what, Amount::Bytes(total)));
    }

    fn begin_steps(&mut self, what: &str, steps: usize) {
        self.under_way = Some(Work::of(what, Amount::Steps(number::wide(steps))));
    }

    fn advance(&mut self, more: u64) {
        let Some(work) = &mut self.under_way else { return };
        work.done = work.done.saturating_add(more);
        if !work.is_shown && work.is_worth_showing() {
            work.bar.set_draw_target(ProgressDrawTarget::stderr());
            work.is_shown = true;
        }
        work.bar.set_position(work.done);
    }

    fn end(&mut self) {
        if let Some(work) = self.under_way.take() {
            work.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_takes_long_is_shown() {
        let long_ago = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let now = Instant::now();
        let cases = [
            (Amount::Bytes(Some(limits::PROGRESS_SIZE)), now, 0, false),
            (Amount::Bytes(Some(limits::PROGRESS_SIZE + 1)), now, 0, true),
            (Amount::Bytes(Some(10)), long_ago, 5, false),
            (Amount::Bytes(None), now, 10, false),
            (Amount::Bytes(None), now, limits::PROGRESS_SIZE + 1, true),
            (Amount::Bytes(None), long_ago, 10, true),
            (Amount::Steps(100), now, 99, false),
            (Amount::Steps(1), long_ago, 0, true),
        ];
        for (amount, begun, done, expected) in cases {
            let work = Work { begun, done, ..Work::of("x", amount) };
            assert_eq!(work.is_worth_showing(), expected, "{work:?}");
        }
    }

    #[test]
    fn templates_are_understood() {
        for template in [BAR, COUNT, STEPS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
