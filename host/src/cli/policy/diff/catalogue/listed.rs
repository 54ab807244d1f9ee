//! The catalogue of a registry: each package in its latest version.

use std::sync::OnceLock;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::policy::diff::catalogue::CatalogueEntry;
use crate::cli::policy::diff::catalogue::EntryContent;
use crate::cli::policy::diff::catalogue::EntryPlace;
use smcp_authority as authority;
use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::number;
use smcp_model::text::SafeText;
use smcp_pipeline::PackageList;
use smcp_pipeline::PipelineError;
use smcp_pipeline::Session;

/// The most packages that are asked for before they are judged: a registry takes longer than its policies.
const AT_ONCE: usize = 512;

/// The packages of a registry.
#[derive(Debug)]
pub(super) struct ListedCatalogue {
    packages: PackageList,
    /// How many have no published version.
    unpublished: u64,
    patience: std::time::Duration,
}

impl ListedCatalogue {
    /// Lists the packages of a registry, which is asked as the configuration of `session` says.
    pub(super) fn open(app: &App, name: &str, session: &Session) -> Result<Self, Failure> {
        let mut registry = app.registry(name)?;
        registry.resolve(|path| authority::resolve(path).ok());
        let asking = app.session_at(session, registry);
        let packages = PackageList::of(&asking).map_err(undescribed)?;
        Ok(Self { packages, unpublished: 0, patience: session.config().start_timeout() })
    }

    pub(super) fn left(&self) -> usize {
        self.packages.left()
    }

    /// Asks for the next packages. The first that is not right ends it: a part is never taken for the whole.
    pub(super) fn next_batch(&mut self) -> Result<(Vec<CatalogueEntry>, u64), Failure> {
        let before = self.left();
        let mut batch = Vec::new();
        while batch.len() < AT_ONCE {
            match self.packages.next(&Deadline::after(self.patience)).map_err(undescribed)? {
                None => break,
                Some(None) => self.unpublished = self.unpublished.saturating_add(1),
                Some(Some(subject)) => {
                    let at = EntryPlace::Record(SafeText::new(&subject.label()));
                    let content = EntryContent::Known(Box::new(subject));
                    batch.push(CatalogueEntry { at, content, package: OnceLock::new(), seen: None });
                }
            }
        }
        Ok((batch, number::wide(before.saturating_sub(self.left()))))
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        let not_runnable = self.packages.not_runnable();
        let counted = [
            (self.unpublished.saturating_sub(not_runnable), "no published version"),
            (not_runnable, "no MCP bundle that smcp could run"),
        ];
        let remark = |(count, what)| match count {
            0 => None,
            1 => Some(format!("1 package of the registry has {what}, and is left out")),
            count => Some(format!("{count} packages of the registry have {what}, and are left out")),
        };
        counted.into_iter().filter_map(remark).collect()
    }
}

/// The error of a registry that can't describe a package: a catalogue that is not right, but where bytes are others than it says.
fn undescribed(error: PipelineError) -> Failure {
    let failure = Failure::from(error);
    let is_entry = failure.exit == ExitKind::Integrity && failure.code != "digest-mismatch";
    if is_entry { Failure { exit: ExitKind::Registry, ..failure } } else { failure }
}
