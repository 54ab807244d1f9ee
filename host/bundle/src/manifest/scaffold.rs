//! A first `manifest.json` for a project, with what its own files say.

mod project;

use std::fmt;
use std::io;

use cap_std::fs::Dir;
use cap_std::fs::OpenOptions;
use serde_json::Value;
use serde_json::json;

use crate::manifest::MANIFEST;
use crate::manifest::scaffold::project::Project;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// What runs a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// A program of its own.
    Binary,
}

impl Runtime {
    /// The word in a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaffolded {
    /// Which package.
    pub id: PackageId,
    /// Which version.
    pub version: Version,
    /// What runs it.
    pub runtime: Runtime,
    /// What is started.
    pub command: Vec<String>,
    /// What could not be found out, and was assumed.
    pub remarks: Vec<SafeText>,
}

/// A manifest could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// There is one already.
    #[error("there is a `{MANIFEST}` in it already, and it was not changed")]
    Exists,
    /// The system refuses.
    #[error("can't write `{MANIFEST}`")]
    Unwritable(#[source] io::Error),
}

/// Writes a manifest into `dir`. A name, a version and a runtime that are not given are taken from the project's own
/// files, or from its `folder`'s name.
///
/// # Errors
/// See [`ScaffoldError`].
pub fn scaffold(
    dir: &Dir,
    folder: &str,
    name: Option<(PackageId, Version)>,
    runtime: Option<Runtime>,
) -> Result<Scaffolded, ScaffoldError> {
    let project = Project::look(dir, runtime);
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
        Runtime::Node => vec!["node".to_owned(), "server.js".to_owned()],
        Runtime::Python => vec!["python3".to_owned(), "server.py".to_owned()],
        Runtime::Binary => vec![format!("bin/{}", id.name)],
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
        // A half-written file would be refused next time, as one that is there.
        drop(dir.remove_file(MANIFEST));
        ScaffoldError::Unwritable(cause)
    })
}

#[cfg(test)]
mod tests;
