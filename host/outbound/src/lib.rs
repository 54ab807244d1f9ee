//! Lets a server reach the hosts that its manifest names, and no others.
//!
//! `confine` gives a server a network in which every address leads to smcp, and `launch` hands its sockets over to here.
//! One thread answers on them as long as the server runs:
//!
//! ```text
//! a name? ──► names ──► an address that stands for it, or "no such name"
//! a connection to any address ──► direct ─┐
//! a request to the proxy ──► proxy ───────┴─► reach (named? which addresses? may they be?) ──► dial ──► both ways
//! ```
//!
//! A name is resolved out here, and the connection goes to an address that was checked: there is no second look-up that
//! could return another.

mod connection;
mod denials;
mod dial;
mod direct;
mod hosts;
mod message;
mod names;
mod proxy;
mod reach;
mod reached;
mod service;

pub use crate::denials::Denials;
pub use crate::dial::Covers;
pub use crate::dial::Upstream;
pub use crate::hosts::AllowedHosts;
pub use crate::reach::Resolve;
pub use crate::reached::Reached;
pub use crate::service::LaterSockets;
pub use crate::service::Outbound;
pub use crate::service::Serving;
pub use crate::service::SocketSender;
pub use crate::service::Sockets;
pub use crate::service::later_sockets;

/// What a pattern of the SDK is a setting by. Nothing here reads settings.
mod settings {
    use std::borrow::Cow;

    #[expect(dead_code, reason = "the pattern is shared with the SDK, where it is a setting")]
    pub(crate) trait CheckedSetting: Sized {
        type Written;
        const KEYWORDS: &'static str;
        fn check(written: Self::Written) -> Result<Self, Cow<'static, str>>;
    }
}
