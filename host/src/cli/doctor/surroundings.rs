//! What `run` needs around it: versions, cache, token, clock.

use std::path::Path;
use std::time::Duration;
use std::time::SystemTime;

use crate::authority;
use crate::cli::failure::told;
use crate::config::Config;
use crate::model::diagnosis::Check;
use crate::model::diagnosis::Health;
use crate::model::limits;
use crate::pipeline;

/// What helps when nothing else is known.
const CACHE_ADVICE: &str = "make it yours, or name another with --cache-dir, or `cache_dir` in the configuration";

/// Which smcp this is, and on what it stands.
pub(super) fn versions() -> Check {
    let version = env!("CARGO_PKG_VERSION");
    let message = format!("smcp {version}, wasmtime {}, interface {}", pipeline::RUNTIME_VERSION, pipeline::INTERFACE);
    Check::new("versions", Health::Ok, message)
}

/// Whether the cache can be used: by doing in it what a run does.
pub(super) fn cache(config: &Config) -> Check {
    match pipeline::try_cache(config) {
        Ok(None) => {
            let path = config.cache_dir().unwrap_or(Path::new(""));
            Check::new("cache", Health::Ok, format!("{} can be written", path.display()))
        }
        Ok(Some(said)) => Check::new("cache", Health::Warning, format!("it can only be read: {said}"))
            .advice("what is in it runs; other packages need a cache that can be written"),
        Err(stop) => {
            let check = Check::failed("cache", Health::Problem, &told(&stop.into()));
            if check.advice.is_some() { check } else { check.advice(CACHE_ADVICE) }
        }
    }
}

/// Whether there is a token for the registry. What it is stays unsaid.
pub(super) fn token(config: &Config) -> Check {
    match pipeline::has_token(config, config.registry()) {
        Ok(true) => Check::new("token", Health::Ok, "there is one for this registry"),
        Ok(false) => Check::new("token", Health::Ok, "there is none for this registry; not every one asks for one"),
        Err(stop) => Check::failed("token", Health::Problem, &told(&stop.into())),
    }
}

/// Whether the clock can be right.
pub(super) fn clock() -> Check {
    let now = authority::clock();
    let time = humantime::format_rfc3339_seconds(now);
    if now < SystemTime::UNIX_EPOCH + Duration::from_secs(limits::EARLIEST) {
        return Check::new("clock", Health::Problem, format!("{time} is before this version was made"))
            .advice("set the clock: certificates, exceptions and the audit log depend on it");
    }
    Check::new("clock", Health::Ok, time.to_string())
}

/// Whether `now` is before the time of a record.
pub(super) fn stands_before(now: SystemTime, record: Option<&str>) -> bool {
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
            assert_eq!(stands_before(now, record), expected, "{record:?}");
        }
    }
}
