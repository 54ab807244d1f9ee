//! Compiles policies ahead, so that no start waits for a compiler.
//!
//! A launch does not use this file.

use std::path::PathBuf;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::SharedHost;
use crate::System;
use crate::host;
use crate::policies;
use smcp_authority::GuardedReader;
use smcp_code::CompiledStore;
use smcp_code::SYSTEM_FOLDER;
use smcp_config::Layer;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::examination::AheadState;
use smcp_model::examination::CompiledAhead;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_policy::Bound;
use smcp_policy::CodeStore;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;

/// Where compiled code is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Into the user's cache.
    Cache,
    /// Into the system's files, where every user's smcp finds the code of the system's policies.
    System,
}

/// A component to compile: of a policy of the configuration, or a file that the user named.
struct Candidate {
    bound: Bound,
    file: SafeText,
    digest: Option<Digest>,
    is_policy: bool,
}

/// Compiles the components in `files`, or those of the configuration's own policies when there are none, and keeps the
/// code. For the system's files these are the policies of the system's layer. `progress` learns what is compiled.
///
/// # Errors
/// [`PipelineError::Host`] when there is no sandbox to load them in, [`PipelineError::Untrusted`] and
/// [`PipelineError::Pin`] as for a decision; [`PipelineError::SystemCode`] when the system's files can't be written.
pub fn compile_policies(
    session: &Session,
    files: &[PathBuf],
    destination: Destination,
    progress: &mut dyn Progress,
) -> Result<Vec<CompiledAhead>, PipelineError> {
    let candidates = if files.is_empty() { configured(session, destination)? } else { named(session, files)? };
    let compilation = session.system().compilation;
    match destination {
        Destination::Cache => {
            let store = Arc::new(CompiledStore::new(session.code_places()));
            let host = SharedHost::with_store(compilation, Arc::clone(&store))?;
            ahead(&host, &*store, &|| store.problem(), candidates, progress)
        }
        Destination::System => {
            let store = Arc::new(session.system_code()?);
            let host = SharedHost::with_store(compilation, Arc::clone(&store))?;
            ahead(&host, &*store, &|| store.problem(), candidates, progress)
        }
    }
}

/// What was found out about the process that compiles policies.
#[derive(Debug)]
pub enum CompilerTrial {
    /// It is a child of this process, with all of its locks.
    Confined,
    /// This system could not apply some of its locks; the text says which, and why.
    Partly(String),
    /// It could do what it must not; the text says what.
    Loose(String),
    /// It could not be started.
    Failed(Fault),
}

/// Starts a compiling child, which tries what it must not be able to do; `None` where policies are compiled in this process.
pub fn try_compiler(system: &System) -> Option<CompilerTrial> {
    let compiler = host::child_compiler(system.compilation)?;
    Some(match compiler.try_out() {
        Err(fault) => CompilerTrial::Failed(fault),
        Ok((_, done)) if !done.is_empty() => CompilerTrial::Loose(done.join(", ")),
        Ok((confinement, _)) if !confinement.missing.is_empty() => {
            CompilerTrial::Partly(confinement.missing.join("; "))
        }
        Ok(_) => CompilerTrial::Confined,
    })
}

/// The folder into which code goes, for a message.
pub fn destination_folder(session: &Session, destination: Destination) -> Option<PathBuf> {
    match destination {
        Destination::Cache => session.config().cache_dir().map(|cache| cache.join("compiled")),
        Destination::System => Some(PathBuf::from(SYSTEM_FOLDER)),
    }
}

/// The policies of the configuration whose components are files.
fn configured(session: &Session, destination: Destination) -> Result<Vec<Candidate>, PipelineError> {
    let layers = session.config().layers().iter();
    let layers = layers.filter(|layer| destination == Destination::Cache || !layer.name().is_users());
    let specs = layers.flat_map(Layer::policies).filter(|spec| spec.mode != Mode::Disabled);
    let files = specs.filter(|spec| spec.source.is_custom());
    let mut reader = GuardedReader::default();
    files.map(|spec| candidate(session, Arc::clone(spec), true, &mut reader)).collect()
}

/// The files that the user named.
fn named(session: &Session, files: &[PathBuf]) -> Result<Vec<Candidate>, PipelineError> {
    let spec = |(number, file): (usize, &PathBuf)| {
        // Only for a line that shows what is compiled.
        let name: PolicyName = format!("component-{}", number.saturating_add(1)).parse().ok()?;
        Some(PolicySpec::file(name, file, serde_json::json!({})))
    };
    let specs = files.iter().enumerate().filter_map(spec);
    let mut reader = GuardedReader::default();
    specs.map(|spec| candidate(session, Arc::new(spec), false, &mut reader)).collect()
}

fn candidate(
    session: &Session,
    spec: Arc<PolicySpec>,
    is_policy: bool,
    reader: &mut GuardedReader,
) -> Result<Candidate, PipelineError> {
    let file = SafeText::new(&spec.source.to_string());
    let component = session.component(&spec, reader, &Deadline::none())?;
    let digest = component.as_ref().ok().map(Component::digest);
    Ok(Candidate { bound: Bound::new(spec, component)?, file, digest, is_policy })
}

fn ahead(
    host: &PolicyHost,
    store: &dyn CodeStore,
    problem: &dyn Fn() -> Option<SafeText>,
    candidates: Vec<Candidate>,
    progress: &mut dyn Progress,
) -> Result<Vec<CompiledAhead>, PipelineError> {
    let has = |digest: Option<Digest>, layer| digest.is_some_and(|digest| store.find(digest, layer).is_some());
    let before: Vec<bool> = candidates.iter().map(|it| has(it.digest, it.bound.layer())).collect();
    let _ahead = policies::prepare(host, candidates.iter().map(|it| &it.bound), &Deadline::none(), progress)?;
    let states = candidates.into_iter().zip(before).map(|(candidate, was_there)| {
        let Candidate { bound, file, digest, is_policy } = candidate;
        let layer = bound.layer();
        let fault = if is_policy {
            // With its settings, so that their answer is kept, too.
            PolicySet::load(host, [bound]).policies().first().and_then(|policy| policy.fault().cloned())
        } else {
            host.describe_bound(&bound).err()
        };
        let state = match fault {
            Some(fault) => AheadState::Faulty(fault),
            None if was_there => AheadState::Kept,
            None if has(digest, layer) => AheadState::Compiled,
            None => AheadState::NotKept(problem().unwrap_or_else(|| "it could not be kept".into())),
        };
        CompiledAhead { file, digest, state }
    });
    Ok(states.collect())
}
