//! What the settings of the configured policies may be, as their components describe it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Session;
use crate::policies::prepare;
use serde_json::Value;
use smcp_authority::GuardedReader;
use smcp_model::deadline::Deadline;
use smcp_model::error_chain::error_chain;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_policy::Bound;

/// What a component says of its settings, or why it says nothing.
pub type DescribedSettings = (PolicyName, Result<Value, String>);

/// Asks the components of all custom policies what their settings may be: each name once, as the first layer that has it
/// says. Those of disabled policies are not read, here as everywhere. A policy that can't be described concerns no other. `progress` learns what is compiled.
pub fn describe_settings(session: &Session, progress: &mut dyn Progress) -> Vec<DescribedSettings> {
    let mut names = BTreeSet::new();
    let layers = session.config().layers().iter();
    let enabled = layers.flat_map(|layer| layer.policies()).filter(|spec| spec.mode != Mode::Disabled);
    let custom = enabled.filter(|spec| matches!(spec.source, PolicySource::File(_)));
    let custom: Vec<_> = custom.filter(|spec| names.insert(spec.name.clone())).collect();
    let mut reader = GuardedReader::default();
    let bound: Vec<_> = custom.iter().map(|spec| bind(session, spec, &mut reader)).collect();
    let host = session.host().map_err(|error| error_chain(&error));
    // What can't be compiled is told of where its policy is described.
    let ahead = host
        .as_ref()
        .ok()
        .map(|host| prepare(host, bound.iter().filter_map(|bound| bound.as_ref().ok()), &Deadline::none(), progress));
    let described = custom.iter().zip(&bound).map(|(spec, bound)| {
        let host = host.as_ref().map_err(Clone::clone);
        let schema = host.and_then(|host| {
            let described = host.describe_bound(bound.as_ref().map_err(Clone::clone)?);
            described.map(|described| described.settings_schema).map_err(|fault| fault.message.to_string())
        });
        (spec.name.clone(), schema)
    });
    let described = described.collect();
    drop(ahead);
    described
}

fn bind(session: &Session, spec: &Arc<PolicySpec>, reader: &mut GuardedReader) -> Result<Bound, String> {
    let component = session.component(spec, reader).map_err(|error| error_chain(&error))?;
    Bound::new(Arc::clone(spec), component).map_err(|mismatch| error_chain(&mismatch))
}
