//! Limits of a server's own network, and of what smcp does for it outside.

use std::time::Duration;

use super::KIB;

/// Ports on which any address answers: one message takes 253 sockets. Manifests name one or two.
pub const PORTS: usize = 128;
/// Connections that wait to be accepted on one port; the system's own limit is about as high.
pub const BACKLOG: i32 = 4096;
/// Connections at once: each has two descriptors and 16 KiB of buffers. Further ones wait.
pub const CONNECTIONS: u64 = 4096;
/// The descriptors that smcp needs for everything else.
pub const SPARED_DESCRIPTORS: u64 = 64;
/// The time to find an allowed host's addresses and connect to one: that in which most clients give up.
pub const CONNECT: Duration = Duration::from_secs(30);
/// The time for one address of several, so that the next one has a chance.
pub const CONNECT_ONE: Duration = Duration::from_secs(10);
/// The time that a client of the proxy has to send the head of its request.
pub const HEAD_TIME: Duration = Duration::from_secs(30);
/// The head of a request to the proxy, or of a proxy's answer, bytes.
pub const HEAD: usize = 16 * KIB;
/// Headers of such a head.
pub const HEADERS: usize = 128;
/// The time that a client which was refused has to read why.
pub const LINGER: Duration = Duration::from_secs(2);
/// The time for which addresses of a name are used again: the system keeps them, too, and longer.
pub const ADDRESSES: Duration = Duration::from_secs(30);
/// Names whose addresses are used again.
pub const ADDRESSES_KEPT: usize = 256;
/// Addresses of one name that are tried.
pub const ADDRESSES_TRIED: usize = 16;
/// Names that get an address: more than a server asks for; what comes then is not answered.
pub const NAMES: usize = 16_384;
/// Threads that ask the system for names.
pub const RESOLVERS: usize = 8;
/// Questions for names at once; what comes then is asked again by its sender.
pub const QUESTIONS: usize = 256;
/// One question for a name over TCP, bytes: a name has 255.
pub const QUESTION: usize = 512;
/// The time between two questions on one connection.
pub const QUESTION_TIME: Duration = Duration::from_secs(30);
/// The pause when a connection could not be accepted, because descriptors are short.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Hosts that are counted one by one when they were refused; the others are counted together.
pub const DENIED: usize = 64;
