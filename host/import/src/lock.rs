//! What went into a bundle: `source.json`, the lock that makes the same again.

use std::collections::BTreeSet;

use cap_std::fs::Dir;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::error::ImportError;
use crate::platform::LockPlatform;
use crate::source;
use smcp_model::exit::ExitKind;
use smcp_model::json;
use smcp_model::text::SafeText;

/// The file in a bundle that says what went into it.
pub const SOURCE_FILE: &str = "source.json";

const SCHEMA: &str = "smcp.source/1";

/// The keys of a lock.
const KEYS: [&str; 9] = ["schema", "kind", "name", "version", "integrity", "bin", "extras", "platform", "packages"];
/// The keys of one of its packages.
const PACKAGE_KEYS: [&str; 6] = ["path", "name", "version", "integrity", "absent", "npm"];

/// Keys of npm's lock file that decide how it lays out and checks a tree; all others are left out.
const NPM_KEYS: [&str; 17] = [
    "name",
    "version",
    "resolved",
    "integrity",
    "optional",
    "peer",
    "devOptional",
    "inBundle",
    "hasInstallScript",
    "bundleDependencies",
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "os",
    "cpu",
    "libc",
];

/// What went into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLock {
    /// `npm`, `pypi` or `mcpb`.
    pub kind: String,
    /// The name there.
    pub name: String,
    /// The version there.
    pub version: String,
    /// The integrity of the package itself, as its registry has it: `sha512-…` of npm, else `sha256:…`.
    pub integrity: String,
    /// Which of several programs is started.
    pub bin: Option<String>,
    /// Extras of PyPI.
    pub extras: Vec<String>,
    /// The platform of the bundle.
    pub platform: LockPlatform,
    /// Everything that was installed, by path.
    pub packages: Vec<LockedPackage>,
}

/// A package in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its folder for npm, its file for PyPI.
    pub path: String,
    /// Its name in its registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its integrity; none when it came inside of another package.
    pub integrity: Option<String>,
    /// Whether it is for another platform, and not in the bundle.
    pub absent: bool,
    /// What npm needs to lay out the same tree.
    pub npm: Map<String, Value>,
}

/// A lock can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportLockError {
    /// It is not what a lock looks like.
    #[error("it is no lock of an import: {0}")]
    Form(SafeText),
    /// What it says in one place is not what it says in another.
    #[error("the lock contradicts itself: {0}")]
    Contradiction(SafeText),
}

impl ImportLockError {
    pub(crate) fn new(problem: impl AsRef<str>) -> Self {
        Self::Form(SafeText::new(problem.as_ref()))
    }

    fn contradiction(problem: impl AsRef<str>) -> Self {
        Self::Contradiction(SafeText::new(problem.as_ref()))
    }

    /// What it is for the exit code.
    pub const fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Form(_) => ExitKind::Usage,
            Self::Contradiction(_) => ExitKind::Integrity,
        }
    }
}

/// An object of a lock, read key by key. No types for serde: they would be larger than this.
struct LockObject<'o>(&'o Map<String, Value>);

impl<'o> LockObject<'o> {
    /// Returns a text, when there is one.
    fn some(&self, key: &str) -> Result<Option<String>, ImportLockError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(ImportLockError::new(format!("`{key}` is no text"))),
        }
    }

    /// Returns a text that has to be there.
    fn text(&self, key: &str) -> Result<String, ImportLockError> {
        self.some(key)?.ok_or_else(|| ImportLockError::new(format!("`{key}` is missing")))
    }

    fn object(&self, key: &str) -> Option<&'o Map<String, Value>> {
        self.0.get(key).and_then(Value::as_object)
    }

    /// Returns a list; an empty one when there is none.
    fn list(&self, key: &str) -> Result<&'o [Value], ImportLockError> {
        match self.0.get(key) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(ImportLockError::new(format!("`{key}` is no list"))),
        }
    }

    /// Refuses what nobody would heed: the lock would say it, and the bundle not have it.
    fn only(&self, known: &[&str]) -> Result<(), ImportLockError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ImportLockError::new(format!("the key `{}` is not known", SafeText::quoted(key)))),
        }
    }
}

impl ImportLock {
    /// Reads a lock. Whatever is in it is checked: names and paths go to the command lines of clients.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, ImportLockError> {
        let document: Map<String, Value> = json::read(bytes).map_err(ImportLockError::Form)?;
        let raw = LockObject(&document);
        raw.only(&KEYS)?;
        let (schema, kind) = (raw.text("schema")?, raw.text("kind")?);
        let (name, version, integrity) = (raw.text("name")?, raw.text("version")?, raw.text("integrity")?);
        let bin = raw.some("bin")?;
        if schema != SCHEMA {
            return Err(ImportLockError::new(format!("its `schema` is `{schema}`; expected `{SCHEMA}`")));
        }
        let platform = raw.object("platform").ok_or_else(|| ImportLockError::new("`platform` is missing"))?;
        let platform = LockObject(platform);
        platform.only(&["os", "arch", "libc", "python"])?;
        let [os, arch] = [platform.text("os")?, platform.text("arch")?];
        let [libc, python] = [platform.some("libc")?, platform.some("python")?];
        let packages = raw.list("packages")?.iter().map(|package| LockedPackage::check(package, &kind));
        let packages = packages.collect::<Result<_, _>>()?;
        let extras = raw.list("extras")?.iter().map(|extra| extra.as_str().map(str::to_owned));
        let extras = extras.collect::<Option<Vec<_>>>();
        let extras = extras.ok_or_else(|| ImportLockError::new("one of `extras` is no text"))?;
        let fits = match kind.as_str() {
            "npm" => source::is_npm_name(&name) && is_word(&version),
            "pypi" => {
                source::is_pypi_name(&name)
                    && source::is_pypi_version(&version)
                    && extras.iter().all(|extra| source::is_pypi_name(extra))
            }
            "mcpb" => true,
            _ => return Err(ImportLockError::new(format!("its `kind` is `{kind}`; expected npm, pypi or mcpb"))),
        };
        if !fits || (kind != "mcpb" && !is_integrity(&integrity)) {
            return Err(ImportLockError::new("its name, version or integrity can't be meant"));
        }
        let platform = LockPlatform { os, arch, libc, python };
        let lock = Self { kind, name, version, integrity, bin, extras, platform, packages };
        lock.check_agreement()?;
        Ok(lock)
    }

    /// Checks that what is said of the package itself is what is said of it among its packages, and each of these once.
    fn check_agreement(&self) -> Result<(), ImportLockError> {
        let Self { kind, name, version, integrity, packages, .. } = self;
        let mut paths = BTreeSet::new();
        if let Some(twice) = packages.iter().find(|package| !paths.insert(&package.path)) {
            return Err(ImportLockError::contradiction(format!("`{}` stands in it twice", twice.path)));
        }
        let own = match kind.as_str() {
            "npm" => packages.iter().find(|package| package.path == format!("node_modules/{name}")),
            "pypi" => packages.iter().find(|package| source::canonical(&package.name) == source::canonical(name)),
            _ => return Ok(()),
        };
        let own = own.ok_or_else(|| ImportLockError::new(format!("its `packages` do not have `{name}` itself")))?;
        let names_agree = source::canonical(&own.name) == source::canonical(name);
        let [of_itself, among_packages] = [(version, Some(integrity)), (&own.version, own.integrity.as_ref())];
        if !names_agree || of_itself != among_packages {
            return Err(ImportLockError::contradiction(format!(
                "it is of {name} {version}, {integrity}, and `{}` in its `packages` is {} {}, {}",
                own.path,
                own.name,
                own.version,
                own.integrity.as_deref().unwrap_or("without an integrity")
            )));
        }
        Ok(())
    }

    /// The same, checked as if somebody had handed it over: what a client has found is as much the word of others.
    pub(crate) fn checked(self) -> Result<Self, ImportError> {
        let read = Self::read(self.document().to_string().as_bytes());
        read.map_err(|problem| ImportError::package(format!("what was found can't be meant: {problem}")))
    }

    /// The name there with the extras, as pip takes it.
    pub fn named(&self) -> String {
        let extras = if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        format!("{}{extras}", self.name)
    }

    /// The same as a document.
    pub fn document(&self) -> Value {
        let Self { kind, name, version, integrity, bin, extras, platform, packages } = self;
        let mut document = json!({
            "schema": SCHEMA, "kind": kind, "name": name, "version": version, "integrity": integrity,
        });
        if let Value::Object(document) = &mut document {
            if let Some(bin) = bin {
                document.insert("bin".to_owned(), bin.as_str().into());
            }
            if !extras.is_empty() {
                document.insert("extras".to_owned(), json!(extras));
            }
            document.insert("platform".to_owned(), platform.document().into());
            if !packages.is_empty() {
                document.insert("packages".to_owned(), packages.iter().map(LockedPackage::document).collect());
            }
        }
        document
    }

    /// Writes it into the root of a bundle.
    pub(crate) fn write(&self, root: &Dir) -> std::io::Result<()> {
        root.write(SOURCE_FILE, format!("{:#}\n", self.document()))
    }
}

impl LockedPackage {
    /// A package from an entry of npm's lock file. Only what decides about the tree is kept.
    pub(crate) fn of_npm(path: &str, entry: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            path: path.to_owned(),
            name: text("name").unwrap_or_else(|| folder_name(path).to_owned()),
            version: text("version")?,
            integrity: text("integrity"),
            absent: false,
            npm: NPM_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), entry.get(*key)?.clone()))).collect(),
        })
    }

    /// Whether an entry of npm's lock file says so.
    pub(crate) fn says(&self, key: &str) -> bool {
        self.npm.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    fn check(raw: &Value, kind: &str) -> Result<Self, ImportLockError> {
        let raw = raw.as_object().ok_or_else(|| ImportLockError::new("one of `packages` is no object"))?;
        let raw = LockObject(raw);
        let of_all = ["path", "name", "version", "integrity"];
        raw.only(if kind == "npm" { &PACKAGE_KEYS } else { &of_all })?;
        let [path, name, version] = [raw.text("path")?, raw.text("name")?, raw.text("version")?];
        let (integrity, absent) = (raw.some("integrity")?, raw.0.get("absent").and_then(Value::as_bool));
        let npm = raw.object("npm").cloned().unwrap_or_default();
        LockObject(&npm).only(&NPM_KEYS)?;
        let problem = |what: &str| Err(ImportLockError::new(format!("{what} of `{path}` can't be meant")));
        let is_inside = path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\0');
        if !is_inside || kind == "npm" && !path.starts_with("node_modules/") {
            return problem("the path");
        }
        let named = if kind == "npm" { source::is_npm_name(&name) } else { source::is_pypi_name(&name) };
        if !named || !is_word(&version) {
            return problem("the name or the version");
        }
        if !integrity.as_deref().is_none_or(is_integrity) {
            return problem("the integrity");
        }
        let package = Self { path: path.clone(), name, version, integrity, absent: absent.unwrap_or_default(), npm };
        if package.integrity.is_none() && !package.says("inBundle") {
            return problem("the missing integrity");
        }
        let of_npm = |key: &str| package.npm.get(key).and_then(Value::as_str);
        if of_npm("resolved").is_some_and(|url| !url.starts_with("https://")) {
            return problem("the place");
        }
        let Self { path, name, version, integrity, .. } = &package;
        let agrees = match kind {
            "npm" => {
                of_npm("name").unwrap_or_else(|| folder_name(path)) == name
                    && of_npm("version") == Some(version)
                    && of_npm("integrity") == integrity.as_deref()
            }
            // A wheel's file begins with the name of its package.
            _ => path.split('-').next().is_some_and(|first| source::canonical(first) == source::canonical(name)),
        };
        if !agrees {
            return Err(ImportLockError::contradiction(format!("it says two things of `{path}`")));
        }
        Ok(package)
    }

    fn document(&self) -> Value {
        let Self { path, name, version, integrity, absent, npm } = self;
        let mut document = json!({"path": path, "name": name, "version": version});
        if let Value::Object(document) = &mut document {
            if let Some(integrity) = integrity {
                document.insert("integrity".to_owned(), integrity.as_str().into());
            }
            if *absent {
                document.insert("absent".to_owned(), true.into());
            }
            if !npm.is_empty() {
                document.insert("npm".to_owned(), Value::Object(npm.clone()));
            }
        }
        document
    }
}

/// The name that a package of npm has by its folder.
fn folder_name(path: &str) -> &str {
    path.rsplit_once("node_modules/").map_or(path, |(_, name)| name)
}

/// Whether a text is `sha512-…` in base64, as npm has it, or `sha256:…` in hexadecimal digits.
fn is_integrity(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let of_npm = |text: &str| {
        let digits = ["sha512-", "sha384-", "sha256-", "sha1-"].iter().find_map(|kind| text.strip_prefix(kind));
        digits.is_some_and(|digits| digits.len() >= 20 && digits.bytes().all(is_base64))
    };
    match text.strip_prefix("sha256:") {
        Some(digits) => digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.split(' ').all(of_npm),
    }
}

fn is_word(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!+_-".contains(&byte))
}

#[cfg(test)]
mod tests;
