//! All that was seen of a server.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
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
use smcp_model::limits;

/// What was seen of a server and its processes. Copies see the same.
#[derive(Debug, Clone, Default)]
pub struct SeenServer(Arc<Mutex<SeenUses>>);

/// The same, as it is collected. Paths are without links.
#[derive(Debug, Default)]
pub(super) struct SeenUses {
    /// The home, without a link.
    pub(super) home: Option<PathBuf>,
    pub(super) read: BTreeSet<PathBuf>,
    /// Files that were written, and folders that were changed.
    pub(super) written: BTreeSet<PathBuf>,
    /// What was made, removed or renamed in the home itself.
    pub(super) in_home: BTreeSet<PathBuf>,
    /// The programs that were started after the server's own.
    pub(super) started: BTreeSet<PathBuf>,
    /// Whether the server's own program was about to be started.
    pub(super) begun: bool,
    /// Whether there was a process beside the server's.
    pub(super) forked: bool,
    pub(super) connected: BTreeSet<SocketAddr>,
    pub(super) sockets: BTreeSet<PathBuf>,
    /// How often each kind of call was refused.
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// Whether there was more than is kept.
    pub(super) incomplete: bool,
    /// Paths as they were named, which need no second look.
    known: HashSet<(PathBuf, u8)>,
}

impl SeenServer {
    /// Nothing, of a server of a user with this home.
    pub fn new(home: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(SeenUses { home, ..SeenUses::default() })))
    }

    pub(super) fn uses(&self) -> MutexGuard<'_, SeenUses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kinds of calls that were refused so far, with how often.
    pub fn refused_calls(&self) -> Vec<(&'static str, u64)> {
        self.uses().refused.iter().map(|(kind, count)| (*kind, *count)).collect()
    }

    /// Notes one use.
    pub(super) fn note(&self, observed: Observed, view: FileView) {
        let mut uses = self.uses();
        match observed {
            Observed::Forks => uses.forked = true,
            Observed::Connects(address) => {
                if uses.connected.len() < limits::observe::PATHS {
                    uses.connected.insert(address);
                }
            }
            Observed::ConnectsTo(path) => uses.path(path, 0, view, |uses, path| uses.sockets.insert(path)),
            Observed::Reads(path) => uses.path(path, 1, view, |uses, path| uses.read.insert(path)),
            Observed::Writes(path) => uses.path(path, 2, view, |uses, path| uses.written.insert(path)),
            Observed::Changes(path) => uses.changed(path, view),
            Observed::Starts(path) => {
                if std::mem::replace(&mut uses.begun, true) {
                    uses.path(path, 4, view, |uses, path| uses.started.insert(path));
                }
            }
        }
    }

    /// Notes that a call was refused. A library that is told that there is no such call goes another way.
    pub(super) fn refused(&self, number: u32, error: u32) {
        if error == NO_SUCH_CALL {
            return;
        }
        let kind = match number {
            calls::SOCKET | calls::SOCKETPAIR => "sockets",
            calls::EXECVE | calls::EXECVEAT | calls::CLONE => "programs and processes",
            number if calls::OWN_CALLS.contains(&number) => "programs and processes",
            _ => "calls that only machines and debuggers need",
        };
        let mut uses = self.uses();
        let count = uses.refused.entry(kind).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            tracing::info!("the server was refused {kind}");
        }
    }
}

impl SeenUses {
    /// Notes a path that is there, once.
    fn path(&mut self, path: PathBuf, kind: u8, view: FileView, note: impl Fn(&mut Self, PathBuf) -> bool) {
        if is_own(&path) || self.known.contains(&(path.clone(), kind)) {
            return;
        }
        if self.known.len() >= limits::observe::PATHS {
            self.incomplete = true;
            return;
        }
        if let Some(real) = (view.resolve)(&path).filter(|real| !is_own(real)) {
            note(self, real);
            self.known.insert((path, kind));
        }
    }

    /// Notes that something was made, removed or renamed. That changes its folder; but what lies in the home itself is
    /// named alone, since the home is never what a server needs.
    fn changed(&mut self, path: PathBuf, view: FileView) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let Some(real) = (view.resolve)(folder) else { return };
        let holds_home = self.home.as_ref().is_some_and(|home| home.starts_with(&real));
        if !holds_home {
            let folder = folder.to_path_buf();
            self.path(folder, 2, view, |uses, path| uses.written.insert(path));
        } else if self.known.len() < limits::observe::PATHS {
            let entry = real.join(name);
            self.known.insert((entry.clone(), 3));
            self.in_home.insert(entry.clone());
            self.written.insert(entry);
        } else {
            self.incomplete = true;
        }
    }
}

/// Whether a path is one of a process's own, by another name for each process.
fn is_own(path: &Path) -> bool {
    ["/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty"].iter().any(|own| path.starts_with(own))
}
