//! `smcp import` of a version that is there: only what is said of it changes.
//!
//! Nothing is fetched for that, and its bytes stay.

use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::import::ImportCommand;
use crate::cli::import::changes;
use crate::cli::import::registry;
use crate::cli::registry::publish;
use crate::cli::registry::publish::PublishTarget;
use smcp_authority as authority;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_registry::Restated;
use smcp_report::json;
use smcp_report::style::Span;

impl ImportCommand {
    /// Whether the command line says something of the package, and nothing about what is in it.
    pub(super) const fn is_about_facts(&self) -> bool {
        let says_facts =
            self.origin.is_some() || self.cert_level.is_some() || self.score.is_some() || self.status.is_some();
        let is_plain = self.lock.is_none() && self.permissions.is_none() && !self.workdir_writable;
        says_facts && is_plain && self.variable.is_empty()
    }

    /// Changes what is said of a version that is named and was imported before; `None` when it has to be fetched.
    pub(super) fn restate(&self, app: &mut App) -> Result<Option<Exit>, Failure> {
        let Some(named) = self.source.version().filter(|_| self.is_about_facts()) else { return Ok(None) };
        let registry = registry(app)?;
        let Registry::Directory(path) = &registry else { return Ok(None) };
        if !authority::exists(path).unwrap_or_default() {
            return Ok(None);
        }
        let references = match &self.name {
            Some(reference) => vec![reference.clone()],
            None => {
                let ids = match &self.bin {
                    Some(bin) => self.source.program_ids(bin),
                    None => self.source.package_id().into_iter().collect(),
                };
                let selector = named.parse().map(Selector::Exact).ok();
                let of = |id| Some(PackageRef { id, selector: selector.clone()? });
                ids.into_iter().filter_map(of).collect()
            }
        };
        let folder = authority::open_dir(path)?;
        let target = PublishTarget::of(app, registry)?;
        for PackageRef { id, selector } in references {
            let Selector::Exact(version) = selector else { continue };
            let request = self.request(id, version, folder.try_clone()?, Vec::new(), None);
            if let Some(restated) = target.restate(&request, &|there| self.source.is_of(there))? {
                let reference = format!("{}@{}", request.id, request.version);
                return self.answer_restated(app, &reference, &target, &restated).map(Some);
            }
        }
        Ok(None)
    }

    /// Says what is another thing now.
    fn answer_restated(
        &self,
        app: &mut App,
        reference: &str,
        target: &PublishTarget,
        Restated { published, manifest }: &Restated,
    ) -> Result<Exit, Failure> {
        if app.json() {
            let command = manifest.get("entrypoint").and_then(|entrypoint| entrypoint.get("command"));
            let document = json!({
                "schema": "smcp.imported/1",
                "package": reference,
                "source": manifest.get("source"),
                "packages": null,
                "manifest_digest": published.manifest_digest,
                "bundle_digest": published.bundle_digest,
                "bundle_size": published.bundle_size,
                "known": true,
                "changes": changes(published),
                "command": command,
                "variables": null,
                "remarks": [],
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let mut rows = vec![("source", Span::plain(self.source.to_string()))];
        rows.extend(publish::rows(&target.registry(), published));
        let done = match published.changes.is_empty() {
            true => "was imported before, with these facts",
            false => "has new facts; its bytes are the same",
        };
        app.done(&format!("{reference} {done}"), &rows)?;
        Ok(Exit::SUCCESS)
    }
}
