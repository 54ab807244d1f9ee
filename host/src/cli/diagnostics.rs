//! Diagnostics: a log of smcp's own work, which is off by default.

use std::io;
use std::panic;
use std::thread;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use smcp_model::policy::EVALUATION_THREAD;
use smcp_pipeline::System;

/// The variable that turns diagnostics on as `-v` does, with levels for targets (spec section 6).
const VARIABLE: &str = "SMCP_LOG";

/// Keeps the message of a panic in an evaluation off standard error: it is a fault of that policy, and reported as one.
pub(super) fn keep_evaluation_quiet() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() == Some(EVALUATION_THREAD) {
            tracing::error!(%panic, "an evaluation panicked");
        } else {
            loud(panic);
        }
    }));
}

/// Turns diagnostics on: `-v` for what happens, `-vv` for why, `SMCP_LOG` for a filter of the user's. What a policy
/// logs has the target `smcp::policy`.
///
/// Returns what is wrong with `SMCP_LOG`, when it is not a valid filter; it is ignored then.
pub(super) fn enable(verbose: u8, system: &System) -> Option<String> {
    let level = match verbose {
        0 | 1 => Level::INFO,
        _ => Level::DEBUG,
    };
    if verbose == 0 && system.variable(VARIABLE).is_none() {
        return None;
    }
    let usual = || Targets::new().with_target("smcp", level);
    let chosen = system.variable(VARIABLE).map(|text| text.to_string_lossy().parse::<Targets>());
    let (filter, problem) = match chosen {
        None => (usual(), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (usual(), Some(format!("{VARIABLE} is not followed: {error}"))),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false).without_time();
    // There is a subscriber already only when a test uses the library.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    problem
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Only the names of the threads are checked; a panic of another test goes on to the earlier hook.
    #[test]
    fn a_panic_of_an_evaluation_is_quiet_and_every_other_is_heard() {
        const ANOTHER: &str = "a planted panic";
        let (heard, panics) = mpsc::channel();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| match thread::current().name() {
            // The receiver is gone when the test is over.
            Some(name @ (EVALUATION_THREAD | ANOTHER)) => _ = heard.send(name.to_owned()),
            _ => before(panic),
        }));
        keep_evaluation_quiet();
        for name in [EVALUATION_THREAD, ANOTHER] {
            let panicking = thread::Builder::new().name(name.to_owned()).spawn(|| panic!("planted"));
            assert!(panicking.unwrap().join().is_err());
        }
        assert_eq!(panics.try_iter().collect::<Vec<_>>(), [ANOTHER]);
    }
}
