//! Holds a server to what its manifest asks for (spec section 14).
//!
//! `pipeline` asks before the decision what this kernel can hold a server to ([`foresee`]), so that it is part of the
//! decision. `launch` plans what the server may reach once its program is known ([`Grants`]), makes the locks of the plan
//! before it forks ([`Locks`]), and applies them in the fork, where nothing may be allocated.
//!
//! ```text
//! permissions, kernel ──► Confinement (what is missing)      told before the decision
//! permissions, program ─► Grants ──► Locks ──fork──► apply   Landlock: files;  seccomp: network, processes, calls;
//!                                                            a network of its own: hosts
//! ```
//!
//! A server that is observed ([`Observer`]) is held to the same, and what it uses is noted.

mod asked;
mod filter;
mod foresee;
mod grants;
mod kernel;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod handed;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod observe;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod system;

pub use crate::asked::path_asked_for;
pub use crate::foresee::foresee;
pub use crate::foresee::holds_hosts;
pub use crate::foresee::lists_hosts;
pub use crate::grants::FileGrant;
pub use crate::grants::FileView;
pub use crate::grants::Grants;
pub use crate::grants::Mount;
pub use crate::grants::Right;
pub use crate::grants::Surroundings;
pub use crate::grants::kept;
pub use crate::grants::keys;
pub use crate::kernel::Kernel;
pub use crate::kernel::has_networks;
#[cfg(target_os = "linux")]
pub use crate::locks::Locks;
#[cfg(target_os = "linux")]
pub use crate::network::NetworkSockets;
#[cfg(target_os = "linux")]
pub use crate::network::Ports;
#[cfg(target_os = "linux")]
pub use crate::network::WayOut;
#[cfg(target_os = "linux")]
pub use crate::observe::DraftGround;
#[cfg(target_os = "linux")]
pub use crate::observe::Observer;
#[cfg(target_os = "linux")]
pub use crate::observe::SeenServer;
#[cfg(target_os = "linux")]
pub use crate::observe::Watcher;
#[cfg(target_os = "linux")]
pub use crate::streams::leads_elsewhere;
