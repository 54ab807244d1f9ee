//! A progress bar for downloads that are large or slow.
//!
//! The caller says whether the bar is visible. It is drawn on standard error and removed at the end.

use std::time::Instant;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use smcp_model::limits;
use smcp_model::progress::Progress;
use smcp_model::progress::Unwatched;
use smcp_model::text::SafeText;

/// The template for a download of known size.
const BAR: &str = "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec}";
/// The template for one of unknown size.
const COUNT: &str = "{msg} {bytes} {bytes_per_sec}";

/// Returns a bar on standard error, or one that shows nothing.
pub fn watcher(visible: bool) -> Box<dyn Progress> {
    if visible { Box::new(Bar::default()) } else { Box::new(Unwatched) }
}

/// The download under way, if there is one.
#[derive(Debug, Default)]
struct Bar {
    under_way: Option<Download>,
}

#[derive(Debug)]
struct Download {
    what: SafeText,
    total: Option<u64>,
    begun: Instant,
    bytes: u64,
    shown: Option<ProgressBar>,
}

impl Download {
    /// Whether to show a bar. A small download ends before the bar can be read; for one of unknown size, bytes and time
    /// so far decide.
    fn is_worth_showing(&self) -> bool {
        match self.total {
            Some(total) => total > limits::PROGRESS_SIZE,
            None => self.bytes > limits::PROGRESS_SIZE || self.begun.elapsed() > limits::PROGRESS_DELAY,
        }
    }

    fn show(&self) -> ProgressBar {
        let (bar, template) = match self.total {
            Some(total) => (ProgressBar::new(total), BAR),
            None => (ProgressBar::no_length(), COUNT),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        // The templates are constants and tested; the default of `indicatif` is a fallback.
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(self.what.to_string());
        bar
    }
}

impl Progress for Bar {
    fn begin(&mut self, what: &str, total: Option<u64>) {
        let what = SafeText::new(what);
        self.under_way = Some(Download { what, total, begun: Instant::now(), bytes: 0, shown: None });
    }

    fn advance(&mut self, bytes: u64) {
        let Some(download) = &mut self.under_way else { return };
        download.bytes = download.bytes.saturating_add(bytes);
        if download.shown.is_none() && download.is_worth_showing() {
            download.shown = Some(download.show());
        }
        if let Some(bar) = &download.shown {
            bar.set_position(download.bytes);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.under_way.take().and_then(|download| download.shown) {
            bar.finish_and_clear();
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
            (Some(limits::PROGRESS_SIZE), now, 0, false),
            (Some(limits::PROGRESS_SIZE + 1), now, 0, true),
            (Some(10), long_ago, 5, false),
            (None, now, 10, false),
            (None, now, limits::PROGRESS_SIZE + 1, true),
            (None, long_ago, 10, true),
        ];
        for (total, begun, bytes, expected) in cases {
            let download = Download { what: SafeText::new("x"), total, begun, bytes, shown: None };
            assert_eq!(download.is_worth_showing(), expected, "{download:?}");
        }
    }

    #[test]
    fn templates_are_understood() {
        for template in [BAR, COUNT] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
