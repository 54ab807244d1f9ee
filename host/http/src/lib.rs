//! Asking a server over HTTP, whatever the protocol that is spoken with it.
//!
//! The other side, whoever it is, can at worst make a command fail: where a connection may go is checked when it is
//! made, redirects are followed by us, a question has a deadline over all its tries, and a token goes to the server
//! that it is for and to no other. What the body of an answer says is for whoever asked: nothing is decoded, and the
//! bound of a body is kept by its reader.
//!
//! [`HttpClient::get`] is the only method so far. Another one becomes a field of [`HttpRequest`] with its body, is sent in
//! `exchange`, and is asked again only where that changes nothing; which redirects it follows is decided there too.

mod address;
mod agent;
mod answer;
mod certificate;
mod error;
mod exchange;
mod problem;
mod proxy;
mod reach;
mod retry;
mod server;
mod trust;

pub use crate::address::encoded;
pub use crate::answer::HttpAnswer;
pub use crate::answer::begins_a_page;
pub use crate::error::HttpError;
pub use crate::error::ServerError;
pub use crate::exchange::HttpOutcome;
pub use crate::exchange::HttpRequest;
pub use crate::problem::HttpProblem;
pub use crate::problem::HttpProblemKind;
pub use crate::problem::ServerMessage;
pub use crate::problem::Tries;
pub use crate::proxy::ProxySettings;
pub use crate::proxy::Via;
pub use crate::server::HttpClient;
pub use crate::server::HttpSettings;
pub use crate::server::RemoteServer;
pub use crate::trust::Trust;
