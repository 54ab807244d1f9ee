//! `smcp policy set pull`: get policy sets ahead.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::set::show::SetDescription;
use crate::cli::policy::sign::ARCHIVE;
use crate::cli::policy::write::refuse_other;
use crate::cli::policy::write::write_whole;
use smcp_config::set::PolicySetFacts;
use smcp_model::oci::GRAMMAR;
use smcp_model::source::RemoteAddress;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_pipeline as pipeline;
use smcp_pipeline::sets::PulledSet;
use smcp_pipeline::sets::SetsInForce;
use smcp_pipeline::shipping;
use smcp_pipeline::shipping::PulledArchive;
use smcp_report::json;
use smcp_report::message;
use smcp_report::style::Span;

/// Get the policy sets that the configuration names, so that no start waits for a registry.
///
/// Without an argument it asks for every set of the configuration now, however young what is there is, verifies it as a
/// start would, and keeps it; what is not right is exit 3, also while the last good one stays in force. With a source it
/// gets and checks that one, whoever has signed it, and keeps nothing.
#[derive(Debug, Args)]
pub(crate) struct PullSetCommand {
    /// A source: oci://HOST[:PORT]/REPO[:TAG][@sha256:DIGEST] or https://…/NAME.tar.gz
    #[arg(value_name = "SOURCE", value_parser = address)]
    source: Option<RemoteAddress>,
    /// Write the archive into this file, and its signatures beside it
    #[arg(long, short, value_name = "FILE", requires = "source")]
    output: Option<PathBuf>,
}

fn address(text: &str) -> Result<RemoteAddress, String> {
    RemoteAddress::read_set(text).map_err(|problem| format!("{problem}; expected {GRAMMAR} or https://…/NAME.tar.gz"))
}

impl PullSetCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if let Some(output) = &self.output {
            refuse_other(app, output, ARCHIVE, "archive of a set")?;
        }
        let session = app.session_without_sets()?;
        match &self.source {
            Some(source) => self.answer(app, source, &shipping::pull_set_source(&session, source)?),
            None => {
                let (pulled, found) = pipeline::sets::pull_sets(session.config(), app.system());
                all(app, &pulled, &found)
            }
        }
    }

    fn answer(&self, app: &App, source: &RemoteAddress, pulled: &PulledArchive) -> Result<Exit, Failure> {
        let PulledArchive { bytes, manifest, signatures, packed } = pulled;
        let written = self.output.as_deref().map(|file| write(app, file, pulled)).transpose()?.unwrap_or_default();
        let description = SetDescription::of(packed, SafeText::new(&source.to_string()), app.system().now());
        let names: Vec<_> = signatures.iter().map(|document| document.name.as_str()).collect();
        if app.json() {
            let mut document = description.document();
            if let Value::Object(members) = &mut document {
                members.insert("manifest".to_owned(), json!(manifest));
                members.insert("signatures".to_owned(), json!(names));
            }
            json::write(&document, &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let mut rows: Vec<_> = manifest.iter().map(|digest| ("manifest", Span::plain(digest.to_string()))).collect();
        rows.extend([
            ("version", Span::plain(description.version().to_string())),
            ("expires", Span::plain(description.expires())),
            ("digest", Span::plain(format!("{}, {} bytes", description.digest(), bytes.len()))),
            ("signatures", Span::plain(if names.is_empty() { "none".to_owned() } else { names.join(", ") })),
        ]);
        rows.extend(written.into_iter().map(|file| ("written to", Span::plain(file))));
        app.done(&format!("{source} is a policy set, whoever has signed it"), &rows)?;
        Ok(Exit::SUCCESS)
    }
}

/// Writes an archive, and the first signature of each form beside it, where `policy verify` and a start look for them.
fn write(app: &App, file: &Path, pulled: &PulledArchive) -> Result<Vec<String>, Failure> {
    let path = app.path(file)?;
    let mut files = Vec::new();
    // The archive comes last: until then, nothing is there that its signatures would not be for.
    for document in &pulled.signatures {
        let beside = pipeline::beside(&path, document.form.suffix());
        if !files.iter().any(|(known, _)| *known == beside) {
            files.push((beside, document.content.as_slice()));
        }
    }
    files.push((path, pulled.bytes.as_slice()));
    for (file, bytes) in &files {
        write_whole(file, None, bytes).with_context(|| format!("while writing {}", file.display()))?;
    }
    Ok(files.iter().rev().map(|(file, _)| file.display().to_string()).collect())
}

/// Answers about all sets of the configuration.
fn all(app: &App, pulled: &[PulledSet], found: &SetsInForce) -> Result<Exit, Failure> {
    app.warn_of(&found.suspects);
    found.notices.iter().for_each(|notice| app.notice(notice.message.as_str()));
    let failed = pulled.iter().filter_map(|set| set.outcome.as_ref().err()).next();
    let exit = failed.map_or(Exit::SUCCESS, |error| Exit::from(error.exit_kind()));
    if app.json() {
        let sets: Vec<Value> = pulled.iter().map(document).collect();
        json::write(&json!({"schema": "smcp.set-pull/1", "sets": sets}), &mut app.out())?;
        return Ok(exit);
    }
    let style = app.error_style();
    for PulledSet { layer, source, outcome } in pulled {
        match outcome {
            Ok((facts, is_new)) => {
                let here = if *is_new { "is here and verified" } else { "was here already, and is verified" };
                let done = format!("{}: {source} {here}", layer.as_str());
                app.done(&done, &rows(facts))?;
            }
            Err(error) => message::error(&error.explained(), &[], &mut app.err(), &style)?,
        }
    }
    if pulled.is_empty() {
        app.notice("the configuration names no policy set");
    }
    app.err().flush()?;
    Ok(exit)
}

fn rows(facts: &PolicySetFacts) -> Vec<(&'static str, Span)> {
    let PolicySetFacts { arrival, version, expires, held: _, components: _ } = facts;
    let signer = arrival.signer.as_ref().map(|signer| ("signed by", Span::plain(signer.as_str())));
    let rows = [
        ("version", Span::plain(version.to_string())),
        ("expires", Span::plain(time::utc_of(*expires).unwrap_or_default())),
        ("digest", Span::plain(arrival.digest.to_string())),
    ];
    rows.into_iter().chain(signer).collect()
}

fn document(pulled: &PulledSet) -> Value {
    let PulledSet { layer, source, outcome } = pulled;
    match outcome {
        Ok((PolicySetFacts { arrival, version, expires, held: _, components: _ }, is_new)) => json!({
            "layer": layer,
            "source": source.to_string(),
            "version": version,
            "expires": time::utc_of(*expires),
            "digest": arrival.digest,
            "signer": arrival.signer,
            "new": is_new,
        }),
        Err(error) => json!({
            "layer": layer,
            "source": source.to_string(),
            "error": {"code": error.code(), "exit_code": error.exit_kind().code(), "message": error.explained()},
        }),
    }
}
