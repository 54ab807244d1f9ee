//! Makes the archive of a policy set, and checks it as a start would.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::policies;
use crate::sets::archive::PackedSet;
use crate::sets::archive::read_packed;
use crate::sets::error::SetProblem;
use smcp_bundle::set::pack_set;
use smcp_config::Layer;
use smcp_model::deadline::Deadline;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::progress::Progress;
use smcp_model::source::SetSource;
use smcp_model::verdict::Fault;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicySet;

/// Why a set can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildSetError {
    /// It would not be right.
    #[error("the set {0}")]
    Wrong(SetProblem),
    /// Its archive can't be made.
    #[error("its archive can't be made")]
    Archive(#[from] io::Error),
    /// A policy of it would refuse everything.
    #[error("the policy `{name}` can't do its work ({}): {}", fault.kind.as_str(), fault.message)]
    Policy {
        /// The policy.
        name: String,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// Its policies can't be tried.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

/// Packs these files, by their paths in the set, and checks the whole as a start would: every policy is loaded and asked
/// whether it accepts its settings. `at` is the folder that they come from.
///
/// # Errors
/// When the set would not be right, or one of its policies could not do its work.
pub fn build_set(
    session: &Session,
    files: &BTreeMap<String, Vec<u8>>,
    at: &Path,
    progress: &mut dyn Progress,
) -> Result<(Vec<u8>, PackedSet), BuildSetError> {
    let archive = pack_set(files)?;
    let [parent, ..] = session.config().layers() else { return Err(io::Error::other("there is no layer").into()) };
    let source = SetSource::File(at.to_owned());
    let packed = read_packed(archive.clone(), &source, parent).map_err(BuildSetError::Wrong)?;
    let bound = bound(&packed.layer, files);
    let host = session.host()?;
    let _ahead = policies::prepare(host, bound.iter(), &Deadline::none(), progress)?;
    let set = PolicySet::load(host, bound);
    for policy in set.policies() {
        if let (Some(fault), Mode::Strict | Mode::Warn) = (policy.fault(), policy.spec().mode) {
            return Err(BuildSetError::Policy { name: policy.spec().name.to_string(), fault: Box::new(fault.clone()) });
        }
    }
    Ok((archive, packed))
}

/// Joins the set's own policies with their components.
fn bound(layer: &Layer, files: &BTreeMap<String, Vec<u8>>) -> Vec<Bound> {
    let own = layer.policies().iter().filter_map(|spec| {
        let PolicySource::File(path) = &spec.source else { return None };
        let component = layer.set()?.components.get(path)?;
        let component = Component::new(files.get(&component.name)?.clone());
        Bound::new(Arc::clone(spec), Ok(component)).ok()
    });
    own.collect()
}
