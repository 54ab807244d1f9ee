//! Checks the audit log: is it writable and whole, and has every start an end.

use std::time::SystemTime;

use crate::cli::app::App;
use crate::cli::audit::log;
use crate::cli::doctor::surroundings;
use smcp_audit as audit;
use smcp_audit::KnownLog;
use smcp_audit::LogFile;
use smcp_config::Config;
use smcp_config::choice::Audit;
use smcp_model::audit::Verification;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::error_chain::error_chain;
use smcp_pipeline::Recorder;
use smcp_pipeline::Session;
use smcp_report::records;

/// Returns every check of the log.
pub(super) fn checks(app: &App, session: &Session) -> Vec<Check> {
    let config = session.config();
    let mut checks = vec![writable(session)];
    if config.audit_log().is_none() {
        return checks;
    }
    let mut snapshot = match log(app) {
        Ok(snapshot) => snapshot,
        Err(failure) => {
            checks.push(Check::failed("audit chain", unusable(config), &failure.message()));
            return checks;
        }
    };
    // Only the newest file: the others may have a gigabyte, and `smcp audit verify` reads them.
    let newest: &mut [LogFile] = snapshot.parts.last_mut().map_or(&mut [], std::slice::from_mut);
    match audit::verify(newest, KnownLog { partial: true, ..KnownLog::default() }) {
        Ok(found) => {
            let found = Verification { living: snapshot.living, foreign: snapshot.foreign, ..found };
            checks.push(chain(&found, session.system().time()));
            checks.extend(servers(&found));
        }
        Err(error) => checks.push(Check::failed("audit chain", unusable(config), &error.to_string())),
    }
    checks
}

/// Returns how bad it is that the log can't be used: `run` goes on without it where the configuration says so.
fn unusable(config: &Config) -> Health {
    match config.audit() {
        Audit::Required => Health::Problem,
        Audit::BestEffort => Health::Warning,
    }
}

/// Checks that records can be written, by writing as much as they take.
fn writable(session: &Session) -> Check {
    match Recorder::try_out(session) {
        Ok(None) => {
            let path = session.config().audit_log().map(|path| path.display().to_string()).unwrap_or_default();
            Check::new("audit log", Health::Ok, format!("{path} can be written"))
        }
        Ok(Some(notice)) => Check::new("audit log", Health::Warning, notice.message.as_str())
            .advice(format!("`audit: {}` lets smcp go on without it", Audit::BestEffort.as_str())),
        Err(error) => Check::failed("audit log", Health::Problem, &error_chain(&error)),
    }
}

/// Checks the chain of the newest file.
fn chain(found: &Verification, now: SystemTime) -> Check {
    let advice = "see `smcp audit verify`";
    if let Some(first) = found.breaks.first() {
        let message = format!("it is broken in line {} of {}: {}", first.line, first.file, first.message);
        return Check::new("audit chain", Health::Problem, message).advice(advice);
    }
    if let Some(remark) = records::foreign_files(found) {
        return Check::new("audit chain", Health::Warning, remark).advice(advice);
    }
    if found.records == 0 {
        return Check::new("audit chain", Health::Ok, "there are no records yet");
    }
    if surroundings::is_before(now, found.last_time.as_deref()) {
        let message = "the chain holds, but its last record is of a later time than now";
        return Check::new("audit chain", Health::Warning, message).advice("see whether the clock was set back");
    }
    Check::new("audit chain", Health::Ok, format!("it holds: {} records in the newest file", found.records))
}

/// Reports servers that run, and starts without a recorded end; `None` when there are none.
fn servers(found: &Verification) -> Option<Check> {
    let living = match found.living.len() {
        0 => None,
        1 => Some("1 server runs".to_owned()),
        count => Some(format!("{count} servers run")),
    };
    let lost = records::lost_ends(found);
    let health = if lost.is_some() { Health::Warning } else { Health::Ok };
    let messages: Vec<_> = living.into_iter().chain(lost).collect();
    let check = (!messages.is_empty()).then(|| Check::new("servers", health, messages.join("; ")))?;
    Some(if health == Health::Ok {
        check
    } else {
        check.advice("the next `smcp run` records what it can know of them")
    })
}
