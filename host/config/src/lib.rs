//! YAML text → [`Config`]: the rules in force, or all that is wrong.
//!
//! The first stage. It opens nothing itself: the caller hands it a way to look at files. What comes out goes to
//! `package` (the registry) and to `policy` (the rules). Whatever is not understood is an error, because a rule that is
//! silently dropped protects nobody.
//!
//! Inside, the data flows one way too: `discover` finds the files, `raw` makes a tree of each text, `reader` walks it
//! by the description in `keys`, `layer_file` holds what one file says, `fold` makes one configuration of all files.

pub mod choice;
mod config;
pub mod discover;
mod drafts;
mod files;
mod fold;
mod form;
mod join;
mod keys;
mod layer;
mod layer_file;
mod notice;
mod place;
mod problem;
mod raw;
mod reader;
pub mod rules;
pub mod schema;
mod setting;
mod settings;
pub mod template;
#[cfg(test)]
mod tests;
pub mod view;

pub use crate::config::Config;
pub use crate::config::ThresholdError;
pub use crate::files::Files;
pub use crate::layer::Layer;
pub use crate::notice::Notice;
pub use crate::place::FilePlace;
pub use crate::place::Written;
pub use crate::problem::Code;
pub use crate::problem::ConfigError;
pub use crate::problem::Problem;
pub use crate::raw::Position;
pub use crate::setting::Setting;
pub use crate::setting::SettingSource;

use std::path::Path;
use std::path::PathBuf;

use crate::layer_file::LayerFile;
use smcp_model::policy::LayerName;

/// Where relative paths and `~/` lead.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's home, when it is known.
    pub home: Option<PathBuf>,
    /// The directory that a relative `--config` starts at, absolute; empty when it can't be found, and then there are
    /// absolute paths only.
    pub working_directory: PathBuf,
    /// Where an administrator writes rules: `/etc/mcp`. No flag, variable or file moves it; only tests do.
    pub system_folder: PathBuf,
}

/// Reads the text of one file as the whole configuration, in the user layer.
///
/// # Errors
/// With every problem of the file: not UTF-8, too large, not one YAML document, or with keys or values that mean
/// nothing.
pub fn parse(bytes: &[u8], file: &Path, places: &Places) -> Result<Config, ConfigError> {
    fold::fold(vec![LayerFile::parse(bytes, file, LayerName::User, places)], places.home.as_deref())
}
