//! Packages of npm: the whole tree by its integrity values, without scripts.
//!
//! npm resolves first and writes a lock; from that lock alone it installs, in a second folder. The next import of the same
//! lock does the second half only, so that both make the same.

mod entry;

use std::path::Path;

use cap_std::fs::Dir;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::error::ImportError;
use crate::error::safe_lines;
use crate::imported::ImportRequest;
use crate::imported::Imported;
use crate::imported::ManifestDraft;
use crate::imported::Scratch;
use crate::lock::ImportLock;
use crate::lock::LockedPackage;
use crate::platform::LockPlatform;
use crate::platform::architecture;
use crate::program::ClientProgram;
use crate::program::ClientProgramError;
use smcp_bundle::mcpb::repository;
use smcp_bundle::mcpb::text;
use smcp_model::bounded;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

const INSTALL: &str =
    "install Node.js, which has npm with it: https://nodejs.org/en/download, or your system's `nodejs` and `npm`";
/// The oldest npm that leaves the registry's address out of its lock.
const OLDEST: u64 = 9;
/// The most that is read of npm's lock, or of a package.json, bytes.
const DOCUMENT: usize = 64 * 1024 * 1024;
/// What npm leaves in the folder and is no part of the bundle.
const LEFT_OUT: [&str; 4] =
    ["/package.json", "/package-lock.json", "**/node_modules/.package-lock.json", "**/node_modules/.bin/"];
/// The name of the project in whose folder npm installs.
const PROJECT: &str = "imported";

/// What npm is told whatever the user's settings are: no script runs, and the tree depends on nothing but the lock. Who is
/// asked, and how, is left to the user's settings.
const SETTINGS: [&str; 18] = [
    "--ignore-scripts",
    "--no-bin-links",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--no-dry-run",
    "--no-global",
    "--no-workspaces",
    "--no-legacy-peer-deps",
    "--no-strict-peer-deps",
    "--omit-lockfile-registry-resolved",
    "--install-strategy=hoisted",
    "--lockfile-version=3",
    "--omit=dev",
    "--include=optional",
    "--include=peer",
    "--loglevel=error",
    "--json",
];

/// Tells a program of Node.js' platform.
const PROBE: &str = "process.report.excludeNetwork = true; const { header } = process.report.getReport(); \
                     console.log(JSON.stringify({ os: process.platform, arch: process.arch, \
                     glibc: header.glibcVersionRuntime ?? null }))";

/// Imports a package of npm.
pub(crate) fn import(
    name: &str,
    wanted: Option<&str>,
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    progress.begin_steps(&format!("npm:{name}"), 2);
    let done = steps(name, wanted, request, scratch, progress);
    progress.end();
    done
}

fn steps(
    name: &str,
    wanted: Option<&str>,
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    let platform = platform(scratch, progress)?;
    let lock = match request.lock {
        Some(lock) => check(lock, name, wanted, &platform)?,
        None => resolve(name, wanted, platform, scratch, progress)?,
    };
    progress.advance(1);
    let (root, lock) = install(lock, scratch, progress)?;
    progress.advance(1);
    describe(request, lock, root)
}

/// Asks npm and node what they are.
fn platform(scratch: &Scratch<'_>, progress: &mut dyn Progress) -> Result<LockPlatform, ImportError> {
    let version = ClientProgram::new("npm", scratch.path, INSTALL).args(["--version"]).run(progress)?;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        let found = SafeText::quoted(&version);
        let problem =
            format!("npm is version `{found}`, and {OLDEST} or newer is needed\n  install it with: npm install -g npm");
        return Err(ClientProgramError::Unfit(safe_lines(&problem)).into());
    }
    let answer = ClientProgram::new("node", scratch.path, INSTALL).args(["-e", PROBE]).run(progress)?;
    let answer: Map<String, Value> = serde_json::from_slice(&answer).unwrap_or_default();
    let word = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    let (Some(os), Some(arch)) = (word("os"), word("arch")) else {
        return Err(ClientProgramError::Unfit("`node` does not say which platform it is for".to_owned()).into());
    };
    let libc = (os == "linux").then(|| if word("glibc").is_some() { "glibc" } else { "musl" }.to_owned());
    Ok(LockPlatform { os, arch: architecture(&arch), libc, python: None })
}

/// Checks that a lock is for this package and this platform.
fn check(
    lock: &ImportLock,
    name: &str,
    wanted: Option<&str>,
    platform: &LockPlatform,
) -> Result<ImportLock, ImportError> {
    let ImportLock { kind, name: locked, version, platform: made_for, .. } = lock;
    let differs = wanted.is_some_and(|wanted| wanted != version);
    if kind != "npm" || locked != name || differs {
        return Err(ImportError::lock(format!("it is of {kind}:{locked}@{version}")));
    }
    if made_for != platform {
        return Err(ImportError::lock(format!("it is for {made_for}, and this is {platform}")));
    }
    Ok(lock.clone())
}

/// Has npm find everything that belongs to the package, and writes down what it found.
fn resolve(
    name: &str,
    wanted: Option<&str>,
    platform: LockPlatform,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<ImportLock, ImportError> {
    let folder = scratch.folder("resolve")?;
    let written = folder.write("package.json", project(name, wanted.unwrap_or("latest")).to_string());
    written.map_err(ImportError::scratch("write a package.json"))?;
    let npm =
        ClientProgram::new("npm", &scratch.path.join("resolve"), INSTALL).args(["install", "--package-lock-only"]);
    npm.args(SETTINGS).run(progress).map_err(explained)?;
    let document = read(&folder, "package-lock.json")?
        .ok_or_else(|| ImportError::package("npm has written no package-lock.json"))?;
    let entries = document.get("packages").and_then(Value::as_object);
    let entries = entries.ok_or_else(|| ImportError::package("npm's package-lock.json has no `packages`"))?;
    let packages = entries.iter().filter(|(path, _)| !path.is_empty()).map(|(path, entry)| locked(path, entry));
    let mut packages = packages.collect::<Result<Vec<_>, _>>()?;
    packages.sort_by(|one, other| one.path.cmp(&other.path));
    let own = format!("node_modules/{name}");
    let found = packages.iter().find(|package| package.path == own);
    let Some(LockedPackage { version, integrity: Some(integrity), .. }) = found.cloned() else {
        return Err(ImportError::package(format!("npm has found no package `{name}` of its registry")));
    };
    let (kind, name) = ("npm".to_owned(), name.to_owned());
    ImportLock { kind, name, version, integrity, bin: None, extras: Vec::new(), platform, packages }.checked()
}

/// One entry of npm's lock. What npm could only take as it comes is refused: a folder, a repository of git.
fn locked(path: &str, entry: &Value) -> Result<LockedPackage, ImportError> {
    let entry = entry.as_object().cloned().unwrap_or_default();
    let says = |key: &str| entry.get(key).and_then(Value::as_bool).unwrap_or_default();
    let shown = SafeText::quoted(path);
    if says("link") {
        return Err(ImportError::integrity(format!("`{shown}` is a link to a folder, which has no integrity")));
    }
    let package = LockedPackage::of_npm(path, &entry)
        .ok_or_else(|| ImportError::package(format!("npm's lock has no version for `{shown}`")))?;
    if package.integrity.is_none() && !says("inBundle") {
        let from = entry.get("resolved").and_then(Value::as_str).unwrap_or("somewhere");
        return Err(ImportError::integrity(format!(
            "`{shown}` comes from {} and has no integrity: what it is can't be known",
            SafeText::quoted(from)
        )));
    }
    Ok(package)
}

fn project(name: &str, wanted: &str) -> Value {
    json!({"name": PROJECT, "version": "0.0.0", "private": true, "dependencies": {name: wanted}})
}

/// Has npm install what the lock says. Returns the folder, and the lock with what is for other platforms.
fn install(
    lock: ImportLock,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<(Dir, ImportLock), ImportError> {
    let folder = scratch.folder("tree")?;
    let ImportLock { name, version, packages, .. } = &lock;
    let mut project = project(name, version);
    let write = |file: &str, document: &Value| {
        folder.write(file, document.to_string()).map_err(ImportError::scratch("write what npm reads"))
    };
    write("package.json", &project)?;
    if let Some(project) = project.as_object_mut() {
        project.remove("private");
    }
    let entries = std::iter::once((String::new(), project));
    let entries =
        entries.chain(packages.iter().map(|package| (package.path.clone(), Value::Object(package.npm.clone()))));
    let entries: Map<String, Value> = entries.collect();
    let document = json!({
        "name": PROJECT, "version": "0.0.0", "lockfileVersion": 3, "requires": true, "packages": entries,
    });
    write("package-lock.json", &document)?;
    let npm = ClientProgram::new("npm", &scratch.path.join("tree"), INSTALL).args(["ci"]).args(SETTINGS);
    npm.run(progress).map_err(explained)?;
    let mut lock = lock;
    for package in &mut lock.packages {
        let is_there = folder.exists(format!("{}/package.json", package.path));
        let may_lack = ["optional", "devOptional", "peer"].iter().any(|key| package.says(key));
        if !is_there && !may_lack {
            let path = SafeText::quoted(&package.path);
            return Err(ImportError::package(format!("npm has not installed `{path}`, which its lock has")));
        }
        package.absent = !is_there;
    }
    Ok((folder, lock))
}

/// Finds what npm's code for an error means.
fn explained(error: ClientProgramError) -> ImportError {
    let ClientProgramError::Failed { printed, said, .. } = &error else { return error.into() };
    let document: Map<String, Value> = serde_json::from_slice(printed).unwrap_or_default();
    let about = document.get("error").and_then(Value::as_object).cloned().unwrap_or_default();
    let code = about.get("code").and_then(Value::as_str).unwrap_or_default();
    let summary = text(&about, "summary").unwrap_or_default();
    match code {
        "EINTEGRITY" => ImportError::integrity(format!("npm got something else than the lock says: {summary}")),
        "E404" | "ETARGET" => ImportError::registry(format!("npm does not have it: {summary}")),
        "ERESOLVE" => ImportError::registry(format!("its packages don't fit together: {summary}{said}")),
        _ => error.into(),
    }
}

/// Writes the manifest of what npm installed.
fn describe(request: &ImportRequest<'_>, mut lock: ImportLock, root: Dir) -> Result<Imported, ImportError> {
    let own = format!("node_modules/{}", lock.name);
    let about =
        read(&root, &format!("{own}/package.json"))?.ok_or_else(|| ImportError::package("it has no package.json"))?;
    let bin = request.bin.or(lock.bin.as_deref());
    let program = entry::choose(&lock.name, &about, bin)?;
    let start = entry::command(&root, &own, &program)?;
    let scripts: Vec<&str> = lock
        .packages
        .iter()
        .filter(|package| !package.absent && package.says("hasInstallScript"))
        .map(|package| package.name.as_str())
        .collect();
    let mut remarks = Vec::new();
    if !scripts.is_empty() {
        remarks.push(SafeText::new(&format!(
            "not run: the install script of {}; if the server misses what it builds or downloads, it can't be imported",
            scripts.join(", ")
        )));
    }
    let is_of_a_platform =
        |package: &LockedPackage| ["os", "cpu", "libc"].iter().any(|key| package.npm.contains_key(*key));
    let native = lock.packages.iter().any(|package| !package.absent && is_of_a_platform(package))
        || has_native_code(&root, Path::new("node_modules"))?;
    let usual = entry::choose(&lock.name, &about, None).ok();
    let other_program = usual.is_none_or(|usual| usual != program).then(|| program.name.clone());
    lock.bin = Some(program.name);
    let draft = ManifestDraft {
        description: text(&about, "description"),
        repository: repository(about.get("repository")),
        license: text(&about, "license"),
        runtime: start.runtime,
        runtime_version: about.get("engines").and_then(|engines| engines.get("node")?.as_str()).map(str::to_owned),
        native,
        command: start.command,
        left_out: &LEFT_OUT,
        other_program,
        remarks,
        ..ManifestDraft::default()
    };
    draft.finish(request, lock, root)
}

/// Whether there is a native extension in a folder.
fn has_native_code(root: &Dir, folder: &Path) -> Result<bool, ImportError> {
    let failed = ImportError::scratch("look at what was installed");
    for entry in root.read_dir(folder).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type().map_err(&failed)?;
        if kind.is_file() && path.extension().is_some_and(|end| end == "node")
            || kind.is_dir() && has_native_code(root, &path)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a JSON object; `None` when there is no such file.
fn read(dir: &Dir, path: &str) -> Result<Option<Map<String, Value>>, ImportError> {
    let failed = ImportError::scratch("read what npm wrote");
    let Some(file) = open_file(dir, path).map_err(&failed)? else { return Ok(None) };
    let bytes = bounded::read_within(file, DOCUMENT, 0).map_err(&failed)?;
    let invalid = |why: &str| ImportError::package(format!("`{}` can't be read: {why}", SafeText::quoted(path)));
    let bytes = bytes.ok_or_else(|| invalid("it is too long"))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map(Some).map_err(|error| invalid(&error.to_string()))
}

#[cfg(test)]
mod tests;
