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

/// A component that was signed.
#[derive(Debug)]
pub struct Signed {
    /// The component, as the user named it.
    pub file: PathBuf,
    /// Its absolute path.
    pub path: PathBuf,
    /// The signature.
    pub signature: PathBuf,
    /// The component's digest.
    pub digest: Digest,
    /// The key.
    pub key: MinisignKey,
}

/// A component, held against rules.
#[derive(Debug)]
pub struct SignatureReport {
    /// The component.
    pub file: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// What each rule says.
    pub judged: Vec<RuleReport>,
}

/// What one rule says.
#[derive(Debug)]
pub struct RuleReport {
    /// The policy whose rule it is; `None` for one of the command line.
    pub policy: Option<(LayerName, PolicyName)>,
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
    if let Some(Signed { file, path: _, signature, digest, key }) = signed {
        let rows = [
            ("signature", Span::plain(shown(signature))),
            ("key", Span::plain(key.number())),
            ("digest", Span::plain(digest.to_string())),
        ];
        message::done(&format!("{} is signed", shown(file)), &rows, out, style)?;
    }
    let Some(key) = signed.map(|signed| &signed.key).or(made.map(|made| &made.public)) else { return Ok(()) };
    writeln!(out, "\n{}in the entry of the policy:{:#}\n\n{}", style.palette.dim, style.palette.dim, line_for(key))
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
    let signed = signed.map(|Signed { file, path, signature, digest, key }| {
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
    for RuleReport { policy, expected, verdict } in judged {
        let policy = policy.iter().map(|(layer, name)| ("policy", Span::plain(format!("{name} ({})", layer.as_str()))));
        let digest = ("digest", Span::plain(digest.to_string()));
        match verdict {
            Ok(signer) => {
                let rows: Vec<_> =
                    [("signed by", Span::plain(signer.as_str()))].into_iter().chain(policy).chain([digest]).collect();
                message::done(&format!("{} is signed as it should be", shown(file)), &rows, out, style)?;
            }
            Err(found) => {
                let rows = [format!("found: {found}"), format!("expected: {expected}")];
                let policy = policy.map(|(title, text)| format!("{title}: {}", text.text));
                let rows: Vec<_> = rows.into_iter().chain(policy).collect();
                message::error(&format!("{} is not signed as it should be", shown(file)), &rows, out, style)?;
            }
        }
    }
    Ok(())
}

/// Returns who has signed a component, or what is wrong, as a document.
pub fn verification_document(found: &SignatureReport, exit: ExitKind) -> Value {
    let SignatureReport { file, digest, judged } = found;
    let judged = judged.iter().map(|RuleReport { policy, expected, verdict }| {
        json!({
            "layer": policy.as_ref().map(|(layer, _)| layer),
            "policy": policy.as_ref().map(|(_, name)| name),
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

/// The line of an entry that asks for a signature by this key.
fn line_for(key: &MinisignKey) -> String {
    format!("      signed_by: [{{ minisign: \"{key}\" }}]")
}

fn shown(path: &Path) -> String {
    SafeText::new(&path.to_string_lossy()).to_string()
}
