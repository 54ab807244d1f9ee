//! The errors of a request.

use crate::problem::HttpProblem;
use crate::proxy::Via;
use crate::server::RemoteServer;
use smcp_model::deadline::Expired;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// A server can't be asked, or its answer is not valid.
#[derive(Debug, thiserror::Error)]
#[error("{server} {}", problem.seen(via.as_deref()))]
pub struct ServerError {
    /// The server.
    pub server: RemoteServer,
    /// The problem.
    pub problem: HttpProblem,
    /// The proxy that was used.
    pub via: Option<Box<Via>>,
}

/// An error of a request.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server can't be asked, or its answer is not valid.
    #[error(transparent)]
    Server(#[from] Box<ServerError>),
    /// The deadline has passed while a server did not answer: this one, or one that it redirects to.
    #[error("{expired}, {place}")]
    Silence {
        /// The time limit.
        expired: Expired,
        /// The server that did not answer, and its addresses.
        place: SafeText,
    },
    /// The deadline has passed.
    #[error(transparent)]
    Halted(#[from] Halted),
}

impl From<ServerError> for HttpError {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<Expired> for HttpError {
    fn from(expired: Expired) -> Self {
        Halted::from(expired).into()
    }
}
