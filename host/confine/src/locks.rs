//! The locks of one server: made before the fork, applied in it.
//!
//! [`Locks::apply`] runs in the fork of a process with threads: it allocates nothing, takes no lock and can't panic.

use std::fmt;
use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::libc::sock_filter;
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::Resource;
use nix::sys::resource::setrlimit;

use crate::files;
use crate::filter;
use crate::filter::Instruction;
use crate::filter::Refused;
use crate::foresee::holds_hosts;
use crate::grants::Grants;
use crate::grants::Right;
use crate::handed;
use crate::kernel::Kernel;
use crate::network::Network;
use crate::network::Ports;
use crate::network::WayOut;
use crate::observe::Observer;
use crate::system;
use smcp_model::manifest::Manifest;

/// What is applied to a server's process before it becomes the server.
pub struct Locks {
    /// Whether what the manifest asks for is known.
    known: bool,
    ruleset: Option<OwnedFd>,
    filter: Vec<sock_filter>,
    token: Option<[u64; 3]>,
    network: Option<Network>,
    /// What the filter refuses, without the token.
    refused: Refused,
    /// What the questions of a filter that asks are handed out by.
    questions: Option<OwnedFd>,
}

impl Locks {
    /// Makes the locks of a server, as far as this kernel has them. `grants` is what a server with permissions may reach,
    /// beside its `bundle`.
    ///
    /// # Errors
    /// When the kernel refuses one of those that it has.
    pub fn make(kernel: Kernel, manifest: &Manifest, grants: &Grants, bundle: BorrowedFd<'_>) -> io::Result<Self> {
        let permissions = manifest.permissions.as_ref();
        let known = permissions.is_some();
        let bundles: &[Right] = if manifest.workdir_writable { &[Right::Run, Right::Write] } else { &[Right::Run] };
        let files = (known && kernel.landlock > 0).then(|| files::ruleset(&grants.list, bundle, bundles));
        let ruleset = files.transpose()?;
        let alone = kernel.seccomp && permissions.is_some_and(|permissions| !permissions.subprocess);
        let token = if alone { Some(system::token()?) } else { None };
        let mut refused = Refused {
            strict: known,
            network: permissions.is_some_and(|permissions| permissions.network.is_empty()),
            hosts: holds_hosts(kernel, permissions),
            processes: token,
        };
        let filter = for_kernel(if kernel.seccomp { filter::program(refused) } else { Vec::new() });
        refused.processes = token.map(|_| [0; 3]);
        Ok(Self { known, ruleset, filter, token, network: None, refused, questions: None })
    }

    /// Has smcp asked about what the server does, in place of the kernel alone. Nothing is loosened.
    ///
    /// # Errors
    /// When the kernel has no filters that ask, or the system nothing to hand the questions out by.
    pub fn observe(&mut self) -> io::Result<Observer> {
        if self.filter.is_empty() || !system::has_questions() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "nothing can be observed: that takes Linux 5.5, and filters of system calls that are not switched off",
            ));
        }
        // The first start of a program is the server's own, so that nobody needs the token.
        let alone = self.token.take().is_some();
        let (observer, asking, questions) =
            Observer::prepare(filter::program(self.refused), alone, self.network.is_some())?;
        (self.filter, self.questions) = (for_kernel(asking), Some(questions));
        Ok(observer)
    }

    /// Adds a network of the server's own, with these ports; returns what smcp gets its sockets by.
    ///
    /// # Errors
    /// When the system gives nothing to hand them out by.
    pub fn with_network(&mut self, ports: &Ports) -> io::Result<WayOut> {
        let (network, way_out) = Network::prepare(ports)?;
        self.network = Some(network);
        Ok(way_out)
    }

    /// Whether what the server asks for is known, so that it is held to more than what holds for everybody.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// What the unused arguments of the one `execve` have to be; zeros where any will do.
    pub fn token(&self) -> [u64; 3] {
        self.token.unwrap_or_default()
    }

    /// Confines this process, for good.
    ///
    /// # Errors
    /// What the kernel says when it refuses one of the locks. The process must not become the server then.
    pub fn apply(&self) -> Result<(), Errno> {
        // What a server has in memory would lie in a file.
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        match &self.network {
            Some(network) => network.enter()?,
            None if self.refused.hosts => return Err(Errno::ENETDOWN),
            None => {}
        }
        set_no_new_privs()?;
        if let Some(ruleset) = &self.ruleset {
            system::grant_own_process(ruleset.as_fd());
            system::restrict(ruleset.as_fd())?;
        }
        if self.known {
            system::close_at_exec();
        }
        if self.known || self.network.is_some() {
            // Those of a namespace of its own reach nothing outside, and would open it again.
            let namespaced = self.network.is_some();
            system::drop_capabilities(if namespaced {
                system::ALL_CAPABILITIES
            } else {
                system::MACHINE_CAPABILITIES
            })?;
        }
        match &self.questions {
            _ if self.filter.is_empty() => Ok(()),
            None => system::filter(&self.filter),
            Some(questions) => {
                let listener = system::asking_filter(&self.filter)?;
                handed::hand_out(&[listener.as_raw_fd()], questions.as_fd())
            }
        }
    }

    /// Forgets the token: in a process that the server could look into, it would be a way to start programs.
    pub fn forget(&mut self) {
        self.token = None;
        self.filter.iter_mut().for_each(|instruction| instruction.k = 0);
        std::hint::black_box(self);
    }
}

/// A filter as the kernel takes it.
fn for_kernel(filter: Vec<Instruction>) -> Vec<sock_filter> {
    let laid_out = filter.into_iter().map(|instruction| sock_filter {
        code: instruction.code,
        jt: instruction.when_true,
        jf: instruction.when_false,
        k: instruction.operand,
    });
    laid_out.collect()
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.forget();
    }
}

impl fmt::Debug for Locks {
    /// Shows no token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, ruleset, filter, token, network, refused: _, questions } = self;
        f.debug_struct("Locks")
            .field("known", known)
            .field("files", &ruleset.is_some())
            .field("filter", &filter.len())
            .field("alone", &token.is_some())
            .field("network", network)
            .field("observed", &questions.is_some())
            .finish()
    }
}
