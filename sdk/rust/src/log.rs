//! Lines for the person who debugs the policy; smcp shows them with `-v`.
//!
//! smcp ends a policy that logs more than 4 KiB in a line, or more than 200 lines or 64 KiB in an evaluation. These
//! functions stay below that: a long line is cut, and lines beyond the budget are dropped, so logging never breaks a
//! policy.

use crate::text::MAX_BYTES;
use crate::text::fit;

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For the author of the policy.
    Debug,
    /// For a person who wants to know how the policy decides.
    Info,
    /// Something looks wrong, and the verdict says so too.
    Warn,
    /// The policy could not do its work.
    Error,
}

/// Logs a line for the author of the policy.
pub fn debug(message: impl Into<String>) {
    write(Level::Debug, message.into());
}

/// Logs a line for a person who wants to know how the policy decides.
pub fn info(message: impl Into<String>) {
    write(Level::Info, message.into());
}

/// Logs that something looks wrong. The verdict should say so too, because the log may stay unread.
pub fn warn(message: impl Into<String>) {
    write(Level::Warn, message.into());
}

/// Logs that the policy could not do its work.
pub fn error(message: impl Into<String>) {
    write(Level::Error, message.into());
}

fn write(level: Level, mut message: String) {
    fit(&mut message, MAX_BYTES);
    if budget::take(message.len()) {
        sink::write(level, message);
    }
}

/// The budget of one evaluation. An instance lives for one call, so every call starts with a full one.
mod budget {
    use std::cell::Cell;

    /// Lines: the bound that `wit/policy.wit` states.
    pub(super) const LINES: usize = 200;
    /// Bytes of all lines together: the bound that `wit/policy.wit` states.
    pub(super) const BYTES: usize = 64 * 1024;

    thread_local! {
        static LEFT: Cell<(usize, usize)> = const { Cell::new((LINES, BYTES)) };
    }

    /// Takes one line off the budget, if there is enough left.
    pub(super) fn take(bytes: usize) -> bool {
        LEFT.with(|left| {
            let (lines, total) = left.get();
            let rest = lines.checked_sub(1).zip(total.checked_sub(bytes));
            left.set(rest.unwrap_or((lines, total)));
            rest.is_some()
        })
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn refill() {
        LEFT.set((LINES, BYTES));
    }
}

#[cfg(target_arch = "wasm32")]
mod sink {
    use crate::bindings::smcp::policy::logging;
    use crate::log::Level;

    pub(super) fn write(level: Level, message: String) {
        logging::log(level, &message);
    }
}

/// Keeps the lines for the tests: a native build has no host.
#[cfg(not(target_arch = "wasm32"))]
mod sink {
    use std::cell::RefCell;

    use crate::log::Level;

    thread_local! {
        static CAPTURED: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn write(level: Level, message: String) {
        CAPTURED.with_borrow_mut(|lines| lines.push((level, message)));
    }

    pub(super) fn drain() -> Vec<(Level, String)> {
        CAPTURED.take()
    }
}

/// Calls a function with the log of a new evaluation; returns its value and the lines that it logged.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn capture<T>(run: impl FnOnce() -> T) -> (T, Vec<(Level, String)>) {
    budget::refill();
    sink::drain();
    let result = run();
    (result, sink::drain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_stays_within_the_budget() {
        let ((), lines) = capture(|| (0..10_000).for_each(|number| info(number.to_string())));
        assert_eq!(lines.len(), budget::LINES);
        assert_eq!(lines[199], (Level::Info, "199".to_owned()));

        let ((), lines) = capture(|| (0..100).for_each(|_| warn("x".repeat(1 << 20))));
        assert_eq!(lines.iter().map(|(_, line)| line.len()).sum::<usize>(), budget::BYTES);
        assert_eq!(lines.len(), budget::BYTES / crate::text::MAX_BYTES);
    }

    #[test]
    fn every_evaluation_starts_with_a_full_budget_and_its_own_lines() {
        for _ in 0..3 {
            let ((), lines) = capture(|| (0..budget::LINES).for_each(|_| debug("line")));
            assert_eq!(lines.len(), budget::LINES);
        }
        error("outside of a capture");
        assert_eq!(capture(|| ()).1, []);
    }
}
