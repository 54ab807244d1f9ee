//! Packages of PyPI: wheels by their hashes, installed by pip into one folder.
//!
//! pip resolves first and reports what it would take; those files, each by its hash, are what it installs then. The next
//! import of the same lock does the second half only, so that both make the same.

mod entry;

use cap_std::fs::Dir;
use serde_json::Map;
use serde_json::Value;

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
use crate::source::canonical;
use crate::source::canonical_extras;
use crate::source::pypi_word;
use smcp_model::bounded;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

const INSTALL_PYTHON: &str =
    "install Python 3.9 or newer: https://www.python.org/downloads, or your system's `python3`";
const INSTALL_PIP: &str =
    "install pip with: python3 -m ensurepip, or your system's `python3-pip`; or uv: https://docs.astral.sh/uv";
/// The oldest pip that says what it would install.
const OLDEST: (u64, u64) = (22, 2);
/// The most that is read of pip's report, or of a file about a package, bytes.
const DOCUMENT: usize = 64 * 1024 * 1024;
/// The folder of what pip installs, in the bundle.
const LIB: &str = "lib";
/// The program that starts the server, in the bundle.
const START: &str = "start.py";
/// What pip leaves in the folder and is no part of the bundle: each has the time, the machine or the order of this install.
const LEFT_OUT: [&str; 9] = [
    "/lib/bin/",
    "/lib/.lock",
    "/lib/*.dist-info/RECORD",
    "/lib/*.dist-info/INSTALLER",
    "/lib/*.dist-info/REQUESTED",
    "/lib/*.dist-info/direct_url.json",
    "/lib/*.dist-info/uv_cache.json",
    "/lib/*.dist-info/uv_build.json",
    "__pycache__/",
];

/// What pip is told whatever the user's settings are: no package runs code while it is installed. Who is asked, and how, is
/// left to the user's settings.
const SETTINGS: [&str; 7] = [
    "--no-input",
    "--disable-pip-version-check",
    "--no-warn-script-location",
    "--no-user",
    "--ignore-installed",
    "--only-binary",
    ":all:",
];

/// What pip says of a file that has another hash than it should.
const OTHER_BYTES: &str = "THESE PACKAGES DO NOT MATCH THE HASHES";

/// Settings that would have pip install something else, or elsewhere.
const TAKEN_AWAY: [&str; 19] = [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_REQUIREMENT",
    "PIP_EDITABLE",
    "PIP_NO_DEPS",
    "PIP_DRY_RUN",
    "PIP_REPORT",
    "PIP_PLATFORM",
    "PIP_PYTHON",
    "PIP_PYTHON_VERSION",
    "PIP_ABI",
    "PIP_IMPLEMENTATION",
    "PIP_NO_BINARY",
    "PIP_REQUIRE_HASHES",
    "PIP_REQUIRE_VIRTUALENV",
    "PYTHONPATH",
    "PYTHONHOME",
];

/// Tells what `python3` is: the platform of the wheels that fit it, and whether pip is there.
const PROBE: &str = "import json, platform, sys, sysconfig
from importlib import metadata
try:
    pip = metadata.version('pip')
except metadata.PackageNotFoundError:
    pip = None
libc = 'musl' if 'musl' in (sysconfig.get_config_var('SOABI') or '') else (platform.libc_ver()[0] or None)
print(json.dumps({'os': sys.platform, 'arch': platform.machine(), 'libc': libc, 'pip': pip,
                  'python': '%d.%d' % sys.version_info[:2]}))";

/// What is wanted of PyPI.
pub(crate) struct WantedPackage<'w> {
    pub(crate) name: &'w str,
    pub(crate) extras: &'w [String],
    pub(crate) version: Option<&'w str>,
}

/// Which pip is used: that of `python3`, or one that uv brings for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pip {
    OfPython,
    OfUv,
}

/// Imports a package of PyPI.
pub(crate) fn import(
    wanted: &WantedPackage<'_>,
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    progress.begin_steps(&format!("pypi:{}", wanted.name), 2);
    let done = steps(wanted, request, scratch, progress);
    progress.end();
    done
}

fn steps(
    wanted: &WantedPackage<'_>,
    request: &ImportRequest<'_>,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Imported, ImportError> {
    let (platform, pip) = platform(scratch, progress)?;
    let lock = match request.lock {
        Some(lock) => check(lock, wanted, &platform)?,
        None => resolve(wanted, platform, pip, scratch, progress)?,
    };
    progress.advance(1);
    let root = install(&lock, pip, scratch, progress)?;
    progress.advance(1);
    describe(request, lock, root)
}

/// Asks python3 what it is, and whether it has pip.
fn platform(scratch: &Scratch<'_>, progress: &mut dyn Progress) -> Result<(LockPlatform, Pip), ImportError> {
    let python = ClientProgram::new("python3", scratch.path, INSTALL_PYTHON).args(["-I", "-c", PROBE]);
    let answer = python.without(&TAKEN_AWAY).run(progress)?;
    let answer: Map<String, Value> = serde_json::from_slice(&answer).unwrap_or_default();
    let word = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    let (Some(os), Some(arch), Some(python)) = (word("os"), word("arch"), word("python")) else {
        return Err(ClientProgramError::Unfit("`python3` does not say which platform it is for".to_owned()).into());
    };
    let libc = word("libc").filter(|_| os == "linux");
    let platform = LockPlatform { os, arch: architecture(&arch), libc, python: Some(python) };
    let numbers = |text: &str| {
        let mut numbers = text.split('.').map(|number| number.parse::<u64>().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    };
    if word("pip").is_some_and(|pip| numbers(&pip) >= OLDEST) {
        return Ok((platform, Pip::OfPython));
    }
    match ClientProgram::new("uv", scratch.path, INSTALL_PIP).args(["--version"]).run(progress) {
        Ok(_) => Ok((platform, Pip::OfUv)),
        Err(ClientProgramError::Missing { .. }) => {
            let found = word("pip").map_or("has no pip".to_owned(), |pip| format!("has pip {pip}"));
            let (major, minor) = OLDEST;
            let problem = format!(
                "`python3` {found}, pip {major}.{minor} or newer is needed, and there is no uv\n  {INSTALL_PIP}"
            );
            Err(ClientProgramError::Unfit(safe_lines(&problem)).into())
        }
        Err(error) => Err(error.into()),
    }
}

impl Pip {
    /// `pip install`, about to run in the scratch folder.
    fn install(self, scratch: &Scratch<'_>) -> ClientProgram {
        let program = match self {
            Self::OfPython => ClientProgram::new("python3", scratch.path, INSTALL_PYTHON).args(["-m", "pip"]),
            Self::OfUv => {
                let run = ["tool", "run", "--quiet", "--python", "python3", "pip"];
                ClientProgram::new("uv", scratch.path, INSTALL_PIP).args(run)
            }
        };
        program.args(["install"]).args(SETTINGS).without(&TAKEN_AWAY)
    }
}

/// Checks that a lock is for this package and this platform.
fn check(lock: &ImportLock, wanted: &WantedPackage<'_>, platform: &LockPlatform) -> Result<ImportLock, ImportError> {
    let ImportLock { kind, version, platform: made_for, .. } = lock;
    let differs = wanted.version.is_some_and(|wanted| wanted != version)
        || pypi_word(&lock.name, &lock.extras) != pypi_word(wanted.name, wanted.extras);
    if kind != "pypi" || differs {
        return Err(ImportError::lock(format!("it is of {kind}:{}=={version}", lock.named())));
    }
    if made_for != platform {
        return Err(ImportError::lock(format!("it is for {made_for}, and this is {platform}")));
    }
    Ok(lock.clone())
}

/// Has pip find everything that belongs to the package, and writes down what it found.
fn resolve(
    wanted: &WantedPackage<'_>,
    platform: LockPlatform,
    pip: Pip,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<ImportLock, ImportError> {
    let WantedPackage { name, extras, version } = wanted;
    let extras_text = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let wanted = version.map_or(format!("{name}{extras_text}"), |version| format!("{name}{extras_text}=={version}"));
    let find = pip.install(scratch).args(["--quiet", "--dry-run", "--report", "report.json", &wanted]);
    find.run(progress).map_err(explained)?;
    let report = read(scratch.dir, "report.json")?.ok_or_else(|| ImportError::package("pip has written no report"))?;
    let report: Value = serde_json::from_slice(&report)
        .map_err(|error| ImportError::package(format!("pip's report can't be read: {error}")))?;
    let items = report.get("install").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut packages = items.iter().map(locked).collect::<Result<Vec<_>, _>>()?;
    packages.sort_by(|one, other| one.path.cmp(&other.path));
    let own = packages.iter().find(|package| canonical(&package.name) == canonical(name));
    let Some(LockedPackage { name, version, integrity: Some(integrity), .. }) = own.cloned() else {
        return Err(ImportError::package(format!("pip has found no package `{name}`")));
    };
    let (kind, extras) = ("pypi".to_owned(), canonical_extras(extras));
    ImportLock { kind, name, version, integrity, bin: None, extras, platform, packages }.checked()
}

/// One file of pip's report.
fn locked(item: &Value) -> Result<LockedPackage, ImportError> {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(version), Some(url)) =
        (text("/metadata/name"), text("/metadata/version"), text("/download_info/url"))
    else {
        return Err(ImportError::package("pip's report has a file without a name"));
    };
    let hash = text("/download_info/archive_info/hashes/sha256").or_else(|| {
        text("/download_info/archive_info/hash").and_then(|hash| hash.strip_prefix("sha256=").map(str::to_owned))
    });
    let Some(hash) = hash else {
        let name = SafeText::quoted(&name);
        return Err(ImportError::integrity(format!("`{name}` has no SHA-256: what it is can't be known")));
    };
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let file = url.rsplit('/').next().unwrap_or_default().replace("%2B", "+").replace("%2b", "+");
    if !file.ends_with(".whl") || !file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+!-".contains(&byte)) {
        let file = SafeText::quoted(&file);
        return Err(ImportError::package(format!(
            "`{file}` is no wheel, and whatever else there is runs code when it is installed"
        )));
    }
    let npm = Map::new();
    Ok(LockedPackage { path: file, name, version, integrity: Some(format!("sha256:{hash}")), absent: false, npm })
}

/// Has pip install what the lock says. Returns the root of the bundle.
fn install(
    lock: &ImportLock,
    pip: Pip,
    scratch: &Scratch<'_>,
    progress: &mut dyn Progress,
) -> Result<Dir, ImportError> {
    let line = |package: &LockedPackage| {
        let LockedPackage { name, version, integrity, .. } = package;
        format!("{name}=={version} --hash={}\n", integrity.as_deref().unwrap_or_default())
    };
    let lines: String = lock.packages.iter().map(line).collect();
    scratch.dir.write("requirements.txt", lines).map_err(ImportError::scratch("write what pip reads"))?;
    let root = scratch.folder("tree")?;
    let folder = format!("tree/{LIB}");
    let install = ["--quiet", "--no-deps", "--no-compile", "--require-hashes", "--target", &folder];
    let install = pip.install(scratch).args(install).args(["--requirement", "requirements.txt"]);
    install.run(progress).map_err(explained)?;
    Ok(root)
}

/// Finds what pip means; it has no codes for its errors.
fn explained(error: ClientProgramError) -> ImportError {
    let ClientProgramError::Failed { said, complained, .. } = &error else { return error.into() };
    if complained.contains(OTHER_BYTES) {
        return ImportError::integrity(format!("pip got something else than the lock says:{said}"));
    }
    error.into()
}

/// Writes the manifest of what pip installed, and the program that starts it.
fn describe(request: &ImportRequest<'_>, mut lock: ImportLock, root: Dir) -> Result<Imported, ImportError> {
    let lib = root.open_dir(LIB).map_err(ImportError::scratch("look at what was installed"))?;
    let info = entry::info_folder(&lib, &lock.name)?;
    let entries = read(&lib, &format!("{info}/entry_points.txt"))?.unwrap_or_default();
    let bin = request.bin.or(lock.bin.as_deref());
    let program = entry::choose(&lock.name, &entries, bin)?;
    let python = lock.platform.python.clone().unwrap_or_default();
    root.write(START, program.text(&python)).map_err(ImportError::scratch("write the program that starts it"))?;
    let about = entry::about(&read(&lib, &format!("{info}/METADATA"))?.unwrap_or_default());
    let usual = entry::choose(&lock.name, &entries, None).ok();
    let other_program = usual.is_none_or(|usual| usual != program).then(|| program.name.clone());
    lock.bin = Some(program.name);
    let draft = ManifestDraft {
        description: about.summary,
        repository: about.repository,
        license: about.license,
        runtime: "python",
        runtime_version: Some(python),
        // Which packages belong to it depends on the platform, even where all of them are for any.
        native: true,
        command: ["python3", "-S", "-B", START].map(str::to_owned).to_vec(),
        left_out: &LEFT_OUT,
        other_program,
        ..ManifestDraft::default()
    };
    draft.finish(request, lock, root)
}

fn read(dir: &Dir, path: &str) -> Result<Option<Vec<u8>>, ImportError> {
    let failed = ImportError::scratch("read what pip wrote");
    let Some(file) = open_file(dir, path).map_err(&failed)? else { return Ok(None) };
    let bytes = bounded::read_within(file, DOCUMENT, 0).map_err(&failed)?;
    bytes.map(Some).ok_or_else(|| ImportError::package(format!("`{}` is too long", SafeText::quoted(path))))
}

#[cfg(test)]
mod tests;
