//! Makes a bundle of an author's directory: surveys it first, then packs it.

mod archive;
pub mod patterns;
mod refusal;
mod secrets;
mod survey;

pub use crate::pack::archive::Packed;
pub(crate) use crate::pack::archive::header;
pub use crate::pack::archive::pack;
pub use crate::pack::survey::Source;
pub use crate::pack::survey::Survey;
pub use crate::pack::survey::survey;
pub use crate::pack::survey::unreadable;
