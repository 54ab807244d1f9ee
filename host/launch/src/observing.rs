//! Watches a server that is observed, and opens the ports that it connects to.

use std::io;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::SocketAddrV4;
use std::net::SocketAddrV6;
use std::os::fd::AsRawFd as _;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use nix::sys::socket::Backlog;
use nix::sys::socket::SockaddrIn;
use nix::sys::socket::SockaddrIn6;
use nix::sys::socket::bind;
use nix::sys::socket::listen;

use smcp_confine::DraftGround;
use smcp_confine::FileView;
use smcp_confine::Observer;
use smcp_confine::SeenServer;
use smcp_model::draft::Draft;
use smcp_model::limits;
use smcp_outbound::LaterSockets;
use smcp_outbound::Reached;
use smcp_outbound::SocketSender;
use smcp_outbound::later_sockets;

/// The name of the thread that watches.
const THREAD: &str = "observer";

/// What is seen of a server, and what a draft of its permissions is written on, once its program is known.
#[derive(Debug, Clone)]
pub struct Observing {
    pub(crate) seen: SeenServer,
    pub(crate) ground: Arc<OnceLock<DraftGround>>,
    /// The hosts that were reached.
    pub reached: Reached,
    /// The ports on which somebody on this machine listens.
    pub listening: fn() -> Vec<u16>,
}

impl Observing {
    /// Begins with nothing, for a user with this home.
    pub fn new(home: Option<PathBuf>, listening: fn() -> Vec<u16>) -> Self {
        Self { seen: SeenServer::new(home), ground: Arc::default(), reached: Reached::default(), listening }
    }

    /// The kinds of calls that the server was refused so far, with how often.
    pub fn refused(&self) -> Vec<(String, u64)> {
        self.seen.refused_calls()
    }

    /// Writes a draft of what was seen so far; `None` when the server never began. `refused` are hosts.
    pub fn draft(&self, refused: Vec<String>) -> Option<Draft> {
        let mut hosts = self.reached.entries();
        hosts.extend(refused);
        hosts.sort_unstable();
        hosts.dedup();
        self.seen.draft(self.ground.get()?, hosts)
    }
}

/// What the server's network sends the watcher, and what the watcher sends back.
#[derive(Debug)]
pub(crate) struct SparePorts {
    /// Takes the sockets that belong to no port yet.
    pub(crate) spare: mpsc::Sender<Vec<OwnedFd>>,
    /// Has those that got one.
    pub(crate) later: LaterSockets,
}

/// Watches a server that is about to be started.
pub(crate) fn watch(observer: Observer, observing: &Observing, view: FileView) -> io::Result<SparePorts> {
    let (spare, taken) = mpsc::channel();
    let (sender, later) = later_sockets();
    let seen = observing.seen.clone();
    let listening = observing.listening;
    let mut ports = OpenPorts { spare: taken, sockets: None, known: Vec::new(), sender, listening, looked: None };
    let watch = move || match observer.begin() {
        Ok(watcher) => {
            if let Err(error) = watcher.watch(&seen, view, |address| ports.open(address)) {
                tracing::warn!(%error, "what the server uses is not seen any more");
            }
        }
        // Whoever starts the server says why it did not come to that.
        Err(error) => tracing::debug!(%error, "no server to watch"),
    };
    thread::Builder::new().name(THREAD.to_owned()).spawn(watch)?;
    Ok(SparePorts { spare, later })
}

/// Opens ports in the server's network when they are about to be used: nobody knows before which they are.
struct OpenPorts {
    spare: mpsc::Receiver<Vec<OwnedFd>>,
    sockets: Option<Vec<OwnedFd>>,
    known: Vec<u16>,
    sender: SocketSender,
    listening: fn() -> Vec<u16>,
    /// The ports of this machine, and when they were looked at.
    looked: Option<(Instant, Vec<u16>)>,
}

impl OpenPorts {
    /// Whether somebody on this machine listens on a port. The kernel takes long to say it.
    fn listens(&mut self, port: u16) -> bool {
        self.looked.take_if(|(when, _)| when.elapsed() > limits::observe::LOOK);
        let (_, ports) = self.looked.get_or_insert_with(|| (Instant::now(), (self.listening)()));
        ports.contains(&port)
    }

    fn open(&mut self, address: SocketAddr) {
        let port = address.port();
        // A server that looks whether a port of its own is free must find it so.
        if port == 0 || self.known.contains(&port) || (address.ip().is_loopback() && !self.listens(port)) {
            return;
        }
        self.known.push(port);
        let sockets =
            self.sockets.get_or_insert_with(|| self.spare.recv_timeout(limits::observe::START).unwrap_or_default());
        let Some(socket) = sockets.pop() else { return };
        match listen_at(&socket, port) {
            Ok(()) => self.sender.send(socket),
            // One that is open already, or on which the server listens itself.
            Err(error) => {
                tracing::debug!(port, %error, "a port of the server's network was not opened");
                sockets.push(socket);
            }
        }
    }
}

/// Has a socket listen at a port, for every kind of address that it takes.
fn listen_at(socket: &OwnedFd, port: u16) -> io::Result<()> {
    let both = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0));
    let bound = bind(socket.as_raw_fd(), &both);
    if bound == Err(nix::errno::Errno::EAFNOSUPPORT) {
        bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))?;
    } else {
        bound?;
    }
    Ok(listen(socket, Backlog::MAXCONN)?)
}
