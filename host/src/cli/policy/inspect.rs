//! `smcp policy inspect`: what a component is, and what it says of itself.

use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority::InputError;
use smcp_authority::ReadError;
use smcp_model::examination::Inspection;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_pipeline as pipeline;
use smcp_policy::Component;
use smcp_policy::ComponentShape;
use smcp_policy::PolicyHost;
use smcp_report::inspection;
use smcp_report::json;

/// Show what a component is, and what it says of itself.
#[derive(Debug, Args)]
pub(crate) struct InspectCommand {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
}

impl InspectCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let limit = PolicyLimits::DEFAULT.component_size;
        let bytes =
            app.read_document(&self.file, limit, limits::START_TIMEOUT_DEFAULT).map_err(|failure| {
                match failure.error.downcast_ref() {
                    Some(InputError::TooLarge { limit }) => {
                        let path = app.path(&self.file).unwrap_or_else(|_| self.file.clone());
                        refused(
                            &self.file.display().to_string(),
                            &pipeline::unreadable(&path, &ReadError::TooLarge { limit: *limit }).fault(),
                        )
                    }
                    Some(InputError::Io(_) | InputError::NotReadable | InputError::Late(_)) | None => failure,
                }
            })?;
        let host = app.host().get(app.system().compilation, None).map_err(pipeline::PipelineError::from)?;
        let found = inspect(host, &self.file.to_string_lossy(), bytes)
            .map_err(|fault| refused(&self.file.display().to_string(), &fault))?;
        if app.json() {
            json::write(&inspection::document(&found), &mut app.out())?;
        } else {
            inspection::human(&found, &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }
}

/// Loads a component, and asks it what it is. `file` is its name for people.
pub(super) fn inspect(host: &PolicyHost, file: &str, bytes: Vec<u8>) -> Result<Inspection, Fault> {
    let limits = PolicyLimits::DEFAULT;
    let shape = ComponentShape::of(&bytes, limits.component_size)?;
    let size = bytes.len();
    let component = Component::new(bytes);
    let description = host.describe(&component, &limits)?;
    Ok(Inspection {
        file: SafeText::new(file),
        digest: component.digest(),
        size: u64::try_from(size).unwrap_or(u64::MAX),
        interface: SafeText::new(&shape.exports.join(", ")),
        imports: shape.imports.iter().map(|import| SafeText::new(import)).collect(),
        name: SafeText::new(description.name.as_str()),
        version: SafeText::new(&description.version.to_string()),
        description: description.summary,
        on_warn: description.on_warn,
        settings_schema: description.settings_schema.value(),
    })
}

/// The failure of a command about a component that can't be used. `file` is its name for people.
pub(super) fn refused(file: &str, fault: &Fault) -> Failure {
    let remedy = fault.remedy.as_ref().map_or_else(String::new, |remedy| format!("\n  → {remedy}"));
    let (kind, message) = (fault.kind.as_str(), &fault.message);
    Failure::usage(anyhow::anyhow!("{file} is not a policy that can be used ({kind}): {message}{remedy}"))
}
