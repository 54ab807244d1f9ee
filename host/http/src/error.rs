//! Why a server gave no answer.

use crate::problem::HttpProblem;
use crate::proxy::Via;
use crate::server::RemoteServer;
use smcp_model::deadline::Expired;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// A server could not be asked, or answered as none should.
#[derive(Debug, thiserror::Error)]
#[error("{server} {}", problem.seen(via.as_deref()))]
pub struct ServerError {
    /// The server.
    pub server: RemoteServer,
    /// What is wrong.
    pub problem: HttpProblem,
    /// The proxy through which that was seen.
    pub via: Option<Box<Via>>,
}

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It could not be asked, or answered as none should.
    #[error(transparent)]
    Server(#[from] Box<ServerError>),
    /// It took too long, and the server, or somebody whom it sent us to, was waited for.
    #[error("{expired}, {place}")]
    Silence {
        /// How long it might have taken.
        expired: Expired,
        /// Who was waited for.
        place: SafeText,
    },
    /// It took too long.
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
