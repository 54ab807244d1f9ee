//! An author's directory as a bundle: looked at first, packed then.

mod archive;
pub mod patterns;
mod refusal;
mod secrets;
mod survey;

pub use crate::pack::archive::Packed;
pub use crate::pack::archive::pack;
pub use crate::pack::survey::Source;
pub use crate::pack::survey::Survey;
pub use crate::pack::survey::survey;
pub use crate::pack::survey::unreadable;
