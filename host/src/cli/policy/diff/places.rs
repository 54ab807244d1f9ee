//! Where the policies of two configurations are written.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_config::Layer;
use smcp_model::diff::ChangedPolicy;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_pipeline::Session;
use smcp_report::sarif::PolicyPlace;

/// The place of each policy that a file has, looked up once: each look reads the file again.
#[derive(Debug)]
pub(super) struct PolicyPlaces {
    from: BTreeMap<(LayerName, PolicyName), PolicyPlace>,
    to: BTreeMap<(LayerName, PolicyName), PolicyPlace>,
}

impl PolicyPlaces {
    /// Looks up the places of both configurations, each with its file as the command line names it.
    pub(super) fn of([from, to]: [(&Session, &Path); 2], app: &App) -> Result<Self, Failure> {
        let places = |(session, named): (&Session, &Path)| {
            let main = app.path(named)?;
            let of_layer = |layer: &Layer| {
                let each = layer.policies().iter().map(|policy| {
                    let place = layer.place_of(policy);
                    let file = place.map_or(main.as_path(), |place| place.file());
                    let file = if file == main { named } else { file };
                    let line = place.and_then(|place| place.position()).map_or(1, |at| at.line);
                    let place = PolicyPlace { file: file.to_string_lossy().into_owned(), line };
                    ((layer.name(), policy.name.clone()), place)
                });
                each.collect::<Vec<_>>()
            };
            Ok::<_, Failure>(session.config().layers().iter().flat_map(of_layer).collect())
        };
        Ok(Self { from: places(from)?, to: places(to)? })
    }

    /// Returns where a policy is configured: after the change, and before it where it is gone.
    pub(super) fn of_policy(&self, policy: &ChangedPolicy) -> Option<PolicyPlace> {
        let places = if policy.to.is_some() { &self.to } else { &self.from };
        places.get(&(policy.layer, policy.name.clone())).cloned()
    }
}

/// Returns the files that two configurations are read from: their own, those beside them, and the components.
pub(super) fn inputs(both: [(&Session, &PathBuf); 2], app: &App) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for (session, named) in both {
        files.push(app.path(named)?);
        for layer in session.config().layers() {
            files.extend(layer.policies().iter().filter_map(|policy| Some(layer.place_of(policy)?.file().to_owned())));
            files.extend(layer.policies().iter().filter_map(|policy| match &policy.source {
                PolicySource::File(file) => Some(file.clone()),
                PolicySource::BuiltIn(_) | PolicySource::Remote(_) => None,
            }));
        }
    }
    Ok(files)
}
