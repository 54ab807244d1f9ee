//! What `probe.py` tries, by what it is against.

/// Tries at files and processes that anybody's program can do, but not after each other.
pub(crate) const FILES: [&str; 18] = [
    "read the key",
    "read it by /proc",
    "read it by openat2",
    "read it by a planted link",
    "link it",
    "write in the home",
    "list the other's data",
    "read the rules",
    "read smcp's variables",
    "see smcp's files",
    "signal smcp",
    "signal smcp by its descriptor",
    "limit smcp",
    "place smcp",
    "slow smcp down",
    "slow all down",
    "empty it",
    "move it",
];
/// Tries that leave no next one, or that take root.
pub(crate) const MORE: [&str; 5] =
    ["remove it", "change the rules", "write beside the program", "make a device", "open smcp's memory"];
pub(crate) const NETWORK: [&str; 7] = [
    "make a socket of IPv4",
    "make a socket of IPv6",
    "make a socket of the kernel's",
    "use a socket of the session",
    "use an abstract socket",
    "make a pair that speaks to others",
    "make a ring",
];
pub(crate) const KERNEL: [&str; 8] = [
    "mount",
    "use keys",
    "load a program",
    "open by a handle",
    "trace smcp",
    "read smcp's memory",
    "take smcp's files",
    "type on a terminal",
];
pub(crate) const NAMESPACES: [&str; 4] =
    ["join a namespace", "make a namespace", "make one with a process", "make one by clone3"];
pub(crate) const PROCESSES: [&str; 5] =
    ["fork", "fork by its number", "start a program", "spawn a program", "become a program"];
/// They take the place of the server when they come of it.
pub(crate) const TAKEN_OVER: [&str; 2] = ["become one of memory", "guess the token"];
/// What every server can do.
pub(crate) const OPEN: [&str; 9] = [
    "start a thread",
    "place itself",
    "run an event loop",
    "make a pair",
    "keep something",
    "read what was kept",
    "use a temporary file",
    "read the machine",
    "read itself",
];

/// What Landlock alone keeps from processes: signals since its sixth version.
pub(crate) const SIGNALS: [&str; 2] = ["signal smcp", "signal smcp by its descriptor"];
/// Limits, places and priorities are the filter's.
pub(crate) const OF_FILTER: [&str; 4] = ["limit smcp", "place smcp", "slow smcp down", "slow all down"];
