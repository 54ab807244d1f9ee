//! Sends requests to a server over HTTP, for any protocol on top of it.
//!
//! `store` comes before, for its bounded readers; `registry` comes after. A hostile server can at worst make a command
//! fail: the addresses of a connection are checked when it is made, redirects are checked one by one, a request has one
//! deadline for all its tries, and a token is sent only to its own server. The caller interprets the body of an answer
//! and limits its length; nothing is decoded here.
//!
//! [`HttpClient::get`] is for protocols that only get things; [`HttpClient::call`] sends any request, and returns answers
//! of any status. Either is sent in `exchange`, which repeats what may be repeated and decides which redirects it follows.

mod address;
mod agent;
mod answer;
mod authorization;
mod call;
mod certificate;
mod error;
mod exchange;
mod names;
mod problem;
mod proxy;
mod reach;
mod retry;
mod server;
mod trust;

pub use crate::address::encoded;
pub use crate::answer::HttpAnswer;
pub use crate::answer::begins_a_page;
pub use crate::authorization::Authorization;
pub use crate::call::HttpCall;
pub use crate::call::HttpMethod;
pub use crate::call::HttpReply;
pub use crate::call::HttpTarget;
pub use crate::error::HttpError;
pub use crate::error::ServerError;
pub use crate::exchange::HttpOutcome;
pub use crate::exchange::HttpRequest;
pub use crate::names::system_addresses;
pub use crate::problem::HttpProblem;
pub use crate::problem::HttpProblemKind;
pub use crate::problem::ServerMessage;
pub use crate::problem::Tries;
pub use crate::proxy::ProxySettings;
pub use crate::proxy::Tunnel;
pub use crate::proxy::Via;
pub use crate::server::HttpClient;
pub use crate::server::HttpSettings;
pub use crate::server::RemoteServer;
pub use crate::trust::Trust;
