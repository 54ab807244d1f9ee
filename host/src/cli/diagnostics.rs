//! Diagnostics: what the program says of its own work, to standard error, off unless somebody asks.

use std::io;
use std::panic;
use std::thread;

use tracing_subscriber::filter::EnvFilter;

use crate::authority;

/// Raises diagnostics like `-v` does, with the syntax of tracing's filters (spec section 6).
const VARIABLE: &str = "SMCP_LOG";

/// The name of the threads that policies are evaluated on.
const EVALUATION: &str = "policy";

/// Keeps a panic of an evaluation out of the answer: it is a fault of that policy, which is reported as such.
pub(super) fn keep_evaluation_quiet() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() == Some(EVALUATION) {
            tracing::error!(%panic, "an evaluation panicked");
        } else {
            loud(panic);
        }
    }));
}

/// Turns diagnostics on: `-v` for what happens, `-vv` for why, `SMCP_LOG` for a choice of one's own. What a policy
/// logs is under the target `smcp::policy`.
///
/// Returns what is wrong with `SMCP_LOG`, when something is; it is then not followed.
pub(super) fn listen(verbose: u8) -> Option<String> {
    let level = match verbose {
        0 => "off",
        1 => "smcp=info",
        _ => "smcp=debug",
    };
    let chosen = authority::variable(VARIABLE).map(|text| EnvFilter::try_new(text.to_string_lossy()));
    let (filter, problem) = match chosen {
        None => (EnvFilter::new(level), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(level), Some(format!("{VARIABLE} is not followed: {error}"))),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false);
    // There is one already only when the library is used by a test.
    drop(subscriber.without_time().try_init());
    problem
}
