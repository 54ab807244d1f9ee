//! A session of generated rules, in a home of its own and at one moment.

use std::io;
use std::path::Path;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use smcp_config::Places;
use smcp_model::ownership::Caller;
use smcp_pipeline::Compilation;
use smcp_pipeline::Session;
use smcp_pipeline::SharedHost;
use smcp_pipeline::System;

/// The moment of every decision, seconds since 1970: in January 2027.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The session of these rules, which are those of a user with this home.
pub(crate) fn of(rules: &str, home: &Path, host: &SharedHost) -> Session {
    let home = home.to_owned();
    let places = Places { home: Some(home.clone()), working_directory: home.clone(), system_folder: home.clone() };
    let config = smcp_config::parse(rules.as_bytes(), &home.join("c.yaml"), &places);
    let system = System {
        environment: vec![("HOME".into(), home.into())],
        clock: || UNIX_EPOCH + Duration::from_secs(NOW),
        caller: Caller::new(nix::unistd::geteuid().as_raw(), || None),
        stdin: || Err(io::ErrorKind::NotFound.into()),
        is_program: |_| None,
        read_head: |_| None,
        compilation: Compilation::InProcess,
        lasting: true,
        offline: true,
    };
    Session::new(config.unwrap_or_else(|error| panic!("{error}\n{rules}")), system, host.clone())
}
