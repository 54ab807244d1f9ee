//! A package that was made: files in a folder, a manifest, and what went in.

use std::fmt;
use std::path::Path;

use cap_std::fs::Dir;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::error::ImportError;
use crate::lock::ImportLock;
use crate::source::ImportSource;
use smcp_bundle::manifest::MANIFEST;
use smcp_bundle::pack::patterns::Pattern;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// What is imported, and how.
#[derive(Debug)]
pub struct ImportRequest<'r> {
    /// What is imported.
    pub source: &'r ImportSource,
    /// What went in the last time, to make the same again.
    pub lock: Option<&'r ImportLock>,
    /// The name and version here; those of the source when absent.
    pub reference: Option<(PackageId, Version)>,
    /// Which of several programs is started.
    pub bin: Option<&'r str>,
    /// Whether the server writes beside its program.
    pub workdir_writable: bool,
    /// Variables that the user hands to the server.
    pub variables: &'r [String],
    /// What the server asks for, for the manifest.
    pub permissions: Option<&'r Value>,
}

/// A private folder for one import.
#[derive(Clone, Copy)]
pub struct Scratch<'s> {
    /// The folder.
    pub dir: &'s Dir,
    /// Its path, for clients that work in it.
    pub path: &'s Path,
}

impl fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Scratch<'_> {
    /// Makes a folder in it.
    pub(crate) fn folder(&self, name: &str) -> Result<Dir, ImportError> {
        let made = self.dir.create_dir(name).and_then(|()| self.dir.open_dir(name));
        made.map_err(ImportError::scratch("make a folder"))
    }
}

/// A package that can be published.
#[derive(Debug)]
pub struct Imported {
    /// The root of its bundle.
    pub root: Dir,
    /// Its name here.
    pub id: PackageId,
    /// Its version here.
    pub version: Version,
    /// What went in.
    pub lock: ImportLock,
    /// What clients leave in the folder and is no part of the bundle.
    pub left_out: Vec<Pattern>,
    /// What starts it.
    pub command: Vec<String>,
    /// Variables that the user sets, and whether the server needs each.
    pub variables: Vec<(String, bool)>,
    /// What the user should know.
    pub remarks: Vec<SafeText>,
}

/// What a manifest says beyond the request.
#[derive(Debug, Default)]
pub(crate) struct ManifestDraft {
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) license: Option<String>,
    /// `node`, `python` or `binary`.
    pub(crate) runtime: &'static str,
    pub(crate) runtime_version: Option<String>,
    /// Whether the bundle is for its platform alone.
    pub(crate) native: bool,
    pub(crate) command: Vec<String>,
    pub(crate) env: Map<String, Value>,
    pub(crate) workdir: Option<&'static str>,
    /// Variables that the source says the user sets.
    pub(crate) variables: Map<String, Value>,
    pub(crate) left_out: &'static [&'static str],
    /// The program that is started, when it is not the one that `npx` or `uvx` would.
    pub(crate) other_program: Option<String>,
    pub(crate) remarks: Vec<SafeText>,
}

impl ManifestDraft {
    /// Writes manifest and lock beside the files.
    pub(crate) fn finish(
        self,
        request: &ImportRequest<'_>,
        lock: ImportLock,
        root: Dir,
    ) -> Result<Imported, ImportError> {
        let (id, version) = match &request.reference {
            Some(reference) => reference.clone(),
            None => reference_of(&lock, self.other_program.as_deref())?,
        };
        let Self { description, repository, license, runtime, runtime_version, native, .. } = &self;
        let mut package = json!({"id": id.to_string(), "version": version.as_str()});
        for (key, value) in [("description", description), ("repository", repository), ("license", license)] {
            insert(&mut package, key, value.as_deref().filter(|text| !text.is_empty()).map(Value::from));
        }
        let mut runtime = json!({"type": runtime});
        insert(&mut runtime, "version", runtime_version.as_deref().map(Value::from));
        let mut platform = lock.platform.document();
        platform.remove("python");
        insert(&mut runtime, "platform", native.then_some(Value::Object(platform)));
        let mut entrypoint = json!({"command": self.command});
        insert(&mut entrypoint, "env", (!self.env.is_empty()).then(|| Value::Object(self.env.clone())));
        insert(&mut entrypoint, "workdir", self.workdir.map(Value::from));
        let mut manifest = json!({
            "schema_version": 1, "package": package, "runtime": runtime, "entrypoint": entrypoint,
        });
        let mut variables = self.variables;
        for name in request.variables {
            variables.entry(name.as_str()).or_insert_with(|| json!({}));
        }
        insert(&mut manifest, "variables", (!variables.is_empty()).then(|| Value::Object(variables.clone())));
        insert(&mut manifest, "workdir_writable", request.workdir_writable.then_some(true.into()));
        insert(&mut manifest, "permissions", request.permissions.cloned());
        root.write(MANIFEST, format!("{manifest:#}\n")).map_err(ImportError::scratch("write the manifest"))?;
        lock.write(&root).map_err(ImportError::scratch("write the lock"))?;
        let is_required = |about: &Value| about.get("required").and_then(Value::as_bool).unwrap_or_default();
        Ok(Imported {
            root,
            id,
            version,
            lock,
            left_out: patterns(self.left_out)?,
            command: self.command,
            variables: variables.iter().map(|(name, about)| (name.clone(), is_required(about))).collect(),
            remarks: self.remarks,
        })
    }
}

fn insert(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(key.to_owned(), value);
    }
}

fn patterns(texts: &[&str]) -> Result<Vec<Pattern>, ImportError> {
    let parsed = texts.iter().map(|text| text.parse::<Pattern>());
    parsed.collect::<Result<_, _>>().map_err(|error| ImportError::package(error.to_string()))
}

/// The name here of what nobody has named: below `npm`, `pypi` or `mcpb`, never below another organisation.
fn reference_of(lock: &ImportLock, other_program: Option<&str>) -> Result<(PackageId, Version), ImportError> {
    let name = match lock.kind.as_str() {
        "npm" => lock.name.trim_start_matches('@').replace('/', "."),
        "pypi" => crate::source::pypi_word(&lock.name, &lock.extras),
        _ => lock.name.clone(),
    };
    let name = other_program.map_or_else(|| name.clone(), |bin| crate::source::program_word(&name, bin));
    let unfit = |what: &str| {
        let (kind, shown) = (&lock.kind, SafeText::quoted(&format!("{}@{}", lock.name, lock.version)));
        ImportError::package(format!(
            "`{shown}` of {kind} has no {what} that a package can have\n  --as ORG/NAME@VERSION gives it one"
        ))
    };
    let id = format!("{}/{name}", lock.kind).parse().map_err(|_| unfit("name"))?;
    let version = lock.version.parse().map_err(|_| unfit("version"))?;
    Ok((id, version))
}
