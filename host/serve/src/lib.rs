//! Serves a directory registry over the HTTP API: `smcp registry serve`.
//!
//! This stage is beside the launch and takes no part in it. It only reads, and verifies the files that it sends. It
//! has an async runtime of one thread, as `outbound` has.
//!
//! ```text
//! listener ──► connection ──► route ──► answer ──► DirectoryRegistry
//! ```

mod answer;
mod body;
mod connection;
mod end_signals;
mod route;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::end_signals::EndSignals;
use crate::end_signals::unless;
use smcp_model::limits;
use smcp_registry::DirectoryRegistry;

/// The state that all connections share.
struct SharedState {
    registry: DirectoryRegistry,
    complain: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for SharedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedState").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// Serves a registry until the process is asked to end. Calls `ready` when requests are accepted and signals are heard.
/// Faults of the registry go to `complain`.
///
/// # Errors
/// When the system gives no runtime, or the listener or the signals can't be watched.
pub fn serve(
    listener: TcpListener,
    registry: DirectoryRegistry,
    ready: impl FnOnce(),
    complain: impl Fn(&str) + Send + Sync + 'static,
) -> io::Result<()> {
    let shared = Arc::new(SharedState { registry, complain: Box::new(complain) });
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Two for each connection: one looks up an answer, the other reads a file ahead of the client.
        .max_blocking_threads(limits::SERVE_CONNECTIONS.saturating_mul(2))
        .build()?;
    let served = runtime.block_on(accept(listener, shared, ready));
    // Threads that wait for a slow disk are left behind.
    runtime.shutdown_background();
    served
}

async fn accept(listener: TcpListener, shared: Arc<SharedState>, ready: impl FnOnce()) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let signals = EndSignals::listen()?;
    let (end, ended) = watch::channel(());
    let permits = Arc::new(Semaphore::new(limits::SERVE_CONNECTIONS));
    let mut connections = JoinSet::new();
    ready();
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?.0, permit))
        };
        match unless(signals.asked(), next).await {
            None => break,
            Some(Ok((stream, permit))) => {
                connections.spawn(connection::converse(stream, permit, Arc::clone(&shared), ended.clone()));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(limits::SERVE_ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    drop(end);
    signals.forget();
    let finished = async { while connections.join_next().await.is_some() {} };
    // A second signal ends the server at once.
    unless(signals.asked(), tokio::time::timeout(limits::SERVE_END_GRACE, finished)).await;
    Ok(())
}
