//! `smcp policy push`: put a component where others get it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::inspect::refused;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::oci::OciReference;
use smcp_pipeline as pipeline;
use smcp_pipeline::shipping;
use smcp_pipeline::shipping::WasmArtefact;
use smcp_policy::Component;
use smcp_policy::ComponentShape;
use smcp_report::json;
use smcp_report::style::Span;
use smcp_signature::SignatureForm;

/// Put a component into a registry of images, where configurations, `wkg` and `oras` get it.
///
/// Signatures that lie beside the file (`.minisig`, `.sigstore.json`) go with it. The same component makes the same
/// artefact, so pushing it twice changes nothing. A tag that is there moves. Log in
/// with `smcp login --registry oci://HOST`, or as for docker: its file and its credential helpers are read.
#[derive(Debug, Args)]
pub(crate) struct PushCommand {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Where it goes: oci://HOST[:PORT]/REPO[:TAG]
    #[arg(value_name = "REFERENCE")]
    reference: OciReference,
}

impl PushCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if self.reference.digest().is_some() {
            return Err(Failure::usage(anyhow::anyhow!("a digest is what comes of a push: name a tag")));
        }
        let most = PolicyLimits::CEILING.component_size;
        let bytes = app.read_document(&self.file, most, limits::START_TIMEOUT_DEFAULT)?;
        let file = self.file.display().to_string();
        // Nobody could use what is no policy, so it is not shipped.
        let shape = ComponentShape::of(&bytes, most).map_err(|fault| refused(&file, &fault))?;
        let host = app.host().get(app.system().compilation, None).map_err(pipeline::PipelineError::from)?;
        let component = Component::new(bytes.clone());
        host.describe(&component, &PolicyLimits::DEFAULT).map_err(|fault| refused(&file, &fault))?;
        let session = app.session_without_sets()?;
        let signatures = pipeline::documents_beside(&app.path(&self.file)?, &SignatureForm::ALL);
        let (exports, imports) = (&shape.exports, &shape.imports);
        let pushed = shipping::push_policy(&session, &self.reference, &bytes, exports, imports, &signatures)?;
        let signatures: Vec<_> = signatures.iter().map(|document| document.name.as_str()).collect();
        self.answer(app, &pushed, &signatures)
    }

    fn answer(&self, app: &App, pushed: &WasmArtefact, signatures: &[&str]) -> Result<Exit, Failure> {
        let exact = self.reference.at(pushed.manifest);
        if app.json() {
            let document = json!({
                "schema": "smcp.push/1",
                "reference": exact.to_string(),
                "manifest": pushed.manifest,
                "digest": pushed.component,
                "sent": pushed.sent,
                "signatures": signatures,
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let mut rows =
            vec![("reference", Span::plain(exact.to_string())), ("digest", Span::plain(pushed.component.to_string()))];
        if !signatures.is_empty() {
            rows.push(("signatures", Span::plain(signatures.join(", "))));
        }
        let done = if pushed.sent { "pushed" } else { "the component was there already; the tag names it" };
        app.done(&format!("{}: {done}", self.reference), &rows)?;
        app.notice(&entry(&self.reference, &pushed.component));
        Ok(Exit::SUCCESS)
    }
}

/// What a configuration says to use a component.
pub(super) fn entry(reference: &impl std::fmt::Display, digest: &Digest) -> String {
    format!("in a configuration: `source: {reference}` with `digest: {digest}`")
}
