//! `smcp registry`: work on a registry.

mod attest;
mod list;
mod new;
pub(in crate::cli) mod publish;
mod schema;
mod serve;
mod signing;

use std::path::Path;

use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::attest::AttestCommand;
use crate::cli::registry::list::ListPackagesCommand;
use crate::cli::registry::new::NewCommand;
use crate::cli::registry::publish::PublishCommand;
use crate::cli::registry::schema::RegistrySchemaCommand;
use crate::cli::registry::serve::ServeCommand;
use smcp_authority as authority;
use smcp_model::registry::Registry;
use smcp_pipeline::PipelineError;
use smcp_pipeline::shipping;
use smcp_registry::DirectoryRegistry;
use smcp_registry::PackageError;
use smcp_registry::StatementRegistry;

/// Work on a registry: a directory, or a place in a registry of images.
#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    /// Write a manifest.json for the project in a directory, which is made when it is not there yet
    New(Chosen<NewCommand>),
    /// Print the JSON Schema of the manifest.json that a published directory has, for editors
    Schema(Chosen<RegistrySchemaCommand>),
    /// Pack a directory and publish it in the registry that --registry names: a directory, or oci://HOST/PREFIX
    Publish(Chosen<PublishCommand>),
    /// Sign a statement about a version in the registry that --registry names: a directory, or oci://HOST/PREFIX
    Attest(Chosen<AttestCommand>),
    /// List the packages of the registry that --registry names, with their latest versions
    List(Chosen<ListPackagesCommand>),
    /// Serve the registry directory that --registry names over HTTP, as the real registry would, until interrupted
    Serve(Chosen<ServeCommand>),
}

impl RegistryCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::New(command) => command.then(|it| it.execute(app)),
            Self::Schema(command) => command.then(|it| it.execute(app)),
            Self::Publish(command) => command.then(|it| it.execute(app)),
            Self::Attest(command) => command.then(|it| it.execute(app)),
            Self::List(command) => command.then(|it| it.execute(app)),
            Self::Serve(command) => command.then(|it| it.execute(app)),
        }
    }
}

/// Opens the registry directory that `--registry` names; `doing` is what the command does with it, for the error.
fn directory(app: &App, doing: &str) -> Result<DirectoryRegistry, Failure> {
    let Some(text) = app.named_registry() else {
        return Err(Failure::usage(anyhow::anyhow!("--registry DIR must name the registry directory to {doing}")));
    };
    let location = app.registry(text)?;
    let Registry::Directory(path) = &location else {
        let error = anyhow::anyhow!("`{location}` is no directory, and only a directory can be used here");
        return Err(Failure::usage(error));
    };
    opened(&location, path)
}

/// Opens the registry that `--registry` names, to put statements there.
fn statable(app: &App) -> Result<Box<dyn StatementRegistry>, Failure> {
    let Some(text) = app.named_registry() else {
        return Err(Failure::usage(anyhow::anyhow!("--registry must name the registry to attest in")));
    };
    let location = app.registry(text)?;
    match &location {
        Registry::Directory(path) => Ok(Box::new(opened(&location, path)?)),
        Registry::Oci(place) => Ok(Box::new(shipping::open_images(&app.session(None)?, place)?)),
        Registry::Url(url) | Registry::Official(url) => {
            let error = anyhow::anyhow!(
                "`{url}` can't be attested in: only a directory and a registry of images (oci://…) can"
            );
            Err(Failure::usage(error))
        }
    }
}

pub(super) fn opened(location: &Registry, path: &Path) -> Result<DirectoryRegistry, Failure> {
    let dir =
        authority::open_dir(path).map_err(|cause| PipelineError::from(PackageError::unreachable(location, cause)))?;
    Ok(DirectoryRegistry::new(dir, location.clone()).map_err(PipelineError::from)?)
}
