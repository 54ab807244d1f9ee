//! `smcp import`: a package of a server that is started otherwise today.

mod restate;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use cap_std::fs::Dir;
use clap::Args;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::publish;
use crate::cli::registry::publish::PublishTarget;
use smcp_authority as authority;
use smcp_authority::ScratchFolder;
use smcp_bundle::pack::patterns::Pattern;
use smcp_import as import;
use smcp_import::ImportError;
use smcp_import::ImportLock;
use smcp_import::ImportRequest;
use smcp_import::ImportSource;
use smcp_import::Imported;
use smcp_import::McpbPlace;
use smcp_import::Scratch;
use smcp_model::deadline::Deadline;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::facts::Status;
use smcp_model::imported::ImportedFrom;
use smcp_model::json as model_json;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_registry::FactChange;
use smcp_registry::PublishRequest;
use smcp_registry::Published;
use smcp_registry::Restated;
use smcp_report::json;
use smcp_report::style::Span;

/// Where a scratch folder is made when nothing else is said.
const TEMPORARY: &str = "/tmp";
/// The most that a lock may have, bytes.
const LOCK: usize = limits::MANIFEST;
/// How long a download of an MCP bundle may take.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// Make a package of a server that npx, uvx or a desktop client starts today, in a registry directory.
///
/// npm or pip fetches the server once, with everything that belongs to it, and runs nothing of it; from then on these bytes
/// start, without a network. What went in is kept with the version: `smcp info --provenance` shows it.
/// What is not said of a version that was imported before stays as it is. Without --registry it goes into the `registry_url` of the configuration, when that is a directory.
#[derive(Debug, Args)]
pub(super) struct ImportCommand {
    /// The package's name and version here [default: npm/NAME, npm/SCOPE.NAME, pypi/NAME or mcpb/NAME, and its own version]
    #[arg(long = "as", value_name = "ORG/NAME@VERSION")]
    name: Option<PackageRef>,
    /// Which of several programs of the package is started
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,
    /// Import what this lock says: `smcp info --provenance --json` prints one
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// A variable that the server gets from whoever starts it; may be given more than once
    #[arg(long, value_name = "NAME")]
    variable: Vec<String>,
    /// What the server asks for: a JSON file with what `permissions` of a manifest.json has
    #[arg(long, value_name = "FILE")]
    permissions: Option<PathBuf>,
    /// The server writes beside its program
    #[arg(long)]
    workdir_writable: bool,
    /// Your word on who stands behind the package: verified, community, or another word, but not official
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    origin: Option<String>,
    /// Your word on its certification level, 0 to 3
    #[arg(long, value_name = "LEVEL")]
    cert_level: Option<CertLevel>,
    /// Your word on its security score, 0 to 100
    #[arg(long, value_name = "SCORE")]
    score: Option<Score>,
    /// State of the version [default: published, or what it is already; must be given where that never runs]
    #[arg(long, value_name = "STATUS", value_parser = Status::KNOWN)]
    status: Option<String>,
    /// npm:NAME[@VERSION], pypi:NAME[==VERSION] or mcpb:FILE|URL[#sha256:DIGEST]
    #[arg(value_name = "SOURCE")]
    source: ImportSource,
}

/// An importer is nobody who certifies.
pub(super) fn parse_origin(text: &str) -> Result<String, String> {
    let origin = publish::parse_origin(text)?;
    if origin.trim().eq_ignore_ascii_case("official") {
        return Err("nobody makes a package official by importing it".to_owned());
    }
    Ok(origin)
}

impl ImportCommand {
    /// Imports a source as the command line does that names nothing else but this.
    pub(super) const fn of(source: ImportSource, bin: Option<String>, origin: Option<String>) -> Self {
        Self {
            name: None,
            bin,
            lock: None,
            variable: Vec::new(),
            permissions: None,
            workdir_writable: false,
            origin,
            cert_level: None,
            score: None,
            status: None,
            source,
        }
    }

    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if let Some(exit) = self.restate(app)? {
            return Ok(exit);
        }
        match self.import(app)? {
            Ok((target, imported, published)) => self.answer(app, &target, &imported, &published),
            Err(exit) => Ok(exit),
        }
    }

    /// Makes the package and publishes it. The inner error is how the command ends when it was interrupted.
    pub(super) fn import(&self, app: &mut App) -> Result<Result<(PublishTarget, Imported, Published), Exit>, Failure> {
        let reference = match &self.name {
            None => None,
            Some(PackageRef { id, selector: Selector::Exact(version) }) => Some((id.clone(), version.clone())),
            Some(PackageRef { selector: Selector::Latest | Selector::Digest(_), .. }) => {
                return Err(Failure::usage(anyhow::anyhow!("--as needs a version, such as acme/tool@1.0.0")));
            }
        };
        let lock = self.lock.as_deref().map(|path| read_lock(app, path)).transpose()?;
        let permissions = self.permissions.as_deref().map(|path| read_permissions(app, path)).transpose()?;
        let registry = registry(app)?;
        let scratch = scratch(app)?;
        let request = ImportRequest {
            source: &self.source,
            lock: lock.as_ref(),
            reference,
            bin: self.bin.as_deref(),
            workdir_writable: self.workdir_writable,
            variables: &self.variable,
            permissions: permissions.as_ref(),
        };
        let place = Scratch { dir: scratch.dir(), path: scratch.path() };
        let imported = match &self.source {
            ImportSource::Npm { .. } | ImportSource::Pypi { .. } => {
                import::import(&request, &place, &mut *app.progress())
            }
            ImportSource::Mcpb { place: from, digest } => {
                let bytes = bytes_of(app, from)?;
                import::mcpb::import(&bytes, digest.as_ref(), &request, &place)
            }
        };
        let imported = match imported {
            Ok(imported) => imported,
            Err(error) => return ended(app, error, &self.source).map(Err),
        };
        let target = PublishTarget::of(app, registry)?;
        let published = self.publish(&target, &imported)?;
        Ok(Ok((target, imported, published)))
    }

    fn publish(&self, target: &PublishTarget, imported: &Imported) -> Result<Published, Failure> {
        let Imported { root, id, version, lock, left_out, .. } = imported;
        let from = imported_from(lock);
        let request =
            self.request(id.clone(), version.clone(), root.try_clone()?, left_out.clone(), Some(from.clone()));
        if self.is_about_facts()
            && let Some(Restated { published, .. }) = target.restate(&request, &|there| *there == from)?
        {
            return Ok(published);
        }
        target.publish(&request)
    }

    fn request(
        &self,
        id: PackageId,
        version: Version,
        bundle_dir: Dir,
        exclude: Vec<Pattern>,
        source: Option<ImportedFrom>,
    ) -> PublishRequest<'static> {
        PublishRequest {
            id,
            version,
            bundle_dir,
            origin: self.origin.clone(),
            cert_level: self.cert_level,
            score: self.score,
            findings: None,
            status: self.status.as_deref().map(Status::from_word),
            keep_facts: true,
            exclude,
            // What everybody can have of its own registry is no secret.
            include_secrets: true,
            attestation: None,
            source,
        }
    }

    /// Says what was made.
    fn answer(
        &self,
        app: &mut App,
        target: &PublishTarget,
        imported: &Imported,
        published: &Published,
    ) -> Result<Exit, Failure> {
        let Imported { id, version, lock, command, variables, remarks, .. } = imported;
        let reference = format!("{id}@{version}");
        if app.json() {
            json::write(&document(&reference, imported, published), &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let here = lock.packages.iter().filter(|package| !package.absent).count();
        let mut rows = vec![("source", Span::plain(imported_from(lock).to_string()))];
        rows.push(("integrity", Span::plain(lock.integrity.clone())));
        if here > 0 {
            rows.push(("packages", Span::plain(format!("{here}, each with its integrity"))));
        }
        rows.push(("starts", Span::plain(command.join(" "))));
        if !variables.is_empty() {
            let named = variables
                .iter()
                .filter(|(name, _)| name != "HOME")
                .map(|(name, required)| format!("{name}{}", if *required { "" } else { " (if set)" }));
            rows.push(("variables", Span::plain(named.collect::<Vec<_>>().join(", "))));
        }
        rows.extend(publish::rows(&target.registry(), published).into_iter().filter(|(name, _)| *name != "left out"));
        let registry =
            if app.named_registry().is_some() { format!(" --registry {}", target.registry()) } else { String::new() };
        rows.push(("next", Span::plain(format!("smcp mcp-config{registry} {reference} --client NAME --write"))));
        let done = match (published.updated, published.changes.is_empty()) {
            (false, _) => "is imported",
            (true, true) => "was imported before; its bytes are the same",
            (true, false) => "has new facts; its bytes are the same",
        };
        app.done(&format!("{reference} {done}"), &rows)?;
        remarks.iter().chain(&published.remarks).for_each(|remark| app.notice(remark.as_str()));
        Ok(Exit::SUCCESS)
    }
}

fn changes(published: &Published) -> Vec<Value> {
    let changes = published.changes.iter();
    changes.map(|FactChange { fact, before, after }| json!({"fact": fact, "from": before, "to": after})).collect()
}

/// The registry that a package goes into: the one that is named, or that of the configuration when it is a directory.
pub(super) fn registry(app: &App) -> Result<Registry, Failure> {
    let (registry, is_named) = match app.named_registry() {
        Some(text) => (app.registry(text)?, true),
        None => (app.session(None)?.config().registry().clone(), false),
    };
    match registry {
        // What an import comes from is the word of a directory's owner; in a registry of images there are signed words alone.
        other @ (Registry::Url(_) | Registry::Official(_) | Registry::Oci(_)) => {
            let subject = if is_named { format!("`{other}`") } else { format!("the configuration's registry {other}") };
            Err(Failure::usage(anyhow::anyhow!(
                "{subject} is no directory, and a package is imported into one\n  --registry DIR names one, for example \
                 --registry ~/mcp-registry"
            )))
        }
        directory @ Registry::Directory(_) => Ok(directory),
    }
}

/// Where the package comes from.
fn imported_from(lock: &ImportLock) -> ImportedFrom {
    let ImportLock { kind, version, integrity, .. } = lock.clone();
    ImportedFrom { kind, name: lock.named(), version, integrity, facts_by_importer: false }
}

/// What was made, for machines.
fn document(reference: &str, imported: &Imported, published: &Published) -> Value {
    let Imported { lock, command, variables, remarks, .. } = imported;
    let variables = variables.iter().map(|(name, required)| json!({"name": name, "required": required}));
    json!({
        "schema": "smcp.imported/1",
        "package": reference,
        "source": imported_from(lock).document(),
        "packages": lock.packages.iter().filter(|package| !package.absent).count(),
        "manifest_digest": published.manifest_digest,
        "bundle_digest": published.bundle_digest,
        "bundle_size": published.bundle_size,
        "known": published.updated,
        "changes": changes(published),
        "command": command,
        "variables": variables.collect::<Vec<_>>(),
        "remarks": remarks.iter().chain(&published.remarks).collect::<Vec<_>>(),
    })
}

fn scratch(app: &App) -> Result<ScratchFolder, Failure> {
    let above = app.system().variable("TMPDIR").map_or_else(|| PathBuf::from(TEMPORARY), PathBuf::from);
    let made = ScratchFolder::new(&above).with_context(|| format!("while making a folder in {}", above.display()));
    made.map_err(Failure::usage)
}

fn read_lock(app: &App, path: &Path) -> Result<ImportLock, Failure> {
    let bytes = app.read_document(path, LOCK, limits::START_TIMEOUT_DEFAULT)?;
    ImportLock::read(&bytes).map_err(|error| {
        let exit = error.exit_kind();
        let error = anyhow::Error::from(error).context(format!("while reading {}", path.display()));
        Failure { exit, code: "import", error, problems: Vec::new(), details: Vec::new() }
    })
}

fn read_permissions(app: &App, path: &Path) -> Result<Value, Failure> {
    let bytes = app.read_document(path, LOCK, limits::START_TIMEOUT_DEFAULT)?;
    let read: Result<Map<String, Value>, SafeText> = model_json::read(&bytes);
    let read = read.map_err(|problem| anyhow::anyhow!("while reading {}: {problem}", path.display()));
    read.map(Value::Object).map_err(Failure::usage)
}

/// Gets the bytes of an MCP bundle.
fn bytes_of(app: &App, place: &McpbPlace) -> Result<Vec<u8>, Failure> {
    let limit = usize::try_from(limits::BUNDLE).unwrap_or(usize::MAX);
    match place {
        McpbPlace::File(path) => {
            let read = authority::read_file(&app.path(Path::new(path))?, limit);
            read.with_context(|| format!("while reading {path}")).map_err(Failure::usage)
        }
        McpbPlace::Url(text) => {
            let Registry::Url(url) = app.registry(text)? else {
                return Err(Failure::usage(anyhow::anyhow!("`{}` is no URL", SafeText::quoted(text))));
            };
            let session = app.session(None)?;
            let mut progress = app.progress();
            progress.begin("the MCP bundle", None);
            let downloaded = pipeline::download(&session, &url, limit, &Deadline::after(DOWNLOAD));
            progress.end();
            Ok(downloaded?)
        }
    }
}

/// How a command ends that has imported nothing: with 128 and the number of the signal that ended it, as `run` does, or with
/// a failure.
fn ended(app: &App, error: ImportError, source: &ImportSource) -> Result<Exit, Failure> {
    let (exit, signal) = (error.exit_kind(), error.signal());
    let error = anyhow::Error::from(error).context(format!("{source} is not imported"));
    if let Some(code) = signal.and_then(|signal| u8::try_from(signal.saturating_add(128)).ok()) {
        app.warn_always(&format!("{error:#}"));
        return Ok(Exit::Server(code));
    }
    Err(Failure { exit, code: "import", error, problems: Vec::new(), details: Vec::new() })
}
