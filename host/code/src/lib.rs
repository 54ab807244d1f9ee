//! The code of policies: compiled in a child process, and kept.
//!
//! `policy` comes before: it says what a compiler and a store are, and what of them is run. `pipeline` comes after, and
//! gives both to the host.
//!
//! ```text
//! ChildCompiler ──component──► child: confine ─► compile      our own program, which has given up everything
//!               ◄────code─────
//! CompiledStore ──► compiled/ in the cache    a MAC over the mapping that runs
//!               ──► /var/cache/smcp           its owner is root
//! ```

mod child;
mod compiler;
mod confine;
mod conversation;
mod entry;
#[cfg(target_os = "linux")]
mod fork_server;
mod key;
mod mapping;
mod reply;
mod seal;
mod store;
mod system;

pub use child::is_compiler;
pub use child::serve;
pub use compiler::ChildCompiler;
pub use compiler::heed_children;
pub use confine::CompilerConfinement;
#[cfg(target_os = "linux")]
pub use fork_server::ForkServer;
pub use seal::UserSeal;
pub use store::CodePlaces;
pub use store::CompiledStore;
pub use system::SYSTEM_FOLDER;
pub use system::SystemFiles;
