//! Every key that an author's `manifest.json` can have: one table.
//!
//! `publish` checks a manifest against it, `registry schema` prints it as JSON Schema, and `docs/manifest.md` names
//! each of its rows. Who starts a package reads what its registry made of the manifest, and passes over keys that it
//! doesn't know.

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Where it stands: the names of the objects around it and its own, with dots.
    pub(super) path: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
    /// Whether its object can't do without it.
    pub(super) required: bool,
    /// What it is for, in one sentence.
    pub(super) about: &'static str,
    /// A value that fits, as JSON.
    pub(super) example: &'static str,
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Other keys of the table.
    Object,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A number from 0 up.
    Count,
    /// A number, or one as text.
    Number,
    /// A list of texts.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `org/name`.
    Id,
    /// A version of a package.
    Version,
    /// What to start and its first arguments: a list of texts that is not empty.
    Started,
    /// A list of texts that a system takes as arguments.
    Arguments,
    /// Variables of an environment, by name.
    Variables,
    /// A path inside the bundle.
    Inside,
}

const fn key(path: &'static str, kind: Kind, about: &'static str, example: &'static str) -> Key {
    Key { path, kind, required: false, about, example }
}

const fn required(path: &'static str, kind: Kind, about: &'static str, example: &'static str) -> Key {
    Key { path, kind, required: true, about, example }
}

/// Where the schema is found, for editors; it means nothing to smcp.
pub(super) const SCHEMA: &str = "$schema";

/// The table: objects before what is in them.
pub(super) const KEYS: [Key; 34] = [
    key(SCHEMA, Kind::Text, "Where an editor finds the schema of this file.", r#""manifest.schema.json""#),
    required("schema_version", Kind::Number, "The version of the format.", "1"),
    required("package", Kind::Object, "Which package this is.", r#"{"id": "acme/tool", "version": "1.0.0"}"#),
    required("package.id", Kind::Id, "The owner and the name; those of the published reference.", r#""acme/tool""#),
    required("package.version", Kind::Version, "The version; that of the published reference.", r#""1.0.0""#),
    key("package.description", Kind::Text, "What the server does, in one sentence.", r#""Greets people by name""#),
    key("package.repository", Kind::Text, "Where its source is.", r#""https://git.example/acme/tool""#),
    key("package.license", Kind::Text, "Its licence, as SPDX has it.", r#""Apache-2.0""#),
    key("package.git_sha", Kind::Text, "The commit that it was built from; policies are told.", r#""0123abc""#),
    key("package.keywords", Kind::Texts, "Words to find it by.", r#"["files"]"#),
    required("runtime", Kind::Object, "What runs the server.", r#"{"type": "node"}"#),
    required("runtime.type", Kind::Word(&["node", "python", "binary"]), "The kind of server.", r#""node""#),
    key("runtime.version", Kind::Text, "Which version of it the server needs.", r#""20""#),
    key("runtime.platform", Kind::Object, "The platform that it was built for.", r#"{"os": "linux", "arch": "amd64"}"#),
    key("runtime.platform.os", Kind::Text, "The operating system.", r#""linux""#),
    key("runtime.platform.arch", Kind::Text, "The processor.", r#""amd64""#),
    required("entrypoint", Kind::Object, "What is started.", r#"{"command": ["node", "server.js"]}"#),
    required(
        "entrypoint.command",
        Kind::Started,
        "The program and its first arguments. A program without a slash is looked up on PATH, any other is a path \
         inside the bundle.",
        r#"["node", "server.js"]"#,
    ),
    key("entrypoint.args", Kind::Arguments, "More arguments, behind those of `command`.", r#"["--stdio"]"#),
    key("entrypoint.env", Kind::Variables, "Variables that the server gets, by name.", r#"{"LOG_LEVEL": "info"}"#),
    key("entrypoint.workdir", Kind::Inside, "The folder of the bundle to start in; its root when absent.", r#""app""#),
    key("permissions", Kind::Object, "What the server asks for; policies judge it.", r#"{"env_vars": ["API_KEY"]}"#),
    key("permissions.network", Kind::Object, "Connections.", r#"{"outbound": ["api.example.com"]}"#),
    key(
        "permissions.network.outbound",
        Kind::Texts,
        "Hosts that it connects to; `*` is any.",
        r#"["api.example.com"]"#,
    ),
    key("permissions.network.inbound", Kind::Flag, "Whether it listens; nothing reads this yet.", "false"),
    key("permissions.filesystem", Kind::Object, "Files outside of its bundle.", r#"{"read": ["/srv/docs"]}"#),
    key("permissions.filesystem.read", Kind::Texts, "Paths that it reads.", r#"["/srv/docs"]"#),
    key("permissions.filesystem.write", Kind::Texts, "Paths that it writes.", r#"["/srv/out"]"#),
    key("permissions.filesystem.execute", Kind::Texts, "Programs that it starts; nothing reads this yet.", "[]"),
    key(
        "permissions.env_vars",
        Kind::Texts,
        "Variables that it gets from the user's environment, by name.",
        r#"["API_KEY"]"#,
    ),
    key(
        "resources",
        Kind::Object,
        "What it should get of the machine; nothing reads this yet.",
        r#"{"memory_mb": 256}"#,
    ),
    key("resources.memory_mb", Kind::Count, "Memory, in MB.", "256"),
    key("resources.cpu_millicores", Kind::Count, "Thousandths of a processor.", "500"),
    key("resources.timeout_seconds", Kind::Count, "How long one call may take.", "30"),
];
