//! Limits of what is noted of a server that is observed.

use std::time::Duration;

use super::MIB;

/// Different paths, or addresses, that are noted: those of a large server of Node are a tenth of it.
pub const PATHS: usize = 65_536;
/// Hosts that are noted; a server that reaches more asks for `*`.
pub const HOSTS: usize = 4096;
/// Ports beside 80 and 443 on which hosts are reached; connections to others are refused.
pub const PORTS: usize = 64;
/// The time that the first connection waits for what it is answered by: the start is a matter of milliseconds.
pub const START: Duration = Duration::from_secs(5);
/// The time after which it is looked again who listens on this machine: to look takes ten milliseconds.
pub const LOOK: Duration = Duration::from_secs(1);
/// Bytes of all paths that are noted: more than those of a project with 100,000 files.
pub const TEXT: usize = 16 * MIB;
/// Files of one folder that are listed one by one; beyond that the folder is.
pub const SIBLINGS: u64 = 8;
/// Paths that a remark names; the others are counted.
pub const SHOWN: usize = 5;
/// The files `/proc/self/net/tcp` and `tcp6`, bytes: 150 for each socket.
pub const SOCKETS: usize = 4 * MIB;
