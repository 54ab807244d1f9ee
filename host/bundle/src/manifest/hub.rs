//! The hub format: one entrypoint, as a list, for every platform.

use std::collections::BTreeMap;

use crate::manifest::ManifestError;
use crate::manifest::Started;
use crate::manifest::check_command;
use crate::manifest::check_inside;
use crate::manifest::check_text;
use smcp_model::code_variable::leaves_bundle;
use smcp_model::json::Document;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::manifest::UserVariable;

const FOLDERS_TAKEN: &str = "NODE_PATH and PYTHONPATH may name folders of the bundle";

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawHubManifest {
    entrypoint: RawHubEntrypoint,
    permissions: Option<RawHubPermissions>,
    variables: Option<BTreeMap<String, RawVariable>>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawVariable {
    about: Option<String>,
    required: Option<bool>,
    default: Option<String>,
    list: Option<bool>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawHubEntrypoint {
    command: Vec<String>,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
    workdir: Option<String>,
}

#[derive(serde::Deserialize, Default)]
#[serde(expecting = "an object")]
struct RawHubPermissions {
    network: Option<RawNetwork>,
    filesystem: Option<RawFilesystem>,
    env_vars: Option<Vec<String>>,
    subprocess: Option<bool>,
}

#[derive(serde::Deserialize, Default)]
#[serde(expecting = "an object")]
struct RawNetwork {
    outbound: Option<Vec<String>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(expecting = "an object")]
struct RawFilesystem {
    read: Option<Vec<String>>,
    write: Option<Vec<String>>,
}

/// Reads how a manifest in the hub format starts its server.
pub(super) fn read(document: Document<'_>) -> Result<Started, ManifestError> {
    let RawHubManifest { entrypoint, permissions, variables } = document.read().map_err(ManifestError::Invalid)?;
    let variables = variables.unwrap_or_default();
    for (name, raw) in &variables {
        check_user_variable(name)?;
        check_default(name, raw)?;
    }
    // A variable that the user sets is one that the server gets from the user's environment, and policies are told.
    let mut permissions = permissions.map(RawHubPermissions::settle);
    if let Some(Permissions { environment, .. }) = &mut permissions {
        let unnamed: Vec<String> = variables.keys().filter(|name| !environment.contains(name)).cloned().collect();
        environment.extend(unnamed);
    }
    Ok(Started {
        // The format has no key for another transport.
        transport: Transport::Stdio,
        entrypoint: entrypoint.check()?,
        permissions,
        variables: variables.into_iter().map(|(name, raw)| (name, raw.settle())).collect(),
    })
}

impl RawHubEntrypoint {
    fn check(self) -> Result<Entrypoint, ManifestError> {
        let Self { command, args, env, workdir } = self;
        let mut words = command.into_iter();
        let Some(command) = words.next() else {
            return Err(ManifestError::invalid("`entrypoint.command` is empty; it names what to start"));
        };
        check_command("entrypoint.command", &command)?;
        let args: Vec<String> = words.chain(args.unwrap_or_default()).collect();
        for argument in &args {
            check_text("entrypoint.args", argument)?;
        }
        let env = env.unwrap_or_default();
        for (name, value) in &env {
            check_variable(name, value)?;
        }
        let workdir = workdir.filter(|path| !path.is_empty());
        if let Some(path) = &workdir {
            check_inside("entrypoint.workdir", path)?;
        }
        Ok(Entrypoint { command, args, env, workdir })
    }
}

pub(super) fn check_variable(name: &str, value: &str) -> Result<(), ManifestError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(ManifestError::invalid(format!("`entrypoint.env` sets `{name}`, which is no name of a variable")));
    }
    // The system's loader is told nothing by a manifest, so there those are left out at the start.
    let is_dropped = name.starts_with("LD_") || name.starts_with("DYLD_");
    if !is_dropped && leaves_bundle(name, value) {
        return Err(ManifestError::invalid(format!(
            "`entrypoint.env` sets `{name}`, by which other code may run than that of the bundle; {FOLDERS_TAKEN}"
        )));
    }
    check_text("entrypoint.env", value)
}

/// Checks what a variable is that the user does not set: that is the manifest's word.
fn check_default(name: &str, raw: &RawVariable) -> Result<(), ManifestError> {
    if raw.default.as_ref().is_some_and(|default| leaves_bundle(name, default)) {
        return Err(ManifestError::invalid(format!(
            "`variables` has a default for `{name}`, by which other code may run than that of the bundle; {FOLDERS_TAKEN}"
        )));
    }
    Ok(())
}

/// Checks the name of a variable that the user sets: one that a shell takes, and that `${NAME}` can have.
pub(super) fn check_user_variable(name: &str) -> Result<(), ManifestError> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_letter) || name.starts_with(|first: char| first.is_ascii_digit()) {
        let problem = format!("`variables` has `{name}`, which is no name of a variable: A-Z, a-z, 0-9 and `_`");
        return Err(ManifestError::invalid(problem));
    }
    Ok(())
}

impl RawVariable {
    fn settle(self) -> UserVariable {
        let Self { about, required, default, list } = self;
        UserVariable { about, required: required.unwrap_or_default(), default, list: list.unwrap_or_default() }
    }
}

impl RawHubPermissions {
    fn settle(self) -> Permissions {
        let Self { network, filesystem, env_vars, subprocess } = self;
        let RawFilesystem { read, write } = filesystem.unwrap_or_default();
        Permissions {
            network: network.unwrap_or_default().outbound.unwrap_or_default(),
            filesystem_read: read.unwrap_or_default(),
            filesystem_write: write.unwrap_or_default(),
            environment: env_vars.unwrap_or_default(),
            // Absent: policies see the worst case.
            subprocess: subprocess.unwrap_or(true),
        }
    }
}
