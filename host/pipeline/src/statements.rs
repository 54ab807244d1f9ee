//! Facts by signed statements: which of them a layer believes.
//!
//! `find` has brought the statements, as they lie in the registry; after it each layer's policies are told what it believes.
//! A layer goes by statements where its `trusted_registries` says so, and then by nothing that the registry itself says.

mod case;
mod error;

pub(crate) use crate::statements::case::StatementCase;
pub use crate::statements::error::StatementError;
pub use crate::statements::error::StatementProblem;

use crate::PipelineError;
use crate::Session;
use crate::sets::seen::packages::NewlySeen;
use crate::sets::seen::packages::SeenPackages;
use crate::sets::seen::packages::SeenStatement;
use crate::statements::case::SettledStatements;
use smcp_authority::GuardedReader;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_config::StatementRule;
use smcp_decide::Notice;
use smcp_decide::StatedStatus;
use smcp_model::decision::StatedDocument;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::mode::Mode;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;
use smcp_model::request::Subject;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::ArrivedStatements;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::text::SafeText;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;
use smcp_signature::statement_in;

/// What the layers that go by signed statements know of a package.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatedFacts {
    layers: Vec<(LayerName, Result<KnownStatement, SafeText>)>,
    /// What the user should know of it.
    pub(crate) notices: Vec<Notice>,
}

/// A statement that a layer goes by.
#[derive(Debug, Clone)]
pub(crate) struct KnownStatement {
    pub(crate) statement: FactsStatement,
    pub(crate) signer: SafeText,
    pub(crate) signers: Vec<String>,
    pub(crate) digest: Digest,
}

/// What a layer would go by, for people.
#[derive(Debug, Clone)]
pub struct StatementReport {
    /// The layer.
    pub layer: LayerName,
    /// The statement; why there is none, or what is wrong.
    pub found: Result<StatedDocument, SafeText>,
}

/// A statement, with every signature of it that came.
#[derive(Debug)]
pub(crate) struct SignedStatement {
    pub(crate) statement: Vec<u8>,
    pub(crate) documents: Vec<SignatureDocument>,
}

/// Whether a layer goes by signed statements about packages of a registry.
pub(crate) fn are_asked_for(config: &Config, registry: &Registry) -> bool {
    config.layers().iter().any(|layer| layer.statement_rule(registry).is_some())
}

/// Finds out what each layer that goes by statements believes about a package, and remembers what it has seen. `now` is the
/// time of the decision, in seconds since the Unix epoch.
///
/// # Errors
/// [`PipelineError::Statement`] when a statement is forged, rolled back, or missing where one is required; those of reading
/// the keys of a layer.
pub(crate) fn believe(
    session: &Session,
    registry: &Registry,
    target: &StatementTarget,
    arrived: Option<&ArrivedStatements>,
    now: u64,
) -> Result<StatedFacts, PipelineError> {
    let rules: Vec<_> = asking(session.config(), registry).collect();
    let Some((first, _)) = rules.first() else { return Ok(StatedFacts::default()) };
    let memory = session.statement_memory(first.name())?;
    let ((moment, behind), signed) = (memory.moment(session, now), gathered(arrived));
    let mut stated = StatedFacts { layers: Vec::new(), notices: memory.lost().into_iter().chain(behind).collect() };
    let (mut seen, mut ended) = (Vec::new(), None);
    for (layer, rule) in rules {
        match settle(session, (layer, rule), (registry, target), &signed, (&memory.seen().packages, moment, now))? {
            Ok(SettledStatements { newest, known, is_required }) => {
                // What does not hold is remembered, too: an older one must not take its place.
                seen.extend(newest);
                match (known, is_required) {
                    (Err(why), true) => ended = ended.or(Some((layer.name(), StatementProblem::Missing(why)))),
                    (known, _) => stated.layers.push((layer.name(), known)),
                }
            }
            // What the others have seen is remembered all the same.
            Err(problem) => ended = ended.or(Some((layer.name(), problem))),
        }
    }
    stated.notices.extend(memory.note(seen, moment));
    let Some((layer, problem)) = ended else { return Ok(stated) };
    let error = StatementError { layer, package: target.package.clone(), problem };
    Err(PipelineError::Statement(Box::new(error)))
}

/// Finds out what each layer would go by, with the notice that the clock is behind; remembers nothing.
///
/// # Errors
/// Those of reading the keys of a layer.
pub(crate) fn report(
    session: &Session,
    registry: &Registry,
    target: &StatementTarget,
    arrived: Option<&ArrivedStatements>,
    now: u64,
) -> Result<(Vec<StatementReport>, Option<Notice>), PipelineError> {
    let rules: Vec<_> = asking(session.config(), registry).collect();
    let Some((first, _)) = rules.first() else { return Ok((Vec::new(), None)) };
    let memory = session.statement_memory(first.name())?;
    let ((moment, behind), signed) = (memory.moment(session, now), gathered(arrived));
    let mut reports = Vec::new();
    for (layer, rule) in rules {
        let seen = (&memory.seen().packages, moment, now);
        let settled = settle(session, (layer, rule), (registry, target), &signed, seen)?;
        let found = match settled {
            Ok(SettledStatements { known, .. }) => known.map(|known| known.document(layer.name())),
            Err(problem) => Err(SafeText::one_line(&problem.to_string())),
        };
        reports.push(StatementReport { layer: layer.name(), found });
    }
    Ok((reports, behind))
}

/// Reads the keys of everybody whose statements a layer believes, whatever the registry.
///
/// # Errors
/// Those of reading the keys of a layer.
pub fn check_statement_signers(session: &Session) -> Result<(), PipelineError> {
    for layer in session.config().layers() {
        for rule in layer.trusted().value.iter().flatten().filter_map(|entry| entry.statements.as_ref()) {
            session.statement_signers(layer.name(), rule, &mut GuardedReader::default())?;
        }
    }
    Ok(())
}

/// Returns what the layers know of a facts document: it is no signed statement, whoever has written it.
pub(crate) fn of_document(config: &Config, subject: &Subject) -> StatedFacts {
    let layers = subject.registry.as_ref().into_iter().flat_map(|registry| asking(config, registry));
    let why = "a facts document is signed by nobody; without its `registry`, every layer believes it";
    StatedFacts {
        layers: layers.map(|(layer, _)| (layer.name(), Err(SafeText::new(why)))).collect(),
        notices: Vec::new(),
    }
}

/// Returns the layers that go by statements, with whose.
fn asking<'c>(config: &'c Config, registry: &'c Registry) -> impl Iterator<Item = (&'c Layer, &'c StatementRule)> {
    config.layers().iter().filter_map(|layer| Some((layer, layer.statement_rule(registry)?)))
}

/// Settles what one layer goes by.
fn settle(
    session: &Session,
    (layer, rule): (&Layer, &StatementRule),
    (registry, target): (&Registry, &StatementTarget),
    signed: &[SignedStatement],
    (seen, now, clock): (&SeenPackages, u64, u64),
) -> Result<Result<SettledStatements, StatementProblem>, PipelineError> {
    let signers = session.statement_signers(layer.name(), rule, &mut GuardedReader::default())?;
    let (name, registry) = (layer.name(), registry.to_string());
    let before = seen.of(name, &registry, &target.package);
    // A number of somebody who is not believed any more binds nobody.
    let seen = before.filter(|seen| seen.signers.is_empty() || signers.believes(&seen.signers));
    let freed = before.filter(|_| seen.is_none()).map(|seen| seen.digest);
    let case = StatementCase { signers: &signers, rule, target, seen, now, clock };
    let settled = case.settle(signed).map(|(newest, known)| {
        let newest = newest.map(|known| SeenStatement {
            layer: name,
            registry: registry.clone(),
            package: target.package.clone(),
            sequence: known.statement.terms().sequence,
            digest: known.digest,
            signers: known.signers,
            seen_at: now,
        });
        // Nothing is written when nothing is new.
        let is_new = |newest: &SeenStatement| case.seen.is_none_or(|seen| seen.sequence < newest.sequence);
        let newest = newest.filter(is_new).map(|statement| NewlySeen { statement, freed });
        SettledStatements { newest, known, is_required: rule.require }
    });
    let is_disabled = layer.policies().iter().all(|policy| policy.mode == Mode::Disabled);
    // Where no policy of the layer is asked, what is wrong is no error; that nothing is known of the status remains one.
    Ok(match settled {
        Err(problem) if is_disabled => {
            let known = Err(SafeText::one_line(&problem.to_string()));
            Ok(SettledStatements { newest: None, known, is_required: false })
        }
        Ok(settled) => Ok(SettledStatements { is_required: settled.is_required && !is_disabled, ..settled }),
        Err(problem) => Err(problem),
    })
}

/// Puts the signatures of one statement together: several may have signed the same.
fn gathered(arrived: Option<&ArrivedStatements>) -> Vec<SignedStatement> {
    let mut signed: Vec<SignedStatement> = Vec::new();
    for arrived in arrived.iter().flat_map(|arrived| arrived.all()) {
        let (statement, form, content) = match arrived {
            ArrivedStatement::Minisign { statement, signature } => {
                (statement.clone(), SignatureForm::Minisign, signature)
            }
            ArrivedStatement::Sigstore { bundle } => {
                // Bundles are for much else, too.
                let Some(statement) = statement_in(bundle) else { continue };
                (statement, SignatureForm::Sigstore, bundle)
            }
        };
        let name = SafeText::new(&format!("the signature of the statement {}", Digest::of(&statement).short()));
        let document = SignatureDocument { name, form, content: content.clone() };
        match signed.iter_mut().find(|known| known.statement == statement) {
            Some(known) => known.documents.push(document),
            None => signed.push(SignedStatement { statement, documents: vec![document] }),
        }
    }
    signed
}

impl StatedFacts {
    /// Returns the facts that the policies of a layer are told; `None` for a layer that does not go by statements.
    pub(crate) fn of(&self, layer: LayerName) -> Option<Facts> {
        let (_, known) = self.layers.iter().find(|(name, _)| *name == layer)?;
        Some(known.as_ref().map_or_else(|_| Facts::untrusted(), |known| known.statement.facts().clone()))
    }

    /// Returns the facts of the statement that the first layer goes by.
    pub(crate) fn first(&self) -> Option<Facts> {
        self.layers.iter().find_map(|(_, known)| Some(known.as_ref().ok()?.statement.facts().clone()))
    }

    /// Returns what the statements say of the status.
    pub(crate) fn statuses(&self) -> Vec<StatedStatus> {
        let status = |known: &KnownStatement| -> Result<Status, SafeText> {
            let status = known.statement.facts().status.clone();
            status.ok_or_else(|| SafeText::new("the newest statement does not say"))
        };
        let stated = |(layer, known): &(LayerName, Result<KnownStatement, SafeText>)| StatedStatus {
            layer: *layer,
            status: known.as_ref().map_err(Clone::clone).and_then(status),
        };
        self.layers.iter().map(stated).collect()
    }

    /// Whether a layer knows by a statement that the version must not run.
    pub(crate) fn refuses(&self) -> bool {
        let known = self.layers.iter().filter_map(|(_, known)| known.as_ref().ok());
        known.map(|known| &known.statement.facts().status).any(|status| matches!(status, Some(Status::Refused(_))))
    }

    /// Returns the statements that layers go by, as decisions and records have them.
    pub(crate) fn documents(&self) -> Vec<StatedDocument> {
        let known = self.layers.iter().filter_map(|(layer, known)| Some((layer, known.as_ref().ok()?)));
        known.map(|(layer, known)| known.document(*layer)).collect()
    }
}

impl KnownStatement {
    fn document(&self, layer: LayerName) -> StatedDocument {
        StatedDocument::new(layer, &self.signer, self.digest, &self.statement)
    }
}
