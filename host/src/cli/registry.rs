//! `smcp registry`: work on a registry directory.

mod list;
mod serve;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::Subcommand;

use crate::authority;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::list::ListCommand;
use crate::cli::registry::serve::ServeCommand;
use crate::cli::world::World;
use crate::model::facts::CertLevel;
use crate::model::facts::Score;
use crate::model::facts::SeverityCounts;
use crate::model::facts::Status;
use crate::model::package::PackageRef;
use crate::model::package::Selector;
use crate::model::registry::Registry;
use crate::package;
use crate::package::DirectoryRegistry;
use crate::package::PackageError;
use crate::package::PublishRequest;
use crate::package::Published;
use crate::pipeline;
use crate::pipeline::Stop;
use crate::report::message;
use crate::report::style::Span;

/// Work on a registry directory.
#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    Publish(PublishCommand),
    List(ListCommand),
    Serve(ServeCommand),
}

impl RegistryCommand {
    /// Carries the command out.
    pub(super) fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        match self {
            Self::Publish(command) => command.execute(world),
            Self::List(command) => command.execute(world),
            Self::Serve(command) => command.execute(world),
        }
    }
}

/// The registry directory that `--registry` names, for `doing` something with it.
fn directory(world: &World, doing: &str) -> Result<DirectoryRegistry, Failure> {
    let Some(text) = world.named_registry() else {
        return Err(Failure::usage(anyhow::anyhow!("--registry DIR must name the registry directory to {doing}")));
    };
    let location = world.registry(text)?;
    let Registry::Directory(path) = &location else {
        let error = anyhow::anyhow!("`{location}` is no directory, and only a directory can be used here");
        return Err(Failure::usage(error));
    };
    let dir = authority::open_dir(path).map_err(|cause| Stop::from(PackageError::unreachable(&location, cause)))?;
    Ok(DirectoryRegistry::new(dir, location).map_err(Stop::from)?)
}

/// Pack a directory and publish it in the registry directory that --registry names.
///
/// A fact that is not given is unknown to policies. Publishing the same bytes again changes the facts and the status;
/// other bytes need another version.
#[derive(Debug, Args)]
pub(super) struct PublishCommand {
    /// Who stands behind the package: official, verified, community, or another word
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    origin: Option<String>,
    /// Certification level, 0 to 3
    #[arg(long, value_name = "LEVEL")]
    cert_level: Option<CertLevel>,
    /// Security score, 0 to 100
    #[arg(long, value_name = "SCORE")]
    score: Option<Score>,
    /// Findings by severity: critical, high, medium, low
    #[arg(long, value_name = "C,H,M,L")]
    findings: Option<SeverityCounts>,
    /// State of the version [default: published]
    #[arg(long, value_name = "STATUS", value_parser = Status::KNOWN)]
    status: Option<String>,
    /// The package: ORG/NAME@VERSION
    #[arg(value_name = "ORG/NAME@VERSION")]
    reference: PackageRef,
    /// The directory to pack, with its manifest.json
    #[arg(value_name = "BUNDLE_DIR")]
    bundle: PathBuf,
}

fn parse_origin(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected a word such as official, verified or community".to_owned());
    }
    Ok(text.to_owned())
}

impl PublishCommand {
    /// Carries the command out.
    fn execute(self, world: &mut World) -> Result<Exit, Failure> {
        let Selector::Exact(version) = self.reference.selector else {
            return Err(Failure::usage(anyhow::anyhow!("a version can be published, `latest` or a digest can't")));
        };
        let label = format!("{}@{version}", self.reference.id);
        let bundle = world.path(&self.bundle)?;
        let bundle_dir = authority::open_dir(&bundle)
            .with_context(|| format!("while opening {}", self.bundle.display()))
            .map_err(Failure::usage)?;
        let target = Target::open(world)?;
        let request = PublishRequest {
            id: self.reference.id,
            version,
            bundle_dir,
            origin: self.origin,
            cert_level: self.cert_level,
            score: self.score,
            findings: self.findings,
            status: self.status.as_deref().map_or(Status::Published, Status::from_word),
        };
        let published = target.publish(&request)?;
        let done = if published.updated { "has new facts; its bytes are the same" } else { "is published" };
        let rows = [
            ("registry", Span::plain(target.registry.to_string())),
            ("manifest", Span::plain(published.manifest_digest.to_string())),
            ("bundle", Span::plain(format!("{}, {} bytes", published.bundle_digest, published.bundle_size))),
        ];
        message::done(&format!("{label} {done}"), &rows, &mut world.err(), &world.error_style())?;
        Ok(Exit::Success)
    }
}

/// The directory to publish in. It must be named: nobody publishes by default.
struct Target {
    registry: Registry,
    path: PathBuf,
    made: bool,
}

impl Target {
    /// Opens the directory, making it when it is not there yet.
    fn open(world: &World) -> Result<Self, Failure> {
        let Some(text) = world.named_registry() else {
            return Err(Failure::usage(anyhow::anyhow!(
                "--registry DIR must name the registry directory to publish in"
            )));
        };
        let registry = world.registry(text)?;
        let path = match &registry {
            Registry::Directory(path) => path.clone(),
            Registry::Url(url) => {
                let error = anyhow::anyhow!("`{url}` is no directory, and only a directory can be published in");
                return Err(Failure::usage(error));
            }
        };
        let made = authority::open_dir(&path).is_err();
        let doing = || format!("while making {}", path.display());
        authority::create_dir(&path).with_context(doing).map_err(Failure::usage)?;
        Ok(Self { registry, path, made })
    }

    /// Publishes, and takes the directory back when it was made for nothing.
    fn publish(&self, request: &PublishRequest) -> Result<Published, Failure> {
        let published = pipeline::open_directory(&self.registry, &self.path)
            .and_then(|client| package::publish(&client, request).map_err(Stop::from));
        if published.is_err() && self.made {
            authority::remove_empty_dir(&self.path);
        }
        Ok(published?)
    }
}
