//! The figures of an earlier measurement, in a file.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::policy::write::refuse_state;
use crate::cli::policy::write::write_whole;
use smcp_authority as authority;
use smcp_model::bench::Conditions;
use smcp_model::bench::Measurement;
use smcp_model::limits;
use smcp_model::limits::bench::BASE;
use smcp_model::text::SafeText;
use smcp_model::unambiguous;
use smcp_report::bench;

/// How a base is made.
const MAKE: &str = "`--save` writes such a file";

/// Reads figures that were measured under these conditions.
pub(super) fn read(app: &App, path: &Path, conditions: &Conditions) -> Result<Measurement, Failure> {
    let bytes = app.read_document(path, BASE, limits::START_TIMEOUT_DEFAULT)?;
    let shown = path.display();
    let base = parse(&bytes).map_err(|wrong| {
        failure(anyhow::anyhow!("{shown} has no figures to compare with: {}\n  {MAKE}", SafeText::new(&wrong)))
    })?;
    match conditions.difference(&base.conditions) {
        None => Ok(base),
        Some(difference) => Err(failure(anyhow::anyhow!(
            "{shown} can't be compared with: it was measured with {difference}\n  \
             → measure again what it should be, with `--save`"
        ))),
    }
}

/// Refuses figures of another policy.
pub(super) fn same_policy(path: &Path, base: &Measurement, now: &Measurement) -> Result<(), Failure> {
    if base.policy == now.policy {
        return Ok(());
    }
    let (path, there, here) = (path.display(), &base.policy, &now.policy);
    Err(failure(anyhow::anyhow!("{path} has the figures of the policy `{there}`, and this is `{here}`")))
}

/// Refuses a place where figures would replace something else.
pub(super) fn check_place(app: &App, path: &Path) -> Result<(), Failure> {
    let while_looking = || format!("while looking at {}", path.display());
    refuse_state(app, path)?;
    let real = app.path(path)?;
    if !authority::exists(&real).with_context(while_looking).map_err(Failure::usage)? {
        return Ok(());
    }
    let refused = |what: &str| {
        let path = path.display();
        Failure::usage(anyhow::anyhow!("{path} {what}, and is not replaced\n  → name another file to `--save`"))
    };
    let old = match authority::read_input(&real, BASE, std::time::Duration::ZERO) {
        Ok(old) => old,
        Err(authority::InputError::TooLarge { .. }) => return Err(refused("is no file of figures")),
        Err(error) => return Err(Failure::usage(anyhow::Error::from(error).context(while_looking()))),
    };
    let is_ours = serde_json::from_slice::<Value>(&old).is_ok_and(|old| {
        old.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with(bench::SCHEMA_NAME))
    });
    // Empty is what `mktemp` makes.
    if old.is_empty() || is_ours { Ok(()) } else { Err(refused("is no file of figures")) }
}

/// Writes figures to be compared with later.
pub(super) fn write(app: &App, path: &Path, measurement: &Measurement) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&bench::figures(measurement)).map_err(io::Error::from)?;
    let written = write_whole(&app.path(path)?, None, format!("{text}\n").as_bytes());
    written.with_context(|| format!("while writing {}", path.display())).map_err(Failure::usage)
}

fn parse(bytes: &[u8]) -> Result<Measurement, String> {
    unambiguous::check(bytes).map_err(|error| error.to_string())?;
    let Value::Object(mut document) = serde_json::from_slice(bytes).map_err(|error| error.to_string())? else {
        return Err("it is no JSON object".to_owned());
    };
    match document.remove("schema") {
        Some(Value::String(schema)) if schema == bench::SCHEMA => {}
        Some(other) => return Err(format!("its `schema` is {other}, and this is {}", bench::SCHEMA)),
        None => return Err(format!("it has no `schema`, which is {}", bench::SCHEMA)),
    }
    // What `--json` printed is such a file, too; these say how that comparison ended.
    for verdict in ["comparison", "exit_code"] {
        document.remove(verdict);
    }
    serde_json::from_value(Value::Object(document)).map_err(|error| error.to_string())
}

fn failure(error: anyhow::Error) -> Failure {
    Failure { code: "base", ..Failure::usage(error) }
}
