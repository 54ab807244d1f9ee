//! For authors of policies: begins projects, and makes components.
//!
//! `begin` writes a new project. `component` makes a component of a core module, in this process. `language` looks at a
//! project's folder and says which language it is in; `build` runs that language's toolchain in it, by `toolchain`, and
//! hands over what it made. Whether that is a policy is for `smcp-policy` to say, as at a launch.

mod begin;
mod build;
mod component;
mod language;
mod project_file;
mod sections;
mod toolchain;

pub use begin::BeginError;
pub use begin::begin;
pub use begin::project_files;
pub use build::BuildError;
pub use build::Project;
pub use build::write_component;
pub use component::ComponentError;
pub use component::from_module;
pub use component::is_component;
pub use language::Language;
pub use language::UnknownLanguage;
pub use sections::BrokenSections;
pub use sections::without_custom_sections;
pub use toolchain::ToolError;
