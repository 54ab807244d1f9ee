//! Checks what `run` needs: cache, token, time, limits and kernel.

use std::path::Path;
use std::time::Duration;
use std::time::SystemTime;

use smcp_authority as authority;
use smcp_authority::Namespaces;
use smcp_config::Config;
use smcp_model::confinement::Confinement;
use smcp_model::confinement::Gap;
use smcp_model::deadline::Deadline;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::error_chain::error_chain;
use smcp_model::limits;
use smcp_model::size::ByteSize;
use smcp_model::time;
use smcp_pipeline as pipeline;
use smcp_pipeline::CompilerTrial;
use smcp_pipeline::Session;
use smcp_pipeline::System;

/// The advice for the cache when its error has none.
const CACHE_ADVICE: &str = "make it yours, or name another with --cache-dir, or `cache_dir` in the configuration";

/// Reports the versions of smcp, of wasmtime and of the interface.
pub(super) fn versions() -> Check {
    let version = env!("CARGO_PKG_VERSION");
    let message = format!("smcp {version}, wasmtime {}, interface {}", pipeline::RUNTIME_VERSION, pipeline::INTERFACE);
    Check::new("versions", Health::Ok, message)
}

/// Checks that policies can be compiled, and that whoever compiles them can do nothing else: it tries. `None` where they are
/// compiled in this process.
pub(super) fn compiler(system: &System) -> Option<Check> {
    Some(match pipeline::try_compiler(system)? {
        CompilerTrial::Confined => {
            let message = "policies are compiled in a process that can open and start nothing";
            Check::new("compiler", Health::Ok, message)
        }
        CompilerTrial::Partly(missing) => {
            let message = format!("policies are compiled in a process that is not confined in full: {missing}");
            Check::new("compiler", Health::Warning, message)
                .advice("its limits on time and memory hold; use policies whose origin you know")
        }
        CompilerTrial::Loose(done) => {
            let message = format!("the process that compiles policies could {done}");
            Check::new("compiler", Health::Problem, message).advice("report it: SECURITY.md says where")
        }
        CompilerTrial::Failed(fault) => {
            // A policy that needs it now is a problem of its own; without one, nothing has to be compiled.
            let check =
                Check::new("compiler", Health::Warning, format!("policies can't be compiled: {}", fault.message));
            match fault.remedy {
                Some(remedy) => check.advice(remedy.as_str()),
                None => check,
            }
        }
    })
}

/// Checks that the cache can be used, by doing what a run does there.
pub(super) fn cache(session: &Session) -> Check {
    match pipeline::try_cache(session) {
        Ok(None) => {
            let path = session.config().cache_dir().unwrap_or(Path::new(""));
            match pipeline::try_trees(session) {
                Ok(Some(why)) => {
                    Check::new("cache", Health::Warning, format!("each start unpacks its bundle again: {why}"))
                        .advice("make that possible, and a bundle is unpacked once")
                }
                Ok(None) | Err(_) => Check::new("cache", Health::Ok, format!("{} can be written", path.display())),
            }
        }
        Ok(Some(warning)) => Check::new("cache", Health::Warning, format!("it can only be read: {warning}"))
            .advice("what is in it runs; other packages need a cache that can be written"),
        Err(error) => {
            let check = Check::failed("cache", Health::Problem, &error_chain(&error));
            if check.advice.is_some() { check } else { check.advice(CACHE_ADVICE) }
        }
    }
}

/// Reports whether there is a token for the registry; never shows the token.
pub(super) fn token(session: &Session) -> Check {
    match pipeline::has_token(session, session.config().registry()) {
        Ok(true) => Check::new("token", Health::Ok, "there is one for this registry"),
        Ok(false) => Check::new("token", Health::Ok, "there is none for this registry; not every one asks for one"),
        Err(error) => Check::failed("token", Health::Problem, &error_chain(&error)),
    }
}

/// Checks that `start_timeout` leaves enough time; `None` when it does.
pub(super) fn start_timeout(config: &Config, deadline: &Deadline) -> Option<Check> {
    let allowed = humantime::format_duration(config.start_timeout());
    let advice = "set `start_timeout` to 60s, as it is without the key";
    if deadline.check().is_err() {
        let message =
            format!("`start_timeout` is {allowed}, and looking at the registry and the cache alone took longer");
        return Some(Check::new("start timeout", Health::Problem, message).advice(advice));
    }
    let message = format!("`start_timeout` is {allowed}, in which few packages can be fetched and unpacked");
    (config.start_timeout() < limits::START_TIMEOUT_SHORT)
        .then(|| Check::new("start timeout", Health::Warning, message).advice(advice))
}

/// Reports the limits of this process and its files; `None` when none is set.
pub(super) fn limits() -> Option<Check> {
    let file = authority::file_size().map(|bytes| format!("a file may have {} (`ulimit -f`)", ByteSize(bytes)));
    let space =
        authority::address_space().map(|bytes| format!("address space may have {} (`ulimit -v`)", ByteSize(bytes)));
    let few = authority::open_files().filter(|files| *files < limits::OPEN_FILES);
    if let Some(files) = few {
        let message =
            format!("a process may have {files} files open (`ulimit -n`), and a run needs {}", limits::OPEN_FILES);
        return Some(Check::new("limits", Health::Problem, message).advice("raise it before smcp starts"));
    }
    let messages: Vec<_> = file.into_iter().chain(space).collect();
    (!messages.is_empty()).then(|| {
        Check::new("limits", Health::Warning, messages.join("; "))
            .advice("where policies, the cache or the audit log fail, these may be why; servers have them too")
    })
}

/// Reports what the kernel has for confining servers; `None` on systems other than Linux.
pub(super) fn kernel() -> Option<Check> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let landlock = authority::landlock()
        .map_or_else(|| "no Landlock".to_owned(), |version| format!("Landlock of version {version}"));
    let namespaces = match authority::namespaces() {
        Namespaces::Allowed => "namespaces for every user".to_owned(),
        Namespaces::Refused { by } => format!("no namespaces for every user ({by})"),
        Namespaces::Unknown => "namespaces unknown".to_owned(),
    };
    Some(Check::new("kernel", Health::Ok, format!("{landlock}, {namespaces}")))
}

/// Reports how far servers can be confined here, by what they ask for: a line for each.
pub(super) fn confinement() -> Vec<Check> {
    let line = |(asks, confinement): (&str, Confinement)| {
        let message = format!("a server that asks for {asks}: {confinement}");
        // Of what newer kernels have, the last one has all.
        match confinement.missing.last() {
            // Only what every server could have, and this machine does not, is something to see to.
            Some(gap) if asks == "no network" => {
                Check::new("confinement", Health::Warning, message).advice(gap.remedy())
            }
            Some(_) if confinement.missing.contains(&Gap::Hosts) && asks == "hosts" => {
                Check::new("confinement", Health::Ok, message).advice(namespaces_advice())
            }
            Some(_) | None => Check::new("confinement", Health::Ok, message),
        }
    };
    let lines = pipeline::prospects().into_iter().map(line);
    #[cfg(target_os = "linux")]
    let reads = Some(format!("every confined server may read {}", pipeline::granted_to_all().join(", ")));
    #[cfg(not(target_os = "linux"))]
    let reads: Option<String> = None;
    lines.chain(reads.map(|reads| Check::new("confinement", Health::Ok, reads))).collect()
}

/// What lets a user make the network of a server that is held to hosts.
fn namespaces_advice() -> String {
    match authority::namespaces() {
        Namespaces::Refused { by: by @ "kernel.apparmor_restrict_unprivileged_userns" } => {
            format!("give smcp a profile of AppArmor that has `userns,`, or set `sysctl {by}=0`")
        }
        Namespaces::Refused { by } => format!("raise `sysctl {by}`"),
        Namespaces::Allowed | Namespaces::Unknown => {
            "no setting of the system refuses namespaces: a container, or another sandbox, does".to_owned()
        }
    }
}

/// Checks that the clock can be right. All times are shown in UTC, whatever the time zone.
pub(super) fn clock(now: SystemTime) -> Check {
    let advice = "set the clock: certificates, exceptions and the audit log depend on it";
    let Some(time) = time::utc(now) else {
        return Check::new("clock", Health::Problem, "it stands before 1970, or after the year 9999").advice(advice);
    };
    if now < SystemTime::UNIX_EPOCH + Duration::from_secs(limits::EARLIEST) {
        return Check::new("clock", Health::Problem, format!("{time} is before this version was made")).advice(advice);
    }
    Check::new("clock", Health::Ok, format!("{time} (UTC)"))
}

/// Whether `now` is before the time of a record.
pub(super) fn is_before(now: SystemTime, record: Option<&str>) -> bool {
    record.and_then(|text| humantime::parse_rfc3339(text).ok()).is_some_and(|time| now < time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_future_shows_a_clock_that_was_set_back() {
        let now = humantime::parse_rfc3339("2027-01-02T03:04:05Z").unwrap();
        for (record, expected) in [
            (Some("2027-01-02T03:04:05.001Z"), true),
            (Some("2027-01-02T03:04:04.999Z"), false),
            (Some("yesterday"), false),
            (None, false),
        ] {
            assert_eq!(is_before(now, record), expected, "{record:?}");
        }
    }
}
