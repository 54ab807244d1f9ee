//! Diagnostics: what the program says of its own work, to standard error, off unless somebody asks.

use std::io;

use tracing_subscriber::filter::EnvFilter;

use crate::authority;

/// Raises diagnostics like `-v` does, with the syntax of tracing's filters (spec section 6).
const VARIABLE: &str = "SMCP_LOG";

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
