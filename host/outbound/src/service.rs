//! The thread that serves a server's network, as long as the server runs.

use std::fmt;
use std::io;
use std::net;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use nix::sys::resource::setrlimit;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::denials::Denials;
use crate::dial::Upstream;
use crate::direct;
use crate::hosts::AllowedHosts;
use crate::names::answer_datagrams;
use crate::proxy;
use crate::reach::Reachable;
use crate::reach::Resolve;
use crate::reached::Reached;
use smcp_model::limits;

/// The name of the thread.
const THREAD: &str = "outbound";

/// What a server may reach, before it runs.
pub struct Outbound {
    /// The hosts that its manifest names.
    pub hosts: AllowedHosts,
    /// Finds addresses.
    pub resolver: Arc<dyn Resolve>,
    /// The proxy above ours.
    pub upstream: Option<Upstream>,
    /// Counts what is refused.
    pub denials: Denials,
    /// Notes what is reached.
    pub reached: Reached,
}

/// The sockets of the server's network.
#[derive(Debug)]
pub struct Sockets {
    /// Datagrams that ask for names.
    pub names: OwnedFd,
    /// Accepts what asks the proxy.
    pub proxy: OwnedFd,
    /// Accept connections to any address.
    pub hosts: Vec<OwnedFd>,
    /// More of these, which come while the server runs.
    pub later: Option<LaterSockets>,
}

/// Hands over sockets of a server that is served already.
#[derive(Debug, Clone)]
pub struct SocketSender(mpsc::UnboundedSender<OwnedFd>);

/// What such sockets come by.
#[derive(Debug)]
pub struct LaterSockets(mpsc::UnboundedReceiver<OwnedFd>);

/// Makes a way for sockets that come later.
pub fn later_sockets() -> (SocketSender, LaterSockets) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (SocketSender(sender), LaterSockets(receiver))
}

impl SocketSender {
    /// Has a socket that listens served. After the server's end nobody does.
    pub fn send(&self, socket: OwnedFd) {
        drop(self.0.send(socket));
    }
}

/// The thread. It ends soon after this was dropped, and its connections with it.
#[derive(Debug)]
pub struct Serving {
    _end: oneshot::Sender<()>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("hosts", &self.hosts).field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

/// How the connections of a socket are served.
#[derive(Debug, Clone, Copy)]
enum ConnectionKind {
    Direct,
    Proxy,
}

impl Outbound {
    /// Begins to serve.
    ///
    /// # Errors
    /// When the system gives no thread, or the sockets are none.
    pub fn serve(self, sockets: Sockets) -> io::Result<Serving> {
        let Self { hosts, resolver, upstream, denials, reached } = self;
        let reachable = Arc::new(Reachable::new(hosts, resolver, upstream, denials, reached));
        let runtime = runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(limits::outbound::RESOLVERS)
            .build()?;
        let connections = raise_limit();
        {
            let _entered = runtime.enter();
            begin(sockets, &reachable, connections)?;
        }
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // The sender says nothing: it is dropped.
            let _ = runtime.block_on(ended);
            // Whoever waits for a name is left behind.
            runtime.shutdown_background();
        })?;
        Ok(Serving { _end: end })
    }
}

/// Lets this process have as many descriptors as the system allows, up to what all connections need. Returns how many
/// connections there can be. Done after the start, the server's own limit is as it was.
fn raise_limit() -> usize {
    let wanted = 2 * limits::outbound::CONNECTIONS + limits::outbound::SPARED_DESCRIPTORS;
    let (mut soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((wanted, wanted));
    let possible = wanted.min(hard);
    if soft < possible && setrlimit(Resource::RLIMIT_NOFILE, possible, hard).is_ok() {
        soft = possible;
    }
    let connections = soft.saturating_sub(limits::outbound::SPARED_DESCRIPTORS) / 2;
    usize::try_from(connections.clamp(1, limits::outbound::CONNECTIONS)).unwrap_or(1)
}

/// Starts a task. All are of one type, since each further one would be some kilobytes of the program.
pub(crate) fn start(task: Pin<Box<dyn Future<Output = ()> + Send>>) {
    tokio::spawn(task);
}

/// Serves every socket, each by a task.
fn begin(sockets: Sockets, reachable: &Arc<Reachable>, connections: usize) -> io::Result<()> {
    let Sockets { names, proxy, hosts, later } = sockets;
    // Whoever waits for a connection has one permit: where connections are few, nobody waits in vain.
    let permits = Arc::new(Semaphore::new(connections + hosts.len() + 1));
    let kinds = std::iter::once(ConnectionKind::Proxy).chain(std::iter::repeat(ConnectionKind::Direct));
    for (socket, kind) in std::iter::once(proxy).chain(hosts).zip(kinds) {
        let listener = TcpListener::from_std(net::TcpListener::from(socket))?;
        start(Box::pin(accept(listener, kind, Arc::clone(reachable), Arc::clone(&permits))));
    }
    if let Some(later) = later {
        start(Box::pin(accept_later(later, Arc::clone(reachable), permits)));
    }
    let names = UdpSocket::from_std(net::UdpSocket::from(names))?;
    start(Box::pin(answer_datagrams(names, Arc::clone(reachable))));
    Ok(())
}

async fn accept_later(LaterSockets(mut later): LaterSockets, reachable: Arc<Reachable>, permits: Arc<Semaphore>) {
    while let Some(socket) = later.recv().await {
        match TcpListener::from_std(net::TcpListener::from(socket)) {
            Ok(listener) => {
                permits.add_permits(1);
                let served = accept(listener, ConnectionKind::Direct, Arc::clone(&reachable), Arc::clone(&permits));
                start(Box::pin(served));
            }
            Err(error) => tracing::debug!(%error, "a socket of the server can't be served"),
        }
    }
}

async fn accept(listener: TcpListener, kind: ConnectionKind, reachable: Arc<Reachable>, permits: Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let reachable = Arc::clone(&reachable);
                start(Box::pin(async move {
                    converse(stream, kind, &reachable).await;
                    drop(permit);
                }));
            }
            Err(error) => {
                tracing::debug!(%error, "a connection of the server could not be accepted");
                tokio::time::sleep(limits::outbound::ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, kind: ConnectionKind, reachable: &Reachable) {
    let served = match kind {
        ConnectionKind::Direct => direct::serve(stream, reachable).await,
        ConnectionKind::Proxy => proxy::serve(stream, reachable).await,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection of the server broke off");
    }
}
