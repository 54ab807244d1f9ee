//! The schemas of settings that the components of the configured policies have.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::Session;
use crate::policies::prepare;
use smcp_authority::GuardedReader;
use smcp_model::deadline::Deadline;
use smcp_model::error_chain::error_chain;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_policy::Bound;

/// A policy and the schema of its settings, or the reason why there is none.
pub type DescribedSettings = (PolicyName, Result<Value, String>);

/// Asks the components of all custom policies for the schemas of their settings. Of policies with the same name, that
/// of the first layer counts. Components of disabled policies are not read, as everywhere. A component that can't
/// answer does not affect the others. `progress` is told what is compiled.
pub fn describe_settings(session: &Session, progress: &mut dyn Progress) -> Vec<DescribedSettings> {
    let mut names = BTreeSet::new();
    let layers = session.config().layers().iter();
    let enabled = layers.flat_map(|layer| layer.policies()).filter(|spec| spec.mode != Mode::Disabled);
    let custom = enabled.filter(|spec| spec.source.is_custom());
    let custom: Vec<_> = custom.filter(|spec| names.insert(spec.name.clone())).collect();
    let mut reader = GuardedReader::default();
    let bound: Vec<_> = custom.iter().map(|spec| bind(session, spec, &mut reader)).collect();
    let host = session.host().map_err(|error| error_chain(&error));
    // A component that can't be compiled is reported below, where it is described.
    let ahead = host
        .as_ref()
        .ok()
        .map(|host| prepare(host, bound.iter().filter_map(|bound| bound.as_ref().ok()), &Deadline::none(), progress));
    let described = custom.iter().zip(&bound).map(|(spec, bound)| {
        let host = host.as_ref().map_err(Clone::clone);
        let schema = host.and_then(|host| {
            let described = host.describe_bound(bound.as_ref().map_err(Clone::clone)?);
            described.map(|described| described.settings_schema.value()).map_err(|fault| fault.message.to_string())
        });
        (spec.name.clone(), schema)
    });
    let described = described.collect();
    drop(ahead);
    described
}

fn bind(session: &Session, spec: &Arc<PolicySpec>, reader: &mut GuardedReader) -> Result<Bound, String> {
    let component = session.component(spec, reader, &Deadline::none()).map_err(|error| error_chain(&error))?;
    Bound::new(Arc::clone(spec), component).map_err(|mismatch| error_chain(&mismatch))
}
