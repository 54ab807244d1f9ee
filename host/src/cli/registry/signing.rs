//! The key and the terms of a signed statement, for the commands.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::signing_key;
use crate::cli::signing_key::KEY_VARIABLE;
use smcp_model::deadline::Deadline;
use smcp_model::limits::statements as limits;
use smcp_model::package::Resolution;
use smcp_model::signer::Demand;
use smcp_model::signer::MinisignKey;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::statement::StatementTerms;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_pipeline::PipelineError;
use smcp_registry::Attestation;
use smcp_registry::RegistryClient;
use smcp_report::style::Span;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;
use smcp_signature::SignerFileError;
use smcp_signature::Standing;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

/// A statement, and a signature of it.
pub(super) type StatementText = (Vec<u8>, Vec<u8>);

/// How a statement is signed, and for how long.
#[derive(Debug, Args)]
pub(super) struct SigningArguments {
    /// Sign a statement with the facts: the key's name in ~/.mcp/keys, a file, or SMCP_SIGNING_KEY for that variable
    #[arg(long, value_name = "KEY")]
    pub(super) sign: Option<PathBuf>,
    /// A file with the password of the key, on its first line
    #[arg(long, value_name = "FILE", requires = "sign")]
    password_file: Option<PathBuf>,
    /// How long the statement is valid, at most 366d [default: 90d]
    #[arg(long, value_name = "TIME", requires = "sign", value_parser = parse_validity)]
    expires: Option<Duration>,
    /// The number of the statement; the newest has the highest [default: the time in seconds]
    #[arg(long, value_name = "N", requires = "sign", value_parser = clap::value_parser!(u64).range(1..=limits::SEQUENCE))]
    sequence: Option<u64>,
}

fn parse_validity(text: &str) -> Result<Duration, String> {
    let is_short =
        text.len() <= 32 && text.split(|digit: char| !digit.is_ascii_digit()).all(|digits| digits.len() <= 9);
    let validity = if is_short { humantime::parse_duration(text).ok() } else { None };
    let validity = validity.filter(|validity| validity.as_secs() > 0 && *validity <= limits::VALIDITY);
    validity.ok_or_else(|| "expected a duration above zero and at most 366d, such as 90d".to_owned())
}

/// A key, and what it signs with.
pub(super) struct StatementKey {
    key: SecretKey,
    now: u64,
    validity: Duration,
    sequence: Option<u64>,
}

impl SigningArguments {
    /// Opens the key; `None` when nothing is to be signed.
    pub(super) fn open(&self, app: &App) -> Result<Option<StatementKey>, Failure> {
        let Some(named) = &self.sign else { return Ok(None) };
        let named = (named != Path::new(KEY_VARIABLE)).then_some(named.as_path());
        let key = signing_key::open(app, named, self.password_file.as_deref())?;
        let validity = self.expires.unwrap_or(limits::EXPIRES_DEFAULT);
        Ok(Some(StatementKey { key, now: app.system().now(), validity, sequence: self.sequence }))
    }
}

impl StatementKey {
    /// The public half.
    pub(super) fn public(&self) -> MinisignKey {
        self.key.public()
    }

    /// Signs a statement.
    pub(super) fn sign(&self, statement: &[u8]) -> Vec<u8> {
        let comment = format!("timestamp:{}\tfile:statement.json\thashed", self.now);
        minisign::sign(&self.key, statement, &comment).into_bytes()
    }

    /// Returns the statement with the highest number that this key has signed about a version.
    pub(super) fn newest(
        &self,
        registry: &dyn RegistryClient,
        resolution: &Resolution,
    ) -> Result<Option<FactsStatement>, Failure> {
        Ok(newest_by(self.public(), registry, resolution, self.now)?.map(|(_, statement)| statement))
    }

    /// When the command was started, in seconds since the Unix epoch.
    pub(super) const fn now(&self) -> u64 {
        self.now
    }

    /// Returns the terms of the next statement.
    pub(super) fn terms(&self, newest: Option<&FactsStatement>) -> Result<StatementTerms, Failure> {
        let before = newest.map_or(0, |newest| newest.terms().sequence);
        let sequence = self.sequence.unwrap_or_else(|| self.now.max(before.saturating_add(1)));
        if sequence <= before {
            return Err(Failure::usage(anyhow!(
                "this key has signed number {before} about this version already, and only a higher one counts"
            )));
        }
        Ok(StatementTerms { issued: self.now, expires: self.now.saturating_add(self.validity.as_secs()), sequence })
    }

    /// What the registry needs for a statement with these terms.
    pub(super) fn attestation<'a>(&self, sign: &'a dyn Fn(&[u8]) -> Vec<u8>, terms: StatementTerms) -> Attestation<'a> {
        Attestation { number: self.public().number(), sign, terms }
    }

    /// What is shown of a statement with these terms.
    pub(super) fn row(&self, terms: StatementTerms) -> (&'static str, Span) {
        let StatementTerms { issued: _, expires, sequence } = terms;
        let (until, key) = (time::utc_of(expires).unwrap_or_default(), self.public());
        ("signed", Span::plain(format!("number {sequence}, until {until}, by minisign {key}")))
    }
}

/// Returns the statements about a version that have a minisign signature, each with one.
pub(super) fn statements(
    registry: &dyn RegistryClient,
    resolution: &Resolution,
) -> Result<Vec<StatementText>, Failure> {
    let arrived = registry.statements(resolution, &Deadline::none()).map_err(PipelineError::from)?;
    let minisign = |arrived: &ArrivedStatement| match arrived {
        ArrivedStatement::Minisign { statement, signature } => Some((statement.clone(), signature.clone())),
        ArrivedStatement::Sigstore { .. } => None,
    };
    Ok(arrived.all().iter().filter_map(minisign).collect())
}

/// Returns the statement with the highest number that a key has signed about a version. What lies in the registry and is not
/// by this key says nothing.
pub(super) fn newest_by(
    key: MinisignKey,
    registry: &dyn RegistryClient,
    resolution: &Resolution,
    now: u64,
) -> Result<Option<(Vec<u8>, FactsStatement)>, Failure> {
    let Some(rule) = SignedBy::new(vec![Demand::One(Signer::Minisign(key))]) else { return Ok(None) };
    let rule = LoadedRule::load::<SignerFileError>(&rule, &mut |_, _| Ok(Vec::new())).map_err(Failure::usage)?;
    let own = statements(registry, resolution)?.into_iter().filter(|(text, signature)| {
        let name = SafeText::new("a signature");
        let content = signature.clone();
        let document = SignatureDocument { name, form: SignatureForm::Minisign, content };
        matches!(rule.standing(text, &[document], now), Standing::Signed(_))
    });
    Ok(newest_of(own.map(|(text, _)| text), &StatementTarget::of(resolution)))
}

/// Returns the statement about a version with the highest number, whoever has signed it.
pub(super) fn newest_of(
    statements: impl Iterator<Item = Vec<u8>>,
    target: &StatementTarget,
) -> Option<(Vec<u8>, FactsStatement)> {
    let about_it = statements.filter_map(|text| {
        let statement = FactsStatement::read(&text).ok().flatten()?;
        statement.check_target(target).is_ok().then_some((text, statement))
    });
    about_it.max_by_key(|(_, statement)| statement.terms().sequence)
}
