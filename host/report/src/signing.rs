//! Shows what was signed, keys that were made, and if a component is signed.

use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::message;
use crate::style::Span;
use crate::style::Style;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::signer::MinisignKey;
use smcp_model::text::SafeText;

/// A pair of keys that was made.
#[derive(Debug)]
pub struct KeyMade {
    /// Its name.
    pub name: PolicyName,
    /// The public key.
    pub public: MinisignKey,
    /// The files of the secret and of the public key.
    pub places: (PathBuf, PathBuf),
    /// Whether it takes a password to sign.
    pub protected: bool,
}

/// A component or a policy set that was signed.
#[derive(Debug)]
pub struct Signed {
    /// Its file, as the user named it.
    pub file: PathBuf,
    /// Whether it is a policy set.
    pub is_set: bool,
    /// Its absolute path.
    pub path: PathBuf,
    /// The signature.
    pub signature: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// The key.
    pub key: MinisignKey,
}

/// A component or a policy set, held against rules.
#[derive(Debug)]
pub struct SignatureReport {
    /// Its file.
    pub file: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// What each rule says.
    pub judged: Vec<RuleReport>,
}

/// Where a rule about signers stands.
#[derive(Debug)]
pub enum RuleOf {
    /// On the command line.
    CommandLine,
    /// In the entry of a policy.
    Policy(LayerName, PolicyName),
    /// Where a layer names the set of this layer.
    Set(LayerName),
}

impl RuleOf {
    /// What it is about, as a row of a report.
    fn row(&self) -> Option<(&'static str, String)> {
        match self {
            Self::CommandLine => None,
            Self::Policy(layer, name) => Some(("policy", format!("{name} ({})", layer.as_str()))),
            Self::Set(layer) => Some(("policy set", layer.as_str().to_owned())),
        }
    }

    /// The layer and the policy, as a document has them.
    const fn parts(&self) -> (Option<LayerName>, Option<&PolicyName>) {
        match self {
            Self::CommandLine => (None, None),
            Self::Policy(layer, name) => (Some(*layer), Some(name)),
            Self::Set(layer) => (Some(*layer), None),
        }
    }
}

/// What one rule says.
#[derive(Debug)]
pub struct RuleReport {
    /// Where the rule stands.
    pub of: RuleOf,
    /// Who should have signed.
    pub expected: SafeText,
    /// Who has signed; otherwise what was found.
    pub verdict: Result<SafeText, SafeText>,
}

/// Writes the keys that were made and what was signed, and the line that belongs into a configuration.
///
/// # Errors
/// When the writer fails.
pub fn signed(made: Option<&KeyMade>, signed: Option<&Signed>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    if let Some(KeyMade { name, public, places: (secret, file), protected }) = made {
        let secret = match protected {
            true => shown(secret),
            false => format!("{}, without a password: whoever can read it can sign", shown(secret)),
        };
        let rows = [
            ("secret key", Span::plain(secret)),
            ("public key", Span::plain(shown(file))),
            ("number", Span::plain(public.number())),
        ];
        message::done(&format!("the key {name} is made"), &rows, out, style)?;
    }
    if let Some(Signed { file, is_set: _, path: _, signature, digest, key }) = signed {
        let rows = [
            ("signature", Span::plain(shown(signature))),
            ("key", Span::plain(key.number())),
            ("digest", Span::plain(digest.to_string())),
        ];
        message::done(&format!("{} is signed", shown(file)), &rows, out, style)?;
    }
    let Some(key) = signed.map(|signed| &signed.key).or(made.map(|made| &made.public)) else { return Ok(()) };
    let dim = style.palette.dim;
    if signed.is_some_and(|signed| signed.is_set) {
        return writeln!(out, "\n{dim}under `policy_set`:{dim:#}\n\n    {}", rule_for(key));
    }
    writeln!(out, "\n{dim}in the entry of the policy:{dim:#}\n\n      {}", rule_for(key))
}

/// Returns the keys that were made and what was signed as a document.
pub fn signed_document(made: Option<&KeyMade>, signed: Option<&Signed>) -> Value {
    let key = made.map(|KeyMade { name, public, places: (secret, file), protected }| {
        let (secret, file) = (shown(secret), shown(file));
        json!({
            "name": name, "secret": secret, "public": file, "protected": protected,
            "minisign": public.to_string(), "number": public.number(),
        })
    });
    let signed = signed.map(|Signed { file, is_set: _, path, signature, digest, key }| {
        json!({
            "file": shown(file), "path": shown(path), "signature": shown(signature), "digest": digest,
            "minisign": key.to_string(),
        })
    });
    json!({"schema": "smcp.signed/1", "key": key, "signed": signed})
}

/// Writes who has signed a component, or what is wrong.
///
/// # Errors
/// When the writer fails.
pub fn verification(found: &SignatureReport, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let SignatureReport { file, digest, judged } = found;
    for RuleReport { of, expected, verdict } in judged {
        let of = of.row().into_iter().map(|(title, text)| (title, Span::plain(text)));
        let digest = ("digest", Span::plain(digest.to_string()));
        match verdict {
            Ok(signer) => {
                let rows: Vec<_> =
                    [("signed by", Span::plain(signer.as_str()))].into_iter().chain(of).chain([digest]).collect();
                message::done(&format!("{} is signed as it should be", shown(file)), &rows, out, style)?;
            }
            Err(found) => {
                let rows = [format!("found: {found}"), format!("expected: {expected}")];
                let of = of.map(|(title, text)| format!("{title}: {}", text.text));
                let rows: Vec<_> = rows.into_iter().chain(of).collect();
                message::error(&format!("{} is not signed as it should be", shown(file)), &rows, out, style)?;
            }
        }
    }
    Ok(())
}

/// Returns who has signed a component, or what is wrong, as a document.
pub fn verification_document(found: &SignatureReport, exit: ExitKind) -> Value {
    let SignatureReport { file, digest, judged } = found;
    let judged = judged.iter().map(|RuleReport { of, expected, verdict }| {
        let (layer, policy) = of.parts();
        json!({
            "layer": layer,
            "policy": policy,
            "expected": expected,
            "signer": verdict.as_ref().ok(),
            "found": verdict.as_ref().err(),
        })
    });
    let judged: Vec<_> = judged.collect();
    json!({
        "schema": "smcp.verified/1", "file": shown(file), "digest": digest, "valid": exit == ExitKind::Success,
        "exit_code": exit.code(), "rules": judged,
    })
}

/// The line that asks for a signature by this key.
fn rule_for(key: &MinisignKey) -> String {
    format!("signed_by: [{{ minisign: \"{key}\" }}]")
}

fn shown(path: &Path) -> String {
    SafeText::new(&path.to_string_lossy()).to_string()
}
