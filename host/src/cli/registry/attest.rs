//! `smcp registry attest`: a signed statement about a version that is there.

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::publish::parse_origin;
use crate::cli::registry::signing::SigningArguments;
use crate::cli::registry::signing::StatementKey;
use crate::cli::registry::signing::newest_by;
use crate::cli::registry::statable;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::signer::MinisignKey;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::time;
use smcp_pipeline::PipelineError;
use smcp_registry as registry;
use smcp_registry::StatementRegistry;
use smcp_report::json;
use smcp_report::style::Span;

/// Sign a statement about a version in the registry that --registry names: a directory, or oci://HOST/PREFIX.
///
/// The newest statement of a signer replaces all that he has said before. What is not given is not stated, so it is unknown
/// to whoever goes by statements; --renew takes it from the newest statement that the same key has signed. A revocation is
/// --status revoked.
#[derive(Debug, Args)]
pub(in crate::cli) struct AttestCommand {
    #[command(flatten)]
    signing: SigningArguments,
    /// State of the version
    #[arg(long, value_name = "STATUS", value_parser = Status::KNOWN, required_unless_present_any = ["renew", "cosign"])]
    status: Option<String>,
    /// Who stands behind the package: official, verified, community, or another word
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    origin: Option<String>,
    /// Certification level, 0 to 3
    #[arg(long, value_name = "LEVEL")]
    cert_level: Option<CertLevel>,
    /// Security score, 0 to 100
    #[arg(long, value_name = "SCORE")]
    score: Option<Score>,
    /// Findings by severity: critical, high, medium, low
    #[arg(long, value_name = "C,H,M,L")]
    findings: Option<SeverityCounts>,
    /// Take what is not given from the newest statement that this key has signed
    #[arg(long)]
    renew: bool,
    /// Sign the newest statement of another as it is, for a configuration that wants several signers: his public key
    #[arg(long, value_name = "PUBLIC_KEY", conflicts_with_all = ["renew", "status", "origin", "cert_level", "score", "findings", "expires", "sequence"])]
    cosign: Option<MinisignKey>,
    /// The package: ORG/NAME@VERSION
    #[arg(value_name = "ORG/NAME@VERSION")]
    reference: PackageRef,
}

impl AttestCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let registry = statable(app)?;
        let registry = registry.as_ref();
        let resolution = registry.resolve(&self.reference, &Deadline::none()).map_err(PipelineError::from)?;
        let Some(key) = self.signing.open(app)? else {
            return Err(Failure::usage(anyhow!("--sign KEY must name the key to sign with")));
        };
        let (digest, statement) = match &self.cosign {
            Some(other) => cosign(registry, &resolution, &key, other)?,
            None => self.attest(registry, &resolution, &key)?,
        };
        let (terms, facts, label) = (statement.terms(), statement.facts(), resolution.label());
        if app.json() {
            let document = json!({
                "schema": "smcp.statement/1",
                "package": label,
                "digest": digest,
                "sequence": terms.sequence,
                "issued": time::utc_of(terms.issued),
                "expires": time::utc_of(terms.expires),
                "minisign": key.public().to_string(),
            });
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let mut rows = vec![("registry", Span::plain(registry.registry().to_string()))];
        rows.extend(facts.status.as_ref().map(|status| ("status", Span::plain(status.as_str()))));
        rows.extend(facts.origin.as_ref().map(|origin| ("origin", Span::plain(origin.to_string()))));
        rows.extend(facts.cert_level.map(|level| ("level", Span::plain(level.get().to_string()))));
        rows.extend(facts.score.map(|score| ("score", Span::plain(score.get().to_string()))));
        rows.push(("manifest", Span::plain(resolution.manifest_digest.to_string())));
        rows.push(("bundle", Span::plain(resolution.bundle_digest.to_string())));
        rows.push(("statement", Span::plain(digest.to_string())));
        rows.push(key.row(terms));
        app.done(&format!("{label} has a new signed statement"), &rows)?;
        Ok(Exit::SUCCESS)
    }

    /// Makes a new statement.
    fn attest(
        &self,
        registry: &dyn StatementRegistry,
        resolution: &Resolution,
        key: &StatementKey,
    ) -> Result<(Digest, FactsStatement), Failure> {
        let newest = key.newest(registry, resolution)?;
        let terms = key.terms(newest.as_ref())?;
        let before = match (self.renew, &newest) {
            (false, _) => Facts::default(),
            (true, Some(newest)) => newest.facts().clone(),
            (true, None) => {
                return Err(Failure::usage(anyhow!(
                    "this key has signed nothing about this version that could be renewed"
                )));
            }
        };
        let facts = Facts {
            status: self.status.as_deref().map(Status::from_word).or(before.status),
            origin: self.origin.as_deref().and_then(Origin::from_word).or(before.origin),
            cert_level: self.cert_level.or(before.cert_level),
            score: self.score.or(before.score),
            findings: self.findings.or(before.findings),
            ..before
        };
        let sign = |text: &[u8]| key.sign(text);
        let attestation = key.attestation(&sign, terms);
        let digest =
            registry::attest(registry, resolution, facts.clone(), &attestation).map_err(PipelineError::from)?;
        let statement = FactsStatement::new(&StatementTarget::of(resolution), resolution.image_digest, facts, terms);
        Ok((digest, statement.map_err(|problem| Failure::usage(anyhow!("{problem}")))?))
    }
}

/// Signs the newest statement of another. One that he has not signed, or that is of the future, is none: whoever may write to
/// the registry could have put it there.
fn cosign(
    registry: &dyn StatementRegistry,
    resolution: &Resolution,
    key: &StatementKey,
    other: &MinisignKey,
) -> Result<(Digest, FactsStatement), Failure> {
    let Some((text, statement)) = newest_by(other.clone(), registry, resolution, key.now())? else {
        return Err(Failure::usage(anyhow!("the key {other} has signed no statement about this version")));
    };
    let issued = statement.terms().issued;
    if issued > key.now().saturating_add(limits::CLOCK_TOLERANCE.as_secs()) {
        let issued = time::utc_of(issued).unwrap_or_default();
        return Err(Failure::usage(anyhow!(
            "the newest statement of the key {other} is of {issued}, which is to come"
        )));
    }
    let (number, signature) = (key.public().number(), key.sign(&text));
    let added = registry::add_statement(registry, resolution, &text, (&number, &signature));
    Ok((added.map_err(PipelineError::from)?, statement))
}
