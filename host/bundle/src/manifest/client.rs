//! The client format: one entrypoint per platform (facts file, section 6.1).

use std::collections::BTreeMap;

use crate::manifest::ManifestError;
use crate::manifest::Platform;
use crate::manifest::Started;
use crate::manifest::check_command;
use crate::manifest::check_text;
use smcp_model::json::Document;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;

const SYSTEMS: [&str; 3] = ["linux", "darwin", "windows"];
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawClientManifest {
    transport: RawTransport,
    entrypoints: Vec<RawClientEntrypoint>,
    permissions_requested: Option<RawClientPermissions>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawTransport {
    r#type: String,
    port: Option<u64>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawClientEntrypoint {
    os: String,
    arch: String,
    command: String,
    args: Option<Vec<String>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(expecting = "an object")]
struct RawClientPermissions {
    network: Option<Vec<String>>,
    environment: Option<Vec<String>>,
    subprocess: Option<bool>,
    filesystem: Option<Vec<String>>,
    filesystem_read: Option<Vec<String>>,
}

/// Reads how a manifest in the client format starts its server on `platform`.
pub(super) fn read(document: Document<'_>, platform: Platform) -> Result<Started, ManifestError> {
    let RawClientManifest { transport, entrypoints, permissions_requested } =
        document.read().map_err(ManifestError::Invalid)?;
    let transport = transport.check()?;
    for entrypoint in &entrypoints {
        entrypoint.check()?;
    }
    Ok(Started {
        transport,
        entrypoint: select(entrypoints, platform)?,
        permissions: permissions_requested.map(RawClientPermissions::settle),
        // The format has none.
        variables: BTreeMap::new(),
    })
}

impl RawTransport {
    fn check(&self) -> Result<Transport, ManifestError> {
        match (self.r#type.as_str(), self.port) {
            ("stdio", _) => Ok(Transport::Stdio),
            ("http", Some(1..=65535)) => Ok(Transport::Http),
            ("http", _) => Err(ManifestError::invalid("`transport.port` is missing or not 1 to 65535")),
            (other, _) => {
                Err(ManifestError::invalid(format!("`transport.type` is `{other}`; expected `stdio` or `http`")))
            }
        }
    }
}

impl RawClientEntrypoint {
    fn check(&self) -> Result<(), ManifestError> {
        check_word("entrypoints.os", &self.os, &SYSTEMS)?;
        check_word("entrypoints.arch", &self.arch, &ARCHITECTURES)?;
        check_command("entrypoints.command", &self.command)?;
        self.args.iter().flatten().try_for_each(|argument| check_text("entrypoints.args", argument))
    }

    fn platform(&self) -> String {
        format!("{}/{}", self.os, self.arch)
    }
}

fn check_word(field: &str, found: &str, allowed: &[&str]) -> Result<(), ManifestError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    Err(ManifestError::invalid(format!("`{field}` is `{found}`; expected one of {}", allowed.join(", "))))
}

fn select(entrypoints: Vec<RawClientEntrypoint>, platform: Platform) -> Result<Entrypoint, ManifestError> {
    if entrypoints.is_empty() {
        return Err(ManifestError::invalid("`entrypoints` is empty; it names what to start"));
    }
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        entrypoints.into_iter().partition(|entry| entry.os == platform.os && entry.arch == platform.arch);
    let mut here = here.into_iter();
    match (here.next(), here.next()) {
        (Some(RawClientEntrypoint { command, args, .. }), None) => {
            Ok(Entrypoint { command, args: args.unwrap_or_default(), env: BTreeMap::new(), workdir: None })
        }
        (Some(_), Some(_)) => {
            Err(ManifestError::invalid(format!("`entrypoints` has more than one for {platform}: which one is meant?")))
        }
        (None, _) => Err(ManifestError::NoEntrypoint {
            platform: platform.to_string(),
            available: elsewhere.iter().map(RawClientEntrypoint::platform).collect::<Vec<_>>().join(", "),
        }),
    }
}

impl RawClientPermissions {
    fn settle(self) -> Permissions {
        let Self { network, environment, subprocess, filesystem, filesystem_read } = self;
        let filesystem_write = filesystem.unwrap_or_default();
        // A path that may be written may be read too.
        let filesystem_read = filesystem_write.iter().cloned().chain(filesystem_read.unwrap_or_default()).collect();
        Permissions {
            network: network.unwrap_or_default(),
            filesystem_read,
            filesystem_write,
            environment: environment.unwrap_or_default(),
            subprocess: subprocess.unwrap_or(false),
        }
    }
}
