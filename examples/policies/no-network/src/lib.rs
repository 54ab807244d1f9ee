//! wip
mod settings;
pub use crate::settings::Settings;
