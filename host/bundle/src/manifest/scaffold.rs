//! Writes a first `manifest.json` for a project, from the project's own files.

mod project;

use std::fmt;
use std::io;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use serde_json::Value;
use serde_json::json;

use crate::manifest::MANIFEST;
use crate::manifest::scaffold::project::ExaminedProject;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// The program that runs a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRuntime {
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// The server is a program itself.
    Binary,
}

impl ServerRuntime {
    /// The word in a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for ServerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The manifest that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaffolded {
    /// The package.
    pub id: PackageId,
    /// Its version.
    pub version: Version,
    /// The program that runs it.
    pub runtime: ServerRuntime,
    /// The command that starts it.
    pub command: Vec<String>,
    /// The assumptions where the project's files say nothing.
    pub remarks: Vec<SafeText>,
}

/// Why no manifest was written.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The project has one already.
    #[error("there is a `{MANIFEST}` in it already, and it was not changed")]
    Exists,
    /// The system refuses.
    #[error("can't write `{MANIFEST}`")]
    Unwritable(#[source] io::Error),
}

/// Writes a manifest into `dir`. If the name, the version or the runtime is `None`, it comes from the project's own
/// files, or from the name of its `folder`.
///
/// # Errors
/// See [`ScaffoldError`].
pub fn scaffold(
    dir: &Dir,
    folder: &str,
    name: Option<(PackageId, Version)>,
    runtime: Option<ServerRuntime>,
) -> Result<Scaffolded, ScaffoldError> {
    let project = ExaminedProject::examine(dir, runtime);
    let mut remarks = project.remarks;
    let (id, version) = name.unwrap_or_else(|| {
        let id = project.id.or_else(|| project::id("local", folder)).unwrap_or_else(project::unnamed);
        let version = project.version.unwrap_or_else(project::first_version);
        remarks.push(SafeText::new(&format!(
            "the package is called {id}@{version}; --name ORG/NAME@VERSION calls it otherwise"
        )));
        (id, version)
    });
    let command = project.command.unwrap_or_else(|| match project.runtime {
        ServerRuntime::Node => vec!["node".to_owned(), "server.js".to_owned()],
        ServerRuntime::Python => vec!["python3".to_owned(), "server.py".to_owned()],
        ServerRuntime::Binary => vec![format!("bin/{}", id.name)],
    });
    let mut entrypoint = json!({"command": command});
    if let (Some(path), Value::Object(entrypoint)) = (project.python_path, &mut entrypoint) {
        entrypoint.insert("env".to_owned(), json!({"PYTHONPATH": path}));
    }
    let mut package = json!({"id": id.to_string(), "version": version.as_str()});
    if let (Some(text), Value::Object(package)) = (project.description, &mut package) {
        package.insert("description".to_owned(), text.into());
    }
    let manifest = json!({
        "schema_version": 1,
        "package": package,
        "runtime": {"type": project.runtime.as_str()},
        "entrypoint": entrypoint,
        "permissions": {
            "network": {"outbound": []},
            "filesystem": {"read": [], "write": []},
            "env_vars": [],
        },
    });
    write(dir, &format!("{manifest:#}\n"))?;
    Ok(Scaffolded { id, version, runtime: project.runtime, command, remarks })
}

fn write(dir: &Dir, text: &str) -> Result<(), ScaffoldError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = match dir.open_with(MANIFEST, &options) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(ScaffoldError::Exists),
        opened => opened.map_err(ScaffoldError::Unwritable)?,
    };
    io::Write::write_all(&mut file, text.as_bytes()).map_err(|cause| {
        // A half-written file would count as an existing manifest next time.
        drop(dir.remove_file(MANIFEST));
        ScaffoldError::Unwritable(cause)
    })
}

#[cfg(test)]
mod tests;
