//! `smcp policy pull`: get the components of policies ahead.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::push::entry;
use crate::cli::policy::write::refuse_other;
use crate::cli::policy::write::write_whole;
use smcp_model::source::RemoteAddress;
use smcp_pipeline::shipping;
use smcp_pipeline::shipping::PulledComponent;
use smcp_pipeline::shipping::PulledPolicy;
use smcp_report::json;
use smcp_report::message;
use smcp_report::style::Span;

/// Get the components of policies ahead, so that no start waits for a registry.
///
/// Without an argument it gets every policy of the configuration that is elsewhere: what a digest names is not asked for
/// again, a tag is. With a source it gets that one, and prints what a configuration says to use it: what came becomes
/// nobody's policy by that.
#[derive(Debug, Args)]
pub(crate) struct PullPolicyCommand {
    /// A source: oci://HOST[:PORT]/REPO[:TAG][@sha256:DIGEST] or https://…/NAME.wasm
    #[arg(value_name = "SOURCE", value_parser = address)]
    source: Option<RemoteAddress>,
    /// Write the component into this file, too
    #[arg(long, short, value_name = "FILE.wasm", requires = "source")]
    output: Option<PathBuf>,
}

fn address(text: &str) -> Result<RemoteAddress, String> {
    RemoteAddress::read(text)
        .map_err(|problem| format!("{problem}; expected {} or https://…/NAME.wasm", smcp_model::oci::GRAMMAR))
}

impl PullPolicyCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match &self.source {
            Some(source) => {
                if let Some(output) = &self.output {
                    refuse_other(app, output, b"\0asm", "WebAssembly")?;
                }
                let pulled = shipping::pull_source(&app.session_without_sets()?, source)?;
                self.answer(app, source, &pulled)
            }
            None => all(app, &shipping::pull_policies(&app.session_to_decide(None, None)?)),
        }
    }

    fn answer(&self, app: &App, source: &RemoteAddress, pulled: &PulledComponent) -> Result<Exit, Failure> {
        if let Some(file) = &self.output {
            let written = write_whole(&app.path(file)?, None, &pulled.bytes);
            written.with_context(|| format!("while writing {}", file.display()))?;
        }
        if app.json() {
            json::write(
                &json!({"schema": "smcp.policy-pull/1", "policies": [component(source, pulled)]}),
                &mut app.out(),
            )?;
            return Ok(Exit::SUCCESS);
        }
        let mut rows = rows(pulled);
        rows.extend(self.output.as_ref().map(|file| ("written to", Span::plain(file.display().to_string()))));
        app.done(&format!("{source} {}", here(pulled)), &rows)?;
        app.notice(&entry(source, &pulled.digest));
        Ok(Exit::SUCCESS)
    }
}

/// Answers about all policies of the configuration.
fn all(app: &App, pulled: &[PulledPolicy]) -> Result<Exit, Failure> {
    let failed = pulled.iter().filter_map(|policy| policy.outcome.as_ref().err()).next();
    let exit = failed.map_or(Exit::SUCCESS, |error| Exit::from(error.exit_kind()));
    if app.json() {
        let policies: Vec<Value> = pulled.iter().map(policy).collect();
        json::write(&json!({"schema": "smcp.policy-pull/1", "policies": policies}), &mut app.out())?;
        return Ok(exit);
    }
    let style = app.error_style();
    for PulledPolicy { name, layer, source, outcome } in pulled {
        match outcome {
            Ok(component) => {
                let done = format!("{name} ({}): {source} {}", layer.as_str(), here(component));
                app.done(&done, &rows(component))?;
            }
            Err(error) => message::error(&error.explained(), &[], &mut app.err(), &style)?,
        }
    }
    if pulled.is_empty() {
        app.notice("no enabled policy of the configuration is elsewhere");
    }
    app.err().flush()?;
    Ok(exit)
}

fn rows(pulled: &PulledComponent) -> Vec<(&'static str, Span)> {
    let manifest = pulled.manifest.map(|manifest| ("manifest", Span::plain(manifest.to_string())));
    let digest = ("digest", Span::plain(format!("{}, {} bytes", pulled.digest, pulled.bytes.len())));
    let signer = pulled.signer.as_ref().map(|signer| ("signed by", Span::plain(signer.as_str())));
    manifest.into_iter().chain([digest]).chain(signer).collect()
}

const fn here(pulled: &PulledComponent) -> &'static str {
    match (pulled.is_kept, pulled.is_new) {
        (false, _) => "came, but the cache can't be written",
        (true, true) => "is here and verified",
        (true, false) => "was here already, and is verified",
    }
}

fn component(source: &RemoteAddress, pulled: &PulledComponent) -> Value {
    json!({
        "source": source.to_string(),
        "manifest": pulled.manifest,
        "digest": pulled.digest,
        "size": pulled.bytes.len(),
        "signer": pulled.signer,
        "new": pulled.is_new,
        "kept": pulled.is_kept,
    })
}

fn policy(pulled: &PulledPolicy) -> Value {
    let PulledPolicy { name, layer, source, outcome } = pulled;
    let mut document = match outcome {
        Ok(pulled) => component(source, pulled),
        Err(error) => json!({
            "source": source.to_string(),
            "error": {"code": error.code(), "exit_code": error.exit_kind().code(), "message": error.explained()},
        }),
    };
    if let Value::Object(members) = &mut document {
        members.insert("name".to_owned(), json!(name));
        members.insert("layer".to_owned(), json!(layer));
    }
    document
}
