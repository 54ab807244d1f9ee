//! `smcp policy verify`: who has signed a component or a set, and is it enough.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::sign::LARGEST;
use crate::cli::policy::sign::is_archive;
use smcp_authority as authority;
use smcp_config::Layer;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::limits::signatures::KEY_FILE;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::signer::Demand;
use smcp_model::signer::MinisignKey;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::signer::TrustedRoot;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_pipeline::PipelineError;
use smcp_pipeline::SignatureMismatch;
use smcp_report::json;
use smcp_report::signing;
use smcp_report::signing::RuleOf;
use smcp_report::signing::RuleReport;
use smcp_report::signing::SignatureReport;
use smcp_signature::LoadedRule;

/// Say who has signed a component or a policy set, and whether that is enough.
///
/// Without options it is held against `signed_by` of every policy of the configuration whose component it is, or of every
/// layer that names it as its policy set, as a start would; with them, against the signers that they name, of which one must fit. Exit 3 when it is not signed so.
#[derive(Debug, Args)]
pub(crate) struct VerifySignatureCommand {
    /// The component, or the archive of a policy set
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A minisign key, the file of one, or a public key in PEM form
    #[arg(long, value_name = "KEY|FILE")]
    signed_by: Vec<String>,
    /// The issuer of a keyless signature
    #[arg(long, value_name = "URL", requires = "identity")]
    issuer: Option<String>,
    /// The identity of a keyless signature
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    identity: Option<String>,
    /// The authorities and logs that are believed, in place of Sigstore's public ones
    #[arg(long, value_name = "FILE", requires = "issuer")]
    trusted_root: Option<PathBuf>,
}

impl VerifySignatureCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let path = app.path(&self.file)?;
        let bytes = app.read_document(&self.file, LARGEST, limits::START_TIMEOUT_DEFAULT)?;
        let judged = match self.rule(app)? {
            Some(rule) => vec![asked(app, &rule, &path, &bytes)?],
            None if is_archive(&bytes) => configured_sets(app, &path, &bytes)?,
            None => configured(app, &path)?,
        };
        if judged.is_empty() {
            let file = self.file.display();
            let nobody = match is_archive(&bytes) {
                true => "no layer of the configuration that names this set says who must have signed it",
                false => "no policy of the configuration with this component says who must have signed it",
            };
            let advice = format!("name a signer: `smcp policy verify {file} --signed-by KEY`");
            return Err(Failure::usage(anyhow!("{nobody}\n  {advice}")));
        }
        let exit = if judged.iter().all(|it| it.verdict.is_ok()) { ExitKind::Success } else { ExitKind::Integrity };
        let verification = SignatureReport { file: self.file, digest: Digest::of(&bytes), judged };
        if app.json() {
            json::write(&signing::verification_document(&verification, exit), &mut app.out())?;
        } else {
            signing::verification(&verification, &mut app.out(), &app.output_style())?;
        }
        Ok(exit.into())
    }

    /// Returns the rule that the options make.
    fn rule(&self, app: &App) -> Result<Option<SignedBy>, Failure> {
        let mut signers = Vec::new();
        for text in &self.signed_by {
            signers.push(named(app, text)?);
        }
        if let (Some(issuer), Some(identity)) = (&self.issuer, &self.identity) {
            let root = self.trusted_root.as_deref().map(|root| app.path(root)).transpose()?;
            let root = root.map_or(TrustedRoot::Public, TrustedRoot::File);
            signers.push(Signer::Keyless { issuer: issuer.clone(), identity: identity.clone(), root });
        }
        Ok(SignedBy::new(signers.into_iter().map(Demand::One).collect()))
    }
}

/// Returns the signer that a text names: a minisign key, the file of one, or a PEM file.
fn named(app: &App, text: &str) -> Result<Signer, Failure> {
    if let Ok(key) = text.parse::<MinisignKey>() {
        return Ok(Signer::Minisign(key));
    }
    let file = app.path(Path::new(text))?;
    let content = authority::read_file(&file, KEY_FILE)
        .with_context(|| format!("`{}` is no minisign key, and no file that can be read", SafeText::quoted_value(text)))
        .map_err(Failure::usage)?;
    let content = String::from_utf8_lossy(&content);
    let line = content.lines().nth(1).unwrap_or_default();
    Ok(line.trim().parse().map_or(Signer::Key { file, log: None }, Signer::Minisign))
}

/// Holds a component against a rule of the command line.
fn asked(app: &App, rule: &SignedBy, path: &Path, bytes: &[u8]) -> Result<RuleReport, Failure> {
    let loaded = LoadedRule::load::<anyhow::Error>(rule, &mut |file, limit| {
        authority::read_file(file, limit).with_context(|| format!("while reading {}", file.display()))
    });
    let loaded = loaded.map_err(Failure::usage)?;
    let documents = pipeline::documents_beside(path, &loaded.forms());
    let verdict = loaded.verify(bytes, &documents, app.system().now());
    let verdict = verdict.map_err(|unsigned| SafeText::new(&unsigned.to_string()));
    Ok(RuleReport { of: RuleOf::CommandLine, expected: SafeText::new(&rule.to_string()), verdict })
}

/// Holds an archive against the rules of all layers that name it as their policy set.
fn configured_sets(app: &App, path: &Path, bytes: &[u8]) -> Result<Vec<RuleReport>, Failure> {
    // A set that is not signed as it should be is what is looked into here.
    let session = app.session_without_sets()?;
    let mut judged = Vec::new();
    for (_, layer, reference) in session.config().named_sets() {
        if !matches!(&reference.source, SetSource::File(file) if real(file) == real(path)) {
            continue;
        }
        let verdict = pipeline::sets::check_set_signature(reference, layer, (path, bytes), app.system())?;
        let (Some(verdict), Some(rule)) = (verdict, &reference.signed_by) else { continue };
        judged.push(RuleReport { of: RuleOf::Set(layer), expected: SafeText::new(&rule.to_string()), verdict });
    }
    Ok(judged)
}

fn real(path: &Path) -> PathBuf {
    authority::resolve(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Holds a component against the rules of all policies that it is the component of.
fn configured(app: &App, path: &Path) -> Result<Vec<RuleReport>, Failure> {
    let session = app.session(None)?;
    let of_this = |spec: &&Arc<PolicySpec>| match &spec.source {
        PolicySource::File(file) => real(file) == real(path),
        PolicySource::BuiltIn(_) | PolicySource::Remote(_) => false,
    };
    let mut judged = Vec::new();
    for spec in session.config().layers().iter().flat_map(Layer::policies).filter(of_this) {
        let Some(rule) = &spec.signed_by else { continue };
        let expected = SafeText::new(&rule.to_string());
        // One that is disabled is judged as it would be if it were not.
        let enabled = PolicySpec { mode: Mode::Strict, ..PolicySpec::clone(spec) };
        let verdict = match pipeline::check_signature(&session, &enabled) {
            Ok(Some(signer)) => Ok(signer),
            Ok(None) => Err("the component can't be read".into()),
            Err(PipelineError::Signature(mismatch)) => {
                let SignatureMismatch { found, .. } = *mismatch;
                Err(found)
            }
            Err(error) => return Err(error.into()),
        };
        judged.push(RuleReport { of: RuleOf::Policy(spec.layer, spec.name.clone()), expected, verdict });
    }
    Ok(judged)
}
