//! Serves one connection: its requests in turn, within limits of size and time.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::SharedState;
use crate::answer::answer;
use crate::end_signals::unless;
use smcp_model::limits;

/// Answers a client until it leaves, the time is over, or the server ends. An answer that has begun is finished first.
pub(super) async fn converse(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    shared: Arc<SharedState>,
    mut ended: watch::Receiver<()>,
) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, shared).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::SERVE_HEAD_TIME)
        .max_headers(limits::SERVE_HEADERS)
        .max_buf_size(limits::SERVE_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let conversation = async {
        match unless(ended.changed(), connection.as_mut()).await {
            Some(done) => done,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    match timeout(limits::SERVE_CONNECTION_TIME, conversation).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection broke off"),
        Err(_) => tracing::debug!("a connection was closed: it lasted too long"),
    }
    drop(permit);
}
