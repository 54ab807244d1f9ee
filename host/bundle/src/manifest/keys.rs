//! The table of every key that an author's `manifest.json` can have.
//!
//! `publish` checks a manifest against it, `registry schema` prints it as JSON Schema, and `docs/manifest.md` names
//! each of its rows. A client that starts a package reads the registry's version of the manifest, and ignores unknown
//! keys.

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct ManifestKey {
    /// Its place: the names of the objects around it and its own, joined by dots.
    pub(super) path: &'static str,
    /// The kind of its value.
    pub(super) kind: KeyKind,
    /// Whether its object must have it.
    pub(super) required: bool,
    /// Its purpose, in one sentence.
    pub(super) about: &'static str,
    /// A valid value, as JSON.
    pub(super) example: &'static str,
}

/// The kind of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// Other keys of the table.
    Object,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A number from 0 up.
    Count,
    /// A number, or a text that is a number.
    Number,
    /// A list of texts.
    Texts,
    /// A text that is one of these words.
    Word(&'static [&'static str]),
    /// `org/name`.
    Id,
    /// A version of a package.
    Version,
    /// The program to start and its first arguments: a list of texts that is not empty.
    Started,
    /// A list of texts that an operating system takes as arguments.
    Arguments,
    /// Variables of an environment, by name.
    Variables,
    /// A path inside the bundle.
    Inside,
    /// Variables that the user sets, by name, with what there is to know of each.
    UserVariables,
}

const fn key(path: &'static str, kind: KeyKind, about: &'static str, example: &'static str) -> ManifestKey {
    ManifestKey { path, kind, required: false, about, example }
}

const fn required(path: &'static str, kind: KeyKind, about: &'static str, example: &'static str) -> ManifestKey {
    ManifestKey { path, kind, required: true, about, example }
}

/// The key for the place of the schema. Editors read it; smcp ignores it.
pub(super) const SCHEMA: &str = "$schema";

/// The table. An object comes before the keys in it.
pub(super) const KEYS: [ManifestKey; 38] = [
    key(SCHEMA, KeyKind::Text, "Where an editor finds the schema of this file.", r#""manifest.schema.json""#),
    required("schema_version", KeyKind::Number, "The version of the format.", "1"),
    required("package", KeyKind::Object, "Which package this is.", r#"{"id": "acme/tool", "version": "1.0.0"}"#),
    required("package.id", KeyKind::Id, "The owner and the name; those of the published reference.", r#""acme/tool""#),
    required("package.version", KeyKind::Version, "The version; that of the published reference.", r#""1.0.0""#),
    key("package.description", KeyKind::Text, "What the server does, in one sentence.", r#""Greets people by name""#),
    key("package.repository", KeyKind::Text, "Where its source is.", r#""https://git.example/acme/tool""#),
    key("package.license", KeyKind::Text, "Its licence, as SPDX has it.", r#""Apache-2.0""#),
    key("package.git_sha", KeyKind::Text, "The commit that it was built from; policies are told.", r#""0123abc""#),
    key("package.keywords", KeyKind::Texts, "Words to find it by.", r#"["files"]"#),
    required("runtime", KeyKind::Object, "What runs the server.", r#"{"type": "node"}"#),
    required("runtime.type", KeyKind::Word(&["node", "python", "binary"]), "The kind of server.", r#""node""#),
    key("runtime.version", KeyKind::Text, "Which version of it the server needs.", r#""20""#),
    key(
        "runtime.platform",
        KeyKind::Object,
        "The platform that it was built for.",
        r#"{"os": "linux", "arch": "amd64"}"#,
    ),
    key("runtime.platform.os", KeyKind::Text, "The operating system.", r#""linux""#),
    key("runtime.platform.arch", KeyKind::Text, "The processor.", r#""amd64""#),
    key("runtime.platform.libc", KeyKind::Text, "The C library: glibc or musl.", r#""glibc""#),
    required("entrypoint", KeyKind::Object, "What is started.", r#"{"command": ["node", "server.js"]}"#),
    required(
        "entrypoint.command",
        KeyKind::Started,
        "The program and its first arguments. A program without a slash is looked up on PATH, any other is a path \
         inside the bundle.",
        r#"["node", "server.js"]"#,
    ),
    key("entrypoint.args", KeyKind::Arguments, "More arguments, behind those of `command`.", r#"["--stdio"]"#),
    key("entrypoint.env", KeyKind::Variables, "Variables that the server gets, by name.", r#"{"LOG_LEVEL": "info"}"#),
    key(
        "entrypoint.workdir",
        KeyKind::Inside,
        "The folder of the bundle to start in; its root when absent.",
        r#""app""#,
    ),
    key(
        "variables",
        KeyKind::UserVariables,
        "Variables that the user sets; arguments and variables of `entrypoint` can have their values as `${NAME}`.",
        r#"{"API_KEY": {"about": "From your account", "required": true}}"#,
    ),
    key(
        "workdir_writable",
        KeyKind::Flag,
        "Whether the server writes beside its program; what it writes is lost when it ends.",
        "true",
    ),
    key("permissions", KeyKind::Object, "What the server asks for; policies judge it.", r#"{"env_vars": ["API_KEY"]}"#),
    key("permissions.network", KeyKind::Object, "Connections.", r#"{"outbound": ["api.example.com"]}"#),
    key(
        "permissions.network.outbound",
        KeyKind::Texts,
        "Hosts that it connects to; `*` is any.",
        r#"["api.example.com"]"#,
    ),
    key("permissions.network.inbound", KeyKind::Flag, "Whether it listens; nothing reads this yet.", "false"),
    key("permissions.filesystem", KeyKind::Object, "Files outside of its bundle.", r#"{"read": ["/srv/docs"]}"#),
    key("permissions.filesystem.read", KeyKind::Texts, "Paths that it reads.", r#"["/srv/docs"]"#),
    key("permissions.filesystem.write", KeyKind::Texts, "Paths that it writes.", r#"["/srv/out"]"#),
    key("permissions.filesystem.execute", KeyKind::Texts, "Programs that it starts; nothing reads this yet.", "[]"),
    key(
        "permissions.env_vars",
        KeyKind::Texts,
        "Variables that it gets from the user's environment, by name.",
        r#"["API_KEY"]"#,
    ),
    key(
        "permissions.subprocess",
        KeyKind::Flag,
        "Whether it starts other programs, or copies of itself; `true` when absent.",
        "false",
    ),
    key(
        "resources",
        KeyKind::Object,
        "What it should get of the machine; nothing reads this yet.",
        r#"{"memory_mb": 256}"#,
    ),
    key("resources.memory_mb", KeyKind::Count, "Memory, in MB.", "256"),
    key("resources.cpu_millicores", KeyKind::Count, "Thousandths of a processor.", "500"),
    key("resources.timeout_seconds", KeyKind::Count, "How long one call may take.", "30"),
];
