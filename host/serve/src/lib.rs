//! A directory registry over the real HTTP API: `smcp registry serve`.
//!
//! A stage of its own, beside the launch: nothing of a launch goes through it. It reads and never writes; what it hands
//! out was verified on the way. The one part of smcp with an async runtime, and that has one thread.
//!
//! ```text
//! listener ──► connection ──► route ──► answer ──► DirectoryRegistry
//! ```

mod answer;
mod body;
mod connection;
mod ending;
mod route;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ending::Ending;
use crate::ending::unless;
use smcp_model::limits;
use smcp_registry::DirectoryRegistry;

/// What all connections share.
struct House {
    registry: DirectoryRegistry,
    complain: Box<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// Serves a registry until the process is asked to end. Calls `ready` when both is possible, to be asked and to be ended;
/// what is wrong with the registry itself goes to `complain`.
///
/// # Errors
/// When the system gives no runtime, or the listener or the signals can't be watched.
pub fn serve(
    listener: TcpListener,
    registry: DirectoryRegistry,
    ready: impl FnOnce(),
    complain: impl Fn(&str) + Send + Sync + 'static,
) -> io::Result<()> {
    let house = Arc::new(House { registry, complain: Box::new(complain) });
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // Two for each connection: one that looks for an answer, one that reads a file ahead of a client.
        .max_blocking_threads(limits::SERVE_CONNECTIONS.saturating_mul(2))
        .build()?;
    let served = runtime.block_on(accept(listener, house, ready));
    // A thread that waits for a slow disk is not waited for.
    runtime.shutdown_background();
    served
}

async fn accept(listener: TcpListener, house: Arc<House>, ready: impl FnOnce()) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let ending = Ending::listen()?;
    let (tell, told) = watch::channel(());
    let seats = Arc::new(Semaphore::new(limits::SERVE_CONNECTIONS));
    let mut connections = JoinSet::new();
    ready();
    loop {
        let next = async {
            let seat = Arc::clone(&seats).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await?.0, seat))
        };
        match unless(ending.asked(), next).await {
            None => break,
            Some(Ok((stream, seat))) => {
                connections.spawn(connection::converse(stream, seat, Arc::clone(&house), told.clone()));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(limits::SERVE_ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    drop(tell);
    ending.forget();
    let finished = async { while connections.join_next().await.is_some() {} };
    // Whoever asks a second time means at once.
    unless(ending.asked(), tokio::time::timeout(limits::SERVE_END_GRACE, finished)).await;
    Ok(())
}
