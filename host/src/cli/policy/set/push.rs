//! `smcp policy set push`: put a set where machines get it.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::set::show;
use crate::cli::policy::set::show::SetDescription;
use smcp_model::limits;
use smcp_model::limits::sets;
use smcp_model::oci::OciReference;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_pipeline::shipping;
use smcp_pipeline::shipping::SetArtefact;
use smcp_report::json;
use smcp_report::style::Span;
use smcp_signature::SignatureForm;

/// Put a policy set into a registry of images, where configurations name it.
///
/// The whole of it is checked, as a start does. Signatures that lie beside the file (`.minisig`, `.sigstore.json`) go with
/// it. The same archive makes the same artefact, so pushing it twice changes nothing. A tag that is there moves. Log in with
/// `smcp login --registry oci://HOST`, or as for docker: its file and its credential helpers are read.
#[derive(Debug, Args)]
pub(crate) struct PushSetCommand {
    /// The archive, as `smcp policy set build` makes it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where it goes: oci://HOST[:PORT]/REPO[:TAG]
    #[arg(value_name = "REFERENCE")]
    reference: OciReference,
}

impl PushSetCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if self.reference.digest().is_some() {
            return Err(Failure::usage(anyhow!("a digest is what comes of a push: name a tag")));
        }
        let bytes = app.read_document(&self.file, sets::ARCHIVE, limits::START_TIMEOUT_DEFAULT)?;
        let (file, session) = (app.path(&self.file)?, app.session_without_sets()?);
        // No machine would use what is not right, so it is not shipped.
        let packed = show::packed(&session, bytes.clone(), &SetSource::File(file.clone()), &self.file)?;
        let description = SetDescription::of(&packed, SafeText::new(&file.to_string_lossy()), app.system().now());
        if description.is_expired() {
            return Err(Failure::usage(anyhow!("{}: its time is over, and no machine takes it", self.file.display())));
        }
        let signatures = pipeline::documents_beside(&file, &SignatureForm::ALL);
        let pushed = shipping::push_set(&session, &self.reference, &bytes, &signatures)?;
        let signatures: Vec<_> = signatures.iter().map(|document| document.name.as_str()).collect();
        self.answer(app, &description, &pushed, &signatures)
    }

    fn answer(
        &self,
        app: &App,
        description: &SetDescription<'_>,
        pushed: &SetArtefact,
        signatures: &[&str],
    ) -> Result<Exit, Failure> {
        let exact = self.reference.at(pushed.manifest);
        if app.json() {
            let document = json!({
                "schema": "smcp.set-push/1",
                "reference": exact.to_string(),
                "manifest": pushed.manifest,
                "digest": pushed.archive,
                "version": description.version(),
                "expires": description.expires(),
                "sent": pushed.sent,
                "signatures": signatures,
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let signed = if signatures.is_empty() { "none beside it".to_owned() } else { signatures.join(", ") };
        let rows = [
            ("reference", Span::plain(exact.to_string())),
            ("version", Span::plain(description.version().to_string())),
            ("digest", Span::plain(pushed.archive.to_string())),
            ("signatures", Span::plain(signed)),
        ];
        let done = if pushed.sent { "pushed" } else { "the archive was there already; the tag names it" };
        app.done(&format!("{}: {done}", self.reference), &rows)?;
        let entry = if signatures.is_empty() { exact.to_string() } else { self.reference.to_string() };
        let rule = if signatures.is_empty() { "" } else { " with `signed_by` and the key" };
        app.notice(&format!("under `policy_set` of a configuration: `source: {entry}`{rule}"));
        Ok(Exit::SUCCESS)
    }
}
