//! A package's manifest: its command, and the permissions that it asks for.

use std::collections::BTreeMap;

use crate::word::serialize_as_word;

/// The transport between the server and its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over standard input and output.
    Stdio,
    /// Over HTTP; such a server can be judged, but not started.
    Http,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Stdio, Self::Http];

    /// The word used in manifests and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
        }
    }
}

serialize_as_word!(Transport);

/// The command that starts the server on this platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrypoint {
    /// A name without a slash, looked up on PATH; or a path inside the bundle. Not yet checked against the bundle.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables the manifest sets, by name.
    pub env: BTreeMap<String, String>,
    /// The directory inside the bundle to start in; the bundle's root when absent.
    pub workdir: Option<String>,
}

/// The permissions that a manifest asks for, in its own order, `*` included.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Permissions {
    /// Hosts, or patterns of hosts.
    pub network: Vec<String>,
    /// Paths to read.
    pub filesystem_read: Vec<String>,
    /// Paths to write.
    pub filesystem_write: Vec<String>,
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Whether it wants to start other processes.
    pub subprocess: bool,
}

/// A variable that the user sets: the server gets it, and arguments and variables of the manifest can have `${NAME}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserVariable {
    /// What it is for.
    pub about: Option<String>,
    /// Whether the server can't start without it.
    pub required: bool,
    /// Its value when nobody sets it.
    pub default: Option<String>,
    /// Whether its value is a list in JSON, of which an argument becomes several.
    pub list: bool,
}

/// A manifest whose identity matches the package that was asked for.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The transport between the server and its client.
    pub transport: Transport,
    /// The command that would be started on this platform.
    pub entrypoint: Entrypoint,
    /// The permissions that it asks for; not known when it has no block of them.
    pub permissions: Option<Permissions>,
    /// Variables that the user sets, by name.
    pub variables: BTreeMap<String, UserVariable>,
    /// Whether the server writes beside its program: its bundle is unpacked for each run, and what it wrote is lost.
    pub workdir_writable: bool,
    /// The JSON text: exactly the bytes that its digest covers.
    pub text: String,
}
