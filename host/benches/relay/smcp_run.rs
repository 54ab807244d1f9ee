//! The part of smcp: what `smcp run` does once a package has a clearance.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;

use crate::Result;
use smcp_decide::Clearance;
use smcp_decide::Decision;
use smcp_decide::admit;
use smcp_launch::Setup;
use smcp_launch::Signals;
use smcp_launch::Streams;
use smcp_launch::ending::GracePeriods;
use smcp_launch::environment::ServerEnvironment;
use smcp_launch::launch;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::mode::OnWarn;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;
use smcp_model::warning::Warning;

/// Launches this program as the server that the arguments describe, with a warning.
pub(crate) fn stand_in(server: &[String]) -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    let root: PathBuf = program.parent().ok_or("no folder")?.to_owned();
    let command = program.file_name().and_then(|name| name.to_str()).ok_or("no name")?;
    let entrypoint = Entrypoint { command: format!("./{command}"), args: server.to_vec(), ..Entrypoint::default() };
    let manifest = Manifest {
        transport: Transport::Stdio,
        entrypoint,
        permissions: Some(Permissions::default()),
        variables: std::collections::BTreeMap::new(),
        workdir_writable: false,
        text: String::new(),
    };
    let setup = Setup {
        root_dir: Dir::open_ambient_dir(&root, ambient_authority())?,
        root,
        extra_args: Vec::new(),
        environment: ServerEnvironment::compute(&[], &manifest, &[], &[]),
        is_program: smcp_authority::is_program,
        read_head: smcp_authority::program_head,
        streams: Streams::inherited(smcp_authority::stdin()?),
        warning: Some(warning()),
        deadline: Deadline::none(),
        grace_periods: GracePeriods::default(),
        signals: Signals::listen()?,
        #[cfg(target_os = "linux")]
        confining: None,
        adoption: None,
    };
    Ok(ExitCode::from(launch(clearance(manifest)?, setup)?.ended.exit_code()))
}

fn warning() -> Warning {
    Warning {
        block: format!("[SECURITY WARNING - MCP Hub Certification]\n{}\n[END SECURITY WARNING]", "why ".repeat(300)),
        short: "[SECURITY WARNING: a bench]".to_owned(),
        notification: "a bench".to_owned(),
    }
}

fn clearance(manifest: Manifest) -> Result<Clearance> {
    let package = ResolvedPackage {
        id: "acme/tool".parse()?,
        version: "1.0.0".parse()?,
        registry: Registry::from_text("/registry", Path::new("/"), None)?,
        facts: Facts::default(),
        manifest_digest: Digest::of(b"manifest"),
        bundle_digest: Digest::of(b"bundle"),
        bundle_size: 6,
        manifest,
    };
    let passing = Evaluated {
        spec: Arc::new(PolicySpec::built_in(BuiltIn::Origin, json!({}))),
        on_warn: OnWarn::Notify,
        digest: None,
        signer: None,
        version: None,
        outcome: Outcome::Pass { notices: Vec::new() },
        duration: Duration::ZERO,
        memory: 0,
    };
    let admitted = admit(package).map_err(|_| "refused")?;
    let (ruled, _) = admitted.rule(vec![passing]).map_err(|_| "refused")?;
    match ruled.apply() {
        Decision::Allow(clearance) => Ok(clearance),
        Decision::Ask(_) | Decision::Deny(_) => Err("not allowed".into()),
    }
}
