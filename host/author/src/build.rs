//! Builds a project by its language's toolchain, and hands over the component.
//!
//! Intermediate files are in the project's folder `build`; a toolchain that a lock file pins is in the folder that is
//! usual for its language. Of a component that a toolchain made, only the parts that run are kept.

mod c;
mod go;
mod javascript;
mod python;
mod rust;

use std::io;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;

use crate::component;
use crate::component::ComponentError;
use crate::component::WIT;
use crate::language::Language;
use crate::project_file;
use crate::sections;
use crate::toolchain::Tool;
use crate::toolchain::ToolError;
use smcp_model::digest::Hasher;
use smcp_store::access::StoreAccess;
use smcp_store::draft::FileDraft;

/// The folder of intermediate files, in the project's.
const BUILD: &str = "build";
/// The file that a toolchain writes, below the project's folder.
const MADE: &str = "build/policy.wasm";
/// The folder of the interface, for toolchains that read it: the project's own, or one that is written beside their
/// output.
const OWN_WIT: &str = "wit";
const WRITTEN_WIT: &str = "build/wit";
/// The file in an installed toolchain that has a copy of its lock file.
const INSTALLED: &str = ".smcp-installed";

/// The error when no component was made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A program of the toolchain is missing, or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file of the project can't be read.
    #[error("`{name}` can't be read: {cause}")]
    Unreadable {
        /// Its name in the project's folder.
        name: String,
        /// Why.
        cause: io::Error,
    },
    /// An intermediate file can't be written.
    #[error("`{name}` can't be written: {cause}")]
    Unwritable {
        /// Its name in the project's folder.
        name: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The project has a mistake.
    #[error("{0}")]
    Unfit(String),
    /// The toolchain made something other than a policy's module.
    #[error("what the toolchain made is no policy's module: {0}")]
    Component(#[from] ComponentError),
}

/// A project in a folder.
pub struct Project<'p> {
    /// The folder's path, for the toolchain.
    pub folder: &'p Path,
    /// The same folder, to read and write in.
    pub dir: &'p Dir,
    /// Its language.
    pub language: Language,
    /// Opens a folder of a toolchain, which may lie anywhere.
    pub open: fn(&Path) -> io::Result<Dir>,
    /// Gets each command line before it is run.
    pub announce: &'p dyn Fn(&str),
}

impl std::fmt::Debug for Project<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project")
            .field("folder", &self.folder)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl Project<'_> {
    /// Runs the toolchain, and returns the component. Only the toolchain's own folders are written to.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(&self) -> Result<Vec<u8>, BuildError> {
        let made = match self.language {
            Language::Rust => rust::build(self),
            Language::JavaScript => javascript::build(self),
            Language::Python => python::build(self),
            Language::Go => go::build(self),
            Language::C => c::build(self),
        }?;
        if component::is_component(&made) {
            return Ok(sections::without_custom_sections(&made).map_err(ComponentError::Broken)?);
        }
        Ok(component::from_module(&made)?)
    }

    fn tool<'t>(&self, program: &'t str, install: &'static str) -> Tool<'t> {
        Tool::new(self.folder, program, install)
    }

    /// Announces the line, and runs it.
    fn run(&self, tool: Tool<'_>) -> Result<(), BuildError> {
        (self.announce)(&tool.line());
        Ok(tool.run()?)
    }

    /// Runs the program that writes [`MADE`], and returns that file. An older one is removed first, so that it can't be
    /// mistaken for the new one.
    fn make(&self, tool: Tool<'_>) -> Result<Vec<u8>, BuildError> {
        let unwritable = |cause| BuildError::Unwritable { name: BUILD.to_owned(), cause };
        self.dir.create_dir_all(BUILD).map_err(unwritable)?;
        match self.dir.remove_file(MADE) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
            Ok(()) | Err(_) => {}
        }
        self.run(tool)?;
        self.read(MADE)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, BuildError> {
        project_file::read(self.dir, name).map_err(|cause| BuildError::Unreadable { name: name.to_owned(), cause })
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), BuildError> {
        let written = || {
            let (folder, file) = name.rsplit_once('/').unwrap_or((".", name));
            self.dir.create_dir_all(folder)?;
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            self.dir.open_dir(folder)?.open_with(file, &options)?.write_all(content)
        };
        written().map_err(|cause| BuildError::Unwritable { name: name.to_owned(), cause })
    }

    /// The folder with the interface: the project's own, so that a project stays with the version that it was made for.
    fn wit(&self) -> Result<&'static str, BuildError> {
        if self.dir.is_dir(OWN_WIT) {
            return Ok(OWN_WIT);
        }
        self.write(&format!("{WRITTEN_WIT}/policy.wit"), WIT.as_bytes())?;
        Ok(WRITTEN_WIT)
    }

    /// Installs the toolchain of a lock file into `folder`, unless it is there already.
    fn install(&self, folder: &str, locks: &[&str], steps: Vec<Tool<'_>>) -> Result<(), BuildError> {
        let mut lock = Hasher::default();
        for name in locks {
            lock.update(&self.read(name)?);
        }
        let lock = lock.finish().to_string();
        let installed = format!("{folder}/{INSTALLED}");
        if project_file::read(self.dir, &installed).is_ok_and(|found| found == lock.as_bytes()) {
            return Ok(());
        }
        steps.into_iter().try_for_each(|step| self.run(step))?;
        self.write(&installed, lock.as_bytes())
    }
}

/// Writes a component to its file, which is complete whenever it can be seen; an older one is replaced.
///
/// # Errors
/// When the folder can't be written to.
pub fn write_component(folder: &Dir, name: &str, component: &[u8]) -> io::Result<()> {
    // Every user may read it: a configuration of the system's layer may name it.
    let mut draft = FileDraft::new(folder, StoreAccess::Readable)?;
    draft.write_all(component)?;
    draft.keep(name)
}
