//! All that was seen of a server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::filter::NO_SUCH_CALL;
use crate::filter::calls;
use crate::grants::FileView;
use crate::observe::Observed;
use smcp_model::host_entry::LOCALHOST;
use smcp_model::host_entry::host_entry;
use smcp_model::host_entry::literal;
use smcp_model::limits;

/// What was seen of a server and its processes. Copies see the same.
#[derive(Debug, Clone, Default)]
pub struct SeenServer(Arc<Mutex<SeenUses>>);

/// Paths, or addresses, each with what was done with it: some of the bits below.
pub(super) type UsesByName = BTreeMap<String, u64>;

pub(super) const READ: u64 = 1;
/// Written, or a folder in which something was made, removed or renamed.
pub(super) const WRITTEN: u64 = 2;
/// Made, removed or renamed, in the home itself or above it.
pub(super) const IN_HOME: u64 = 4;
/// Started, after the server's own program.
pub(super) const STARTED: u64 = 8;
/// Connected to.
pub(super) const CONNECTED: u64 = 16;

/// The same, as it is collected.
#[derive(Debug, Default)]
pub(super) struct SeenUses {
    /// The home, without a link.
    pub(super) home: Option<PathBuf>,
    /// Paths without links.
    pub(super) paths: UsesByName,
    /// Addresses of the network, as a manifest has them.
    pub(super) addresses: UsesByName,
    /// Whether the server's own program was about to be started.
    begun: bool,
    /// Whether there was a process beside the server's, or another program.
    pub(super) forked: bool,
    /// How often each kind of call was refused.
    pub(super) refused: UsesByName,
    /// Whether it used the network in a way that names no host: it listened, or connected to itself.
    pub(super) networked: bool,
    /// Whether smcp was not let look at one of its processes.
    pub(super) unseen: bool,
    /// Whether there was more than is kept.
    pub(super) incomplete: bool,
    /// The bytes of all that is kept.
    text: usize,
    /// Paths as they were named, which need no second look.
    known: UsesByName,
}

/// The kind of calls that start programs.
pub(super) const PROGRAMS: &str = "programs and processes";
/// Where servers of names listen: a server that may reach hosts may ask for names.
const NAMES: u16 = 53;

impl SeenServer {
    /// Nothing, of a server of a user with this home.
    pub fn new(home: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(SeenUses { home, ..SeenUses::default() })))
    }

    pub(super) fn uses(&self) -> MutexGuard<'_, SeenUses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the server's own program is about to be started.
    pub(super) fn begin(&self) {
        self.uses().begun = true;
    }

    pub(super) fn has_begun(&self) -> bool {
        self.uses().begun
    }

    /// The kinds of calls that were refused so far, with how often.
    pub fn refused_calls(&self) -> Vec<(String, u64)> {
        self.uses().refused.iter().map(|(kind, count)| (kind.clone(), *count)).collect()
    }

    /// Notes one use.
    pub(super) fn note(&self, observed: Observed, view: FileView) {
        let mut uses = self.uses();
        match observed {
            Observed::Forks => uses.forked = true,
            Observed::Connects(address) => uses.connected(address),
            Observed::ConnectsTo(path) => uses.path(&path, CONNECTED, view),
            Observed::Reads(path) => uses.path(&path, READ, view),
            Observed::Writes(path) => uses.path(&path, WRITTEN, view),
            Observed::Changes { path, reads } => uses.changed(&path, reads, view),
            Observed::Starts(path) => {
                uses.forked = true;
                uses.path(&path, STARTED, view);
            }
            Observed::Binds => uses.networked = true,
            Observed::Unseen => uses.unseen = true,
        }
    }

    /// Notes that a call was refused. A library that is told that there is no such call goes another way.
    pub(super) fn refused(&self, number: u32, error: u32) {
        if error == NO_SUCH_CALL {
            return;
        }
        let kind = match number {
            calls::SOCKET | calls::SOCKETPAIR => "sockets",
            calls::EXECVE | calls::EXECVEAT | calls::CLONE => PROGRAMS,
            number if calls::OWN_CALLS.contains(&number) => PROGRAMS,
            _ => "calls that only machines and debuggers need",
        };
        let mut uses = self.uses();
        let count = uses.refused.entry(kind.to_owned()).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            tracing::info!("the server was refused {kind}");
        }
    }
}

impl SeenUses {
    /// Notes a path that is there, once.
    fn path(&mut self, path: &Path, used: u64, view: FileView) {
        let named = path.to_string_lossy();
        let known = self.known.get(&*named).copied().unwrap_or_default();
        // What a process has open is another file at another time.
        let lasts = !path.starts_with(PROCESSES);
        if is_own(path) || (lasts && known & used == used) {
            return;
        }
        let shown = |real: &PathBuf| !is_own(real) && !real.starts_with(PROCESSES);
        if let Some(real) = (view.resolve)(path).filter(shown) {
            if lasts && self.has_room(&named) {
                self.known.insert(named.into_owned(), known | used);
            }
            self.used(&real, used);
        }
    }

    /// Notes what was done with a path. One that is no text is one that no manifest can name.
    fn used(&mut self, real: &Path, used: u64) {
        match real.to_str() {
            Some(text) if self.paths.contains_key(text) || self.has_room(text) => {
                *self.paths.entry(text.to_owned()).or_default() |= used;
            }
            Some(_) | None => self.incomplete = true,
        }
    }

    /// Whether there is room for another text, which is counted.
    fn has_room(&mut self, text: &str) -> bool {
        let fits = self.known.len() < limits::observe::PATHS && self.text + text.len() <= limits::observe::TEXT;
        self.text += if fits { text.len() } else { 0 };
        fits
    }

    /// Notes that something was made, removed or renamed. That changes its folder; but what lies in the home itself is
    /// named alone, since the home is never what a server needs.
    fn changed(&mut self, path: &Path, reads: bool, view: FileView) {
        let used = if reads { READ | WRITTEN } else { WRITTEN };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let Some(real) = (view.resolve)(folder) else { return };
        if self.home.as_ref().is_some_and(|home| home.starts_with(&real)) {
            self.used(&real.join(name), used | IN_HOME);
        } else {
            self.path(folder, used, view);
        }
    }

    /// Notes an address. Without a port nothing is sent: the system is asked which way it would be reached.
    fn connected(&mut self, address: SocketAddr) {
        let (ip, port) = (address.ip(), address.port());
        let host = if ip.is_loopback() { LOCALHOST.to_owned() } else { literal(ip) };
        self.networked |= port != 0;
        if ![0, NAMES].contains(&port) && self.addresses.len() < limits::observe::HOSTS {
            self.addresses.insert(host_entry(&host, port), CONNECTED);
        }
    }
}

/// Where the kernel shows processes, and what they have open.
const PROCESSES: &str = "/proc";

/// Whether a path is one of a process's own: smcp's, when smcp looks.
fn is_own(path: &Path) -> bool {
    ["/proc/self", "/proc/thread-self", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty"]
        .iter()
        .any(|own| path.starts_with(own))
}
