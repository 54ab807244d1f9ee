//! Sees what a server uses: `run --confinement observe` (spec section 14).
//!
//! The filter of a server that is observed asks smcp about each call by which files, hosts and programs are used, and
//! instead of refusing one. smcp looks at what the call points to, notes it, and answers what the filter would have said.
//! So nothing is loosened: what a lock refuses stays refused. A server could say one thing to smcp and another one to the
//! kernel a moment later, since what a call points to may change: a draft is for a person to read.
//!
//! ```text
//! Locks::observe ──► Observer ──fork──► server: its filter, handed out ──► Watcher: question, note, answer
//!                                                                             └──► SeenServer ──► Draft
//! ```

mod calls;
mod draft;
mod listener;
mod memory;
mod seen;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;

use nix::sys::socket::MsgFlags;

use crate::filter::Instruction;
use crate::filter::NOT_PERMITTED;
use crate::filter::asking;
use crate::filter::calls::EXECVE;
use crate::filter::verdict::FilterVerdict;
use crate::filter::verdict::SystemCall;
use crate::filter::verdict::verdict;
use crate::grants::FileView;
use crate::handed;
use crate::observe::listener::Listener;
use crate::observe::memory::Tracee;

pub use crate::observe::draft::DraftGround;
pub use crate::observe::seen::SeenServer;

/// What a server was about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Read a file, or list a folder.
    Reads(PathBuf),
    /// Write to a file that is there.
    Writes(PathBuf),
    /// Make, remove or rename something at this path, and read it as well.
    Changes { path: PathBuf, reads: bool },
    /// Start a program beside the server's own.
    Starts(PathBuf),
    /// Make a process.
    Forks,
    /// Connect to an address of the network.
    Connects(SocketAddr),
    /// Connect to a socket with a path.
    ConnectsTo(PathBuf),
    /// Take an address of the network.
    Binds,
    /// Something that smcp may not look at.
    Unseen,
}

/// Who is to watch a server, before it runs.
#[derive(Debug)]
pub struct Observer {
    /// What the kernel's questions come by, comes by this.
    handed: OwnedFd,
    filter: Vec<Instruction>,
    alone: bool,
    own_network: bool,
}

/// Watches a server.
#[derive(Debug)]
pub struct Watcher {
    listener: Listener,
    filter: Vec<Instruction>,
    /// Whether the server may start no other program.
    alone: bool,
    /// Whether all that it reaches of the network leads to smcp.
    own_network: bool,
}

/// What services of names listen on. They would tell a server addresses, of which nobody knows whose they are.
const NAME_SERVICES: [&str; 3] =
    ["/run/systemd/resolve/io.systemd.Resolve", "/run/nscd/socket", "/var/run/nscd/socket"];
/// `ECONNREFUSED`: as if nobody listened.
const NOBODY: u32 = 111;

impl Observer {
    /// Prepares to watch a server with this filter. Returns the filter to apply, and what hands its questions out.
    pub(crate) fn prepare(
        filter: Vec<Instruction>,
        alone: bool,
        own_network: bool,
    ) -> io::Result<(Self, Vec<Instruction>, OwnedFd)> {
        let (handed, handed_out) = handed::pair()?;
        let asking = asking(&filter, &calls::watched());
        Ok((Self { handed, filter, alone, own_network }, asking, handed_out))
    }

    /// Waits until the server's process is about to become the server, which then waits for answers.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn begin(self) -> io::Result<Watcher> {
        let listener = handed::receive(&self.handed, MsgFlags::empty())?.into_iter().next();
        let listener = Listener::new(listener.ok_or(io::ErrorKind::UnexpectedEof)?);
        let Self { filter, alone, own_network, .. } = self;
        Ok(Watcher { listener, filter, alone, own_network })
    }
}

impl Watcher {
    /// Notes what the server and its processes do, until none is left. `connects` is called before it connects.
    ///
    /// # Errors
    /// When the kernel takes no answers. From then on it refuses what it would have asked about.
    pub fn watch(self, seen: &SeenServer, view: FileView, mut connects: impl FnMut(SocketAddr)) -> io::Result<()> {
        while let Some(question) = self.listener.next()? {
            // The server's own start needs no token: it is the first, and made by smcp.
            if question.call.number == EXECVE && !seen.has_begun() {
                seen.begin();
                self.listener.answer(&question, FilterVerdict::Allowed)?;
                continue;
            }
            let tracee = Tracee::new(question.thread, view);
            let mut found = calls::observed(&question.call, &tracee);
            found.extend(tracee.is_unseen().then_some(Observed::Unseen));
            let mut verdict = self.verdict(&question.call);
            // Else what was read was of another thread, by the same number.
            if self.listener.is_waiting(&question) {
                if let FilterVerdict::Refused(error) = verdict {
                    seen.refused(question.call.number, error);
                }
                for observed in found {
                    if let Observed::Connects(address) = observed {
                        connects(address);
                    }
                    if self.is_name_service(&observed) {
                        verdict = FilterVerdict::Refused(NOBODY);
                    } else {
                        seen.note(observed, view);
                    }
                }
            }
            self.listener.answer(&question, verdict)?;
        }
        Ok(())
    }

    fn is_name_service(&self, observed: &Observed) -> bool {
        let is = |path: &PathBuf| NAME_SERVICES.iter().any(|service| path == Path::new(service));
        self.own_network && matches!(observed, Observed::ConnectsTo(path) if is(path))
    }

    /// What the filter says. It has no token by which another start could be allowed.
    fn verdict(&self, call: &SystemCall) -> FilterVerdict {
        if call.number == EXECVE && self.alone {
            return FilterVerdict::Refused(NOT_PERMITTED);
        }
        verdict(&self.filter, call)
    }
}
