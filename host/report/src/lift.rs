//! The exceptions that would lift a refusal, to be copied into a configuration.
//!
//! They are complete but for the reason and the last day, which are for whoever answers for them: as they are printed,
//! they are an error of the configuration, and nothing is applied.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::style::Span;
use crate::style::Style;
use crate::wrap::paragraph;
use smcp_decide::ExceptionFile;
use smcp_decide::Lift;
use smcp_model::exception::Extent;
use smcp_model::name::FindingCode;
use smcp_model::name::PolicyName;
use smcp_model::package::Version;
use smcp_model::request::Subject;

/// Spaces before the sentence that leads in, and before keys under `policy`.
const INDENT: usize = 2;

/// Writes the entries, for each file together. Their lines are never wrapped.
///
/// # Errors
/// When the writer fails.
pub(crate) fn write(lifts: &[Lift], subject: &Subject, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    for of_file in lifts.chunk_by(|one, next| one.file == next.file) {
        let Some(Lift { file: ExceptionFile { file, has_exceptions, .. }, .. }) = of_file.first() else { continue };
        let place = if *has_exceptions { "to `policy.exceptions`" } else { "under `policy`" };
        let lead = format!(
            "to make an exception, whoever may approve it adds this {place} in {file}, with a reason and a last day:"
        );
        writeln!(out)?;
        paragraph(out, &[Span::new("→", style.palette.dim), Span::plain(lead)], INDENT, 2 * INDENT, style.width)?;
        writeln!(out)?;
        if !has_exceptions {
            writeln!(out, "{:INDENT$}exceptions:", "")?;
        }
        of_file.iter().try_for_each(|lift| entry(lift, subject, out))?;
    }
    Ok(())
}

/// Returns an entry as a document: the file that it belongs into, and its text, to be copied.
pub(crate) fn document(lift: &Lift, subject: &Subject) -> Value {
    let mut text = Vec::new();
    let written = entry(lift, subject, &mut text).is_ok();
    let entry = String::from_utf8(text).ok().filter(|_| written);
    json!({
        "layer": lift.file.layer,
        "file": lift.file.file,
        "package": lift.package.to_string(),
        "policies": lift.policies.iter().map(PolicyName::as_str).collect::<Vec<_>>(),
        "codes": lift.codes.iter().map(FindingCode::as_str).collect::<Vec<_>>(),
        "entry": entry,
    })
}

/// Writes one entry as YAML.
fn entry(lift: &Lift, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let Lift { file: _, package, policies, codes } = lift;
    // A digest says nothing to people. A text that is a version is safe in a comment.
    let version: Option<Version> = match package.extent {
        Extent::Bundle(_) => subject.version.parse().ok(),
        Extent::EveryVersion | Extent::Version(_) => None,
    };
    if let Some(version) = version {
        writeln!(out, "    # version {version}")?;
    }
    writeln!(out, "    - package: {package}")?;
    writeln!(out, "      policies: [{}]", listed(policies.iter().map(PolicyName::as_str)))?;
    writeln!(out, "      codes: [{}]", listed(codes.iter().map(FindingCode::as_str)))?;
    writeln!(out, "      reason:  # why")?;
    writeln!(out, "      until:  # YYYY-MM-DD")
}

/// Returns names as the items of a list in brackets.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(scalar).collect::<Vec<_>>().join(", ")
}

/// Returns a name, of lower-case letters, digits and `-`, as a scalar that every YAML reads as that text.
fn scalar(name: &str) -> String {
    let is_word = name.starts_with(|first: char| first.is_ascii_lowercase()) && !WORDS.contains(&name);
    if is_word { name.to_owned() } else { format!("\"{name}\"") }
}

/// Words that some version of YAML takes for something else than text.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
