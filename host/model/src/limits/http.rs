//! Limits of asking a server.

use std::time::Duration;

use crate::limits::KIB;

/// Requests for one thing, at most: a registry that fails three times in a row is down.
pub const TRIES: u32 = 3;
/// The wait before the second request; twice as long before each further one, less a random part, so that clients that
/// failed together don't come back together.
pub const BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that a registry may ask for: one that needs longer is down, and saying so helps more.
pub const RETRY_AFTER: Duration = Duration::from_secs(30);
/// The time for making a connection, TLS included: three tries fit into the default start timeout.
pub const CONNECT: Duration = Duration::from_secs(10);
/// The time within which an answer must begin: three tries leave some of the default start timeout for the rest.
pub const ANSWER: Duration = Duration::from_secs(15);
/// Redirects in a row: storage behind a registry needs one or two.
pub const REDIRECTS: usize = 5;
/// Status line and headers of an answer, bytes.
pub const HEADERS: usize = 64 * KIB;
/// One URL, bytes: URLs that storage signs are long, but none needs more.
pub const URL: usize = 8 * KIB;
/// The most of an error's body that is read, bytes.
pub const ERROR: usize = 4 * KIB;
/// The most of an error's message that is shown, bytes.
pub const ERROR_SHOWN: usize = 200;
/// The most that is read of what the system says about a name, bytes: some hundreds of addresses.
pub const NAME_ANSWER: u64 = 64 * KIB as u64;
