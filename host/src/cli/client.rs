//! The clients that start servers: one table of where and how each lists them.
//!
//! It follows their documentation of 2026; docs/clients.md says which were tried.

mod entry;
pub(super) mod file;
pub(super) mod jsonc;
pub(super) mod line;
pub(super) mod managed;
pub(super) mod merge;
pub(super) mod place;

use clap::ValueEnum;

use crate::cli::client::merge::FileFormat;
use crate::cli::client::place::FileLocation;
use crate::cli::client::place::FileRow;
use crate::cli::client::place::ProjectReach;

/// A program that starts MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Client {
    /// Claude Code
    ClaudeCode,
    /// Claude Desktop
    ClaudeDesktop,
    /// Codex
    Codex,
    /// Cursor
    Cursor,
    /// Gemini CLI
    #[value(alias = "gemini-cli")]
    Gemini,
    /// Goose
    Goose,
    /// LM Studio
    LmStudio,
    /// opencode
    Opencode,
    /// Qwen Code
    #[value(alias = "qwen-code")]
    Qwen,
    /// Visual Studio Code
    #[value(alias = "vs-code")]
    Vscode,
    /// Windsurf
    Windsurf,
    /// Zed
    Zed,
}

/// The server that a client has to start.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ServerEntry {
    /// Its name in the client.
    pub(in crate::cli) name: String,
    /// The program.
    pub(in crate::cli) command: String,
    /// Its arguments.
    pub(in crate::cli) args: Vec<String>,
    /// The names of the variables that the client gives it.
    pub(in crate::cli) variables: Vec<String>,
}

/// What smcp knows of a client.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Profile {
    /// Its name, for users.
    pub(in crate::cli) name: &'static str,
    /// The user's own file, for all their projects.
    main: FileRow,
    /// Every other file in which it may have servers.
    more: &'static [FileRow],
    /// Where it looks for the files of a project.
    pub(in crate::cli) reach: ProjectReach,
    shape: EntryShape,
    secrets: Secrets,
    /// The key and its value by which a server is switched off in the file.
    pub(in crate::cli) off: Option<(&'static str, bool)>,
    /// Whether it is of the family of Gemini CLI: `mcp.excluded` and `mcp.allowed` of the file say which servers are
    /// switched off, and `mcp.serverCommand` is one more.
    pub(in crate::cli) is_gemini: bool,
    /// What the user does so that it reads its file again.
    pub(in crate::cli) reload: &'static str,
    /// The client's own command that takes the printed server.
    pub(in crate::cli) takes_server: Option<&'static str>,
}

/// The keys that a client has for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryShape {
    /// `command`, `args`, `env`.
    Plain,
    /// The same, with `type: stdio`.
    Typed,
    /// `command`, `args`, and `env_vars` with names.
    Codex,
    /// One list of words as `command`, and `environment`.
    Opencode,
    /// `cmd`, `args`, and `env_keys` with names.
    Goose,
}

/// Where a client gets the value of a variable from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrets {
    /// Nowhere: the user writes it into the file.
    ByHand,
    /// From its own environment; the file has the name between these two texts.
    Environment(&'static str, &'static str),
    /// From the user, whom it asks once.
    Asked,
    /// From its own environment or store; the file has only the name.
    Named,
}

/// The key that most clients have their servers under.
const SERVERS: &[&[&str]] = &[&["mcpServers"]];
/// The same of VS Code, in a file of its own and in its settings.
const VSCODE: &[&[&str]] = &[&["servers"]];
const VSCODE_SETTINGS: &[&[&str]] = &[&["mcp", "servers"], &["mcp.servers"]];
const DEVCONTAINER: &[&[&str]] = &[&["customizations", "vscode", "mcp", "servers"]];
/// The same in agents of Gemini CLI.
const GEMINI_AGENT: &[&[&str]] = &[&["mcp_servers"]];
/// What an installed MCP bundle is started with.
pub(in crate::cli) const EXTENSION: &[&[&str]] = &[&["server"]];
const OPENCODE: &[&[&str]] = &[&["mcp"], &["mcp", "servers"]];
/// Zed's, and what takes its place on a system, in a release and by a profile.
const ZED: &[&[&str]] = &[
    &["context_servers"],
    &["linux", "context_servers"],
    &["macos", "context_servers"],
    &["stable", "context_servers"],
    &["preview", "context_servers"],
    &["nightly", "context_servers"],
    &["dev", "context_servers"],
    &["profiles", "*", "context_servers"],
    &["profiles", "*", "settings", "context_servers"],
];

impl Client {
    /// Returns its row of the table.
    pub(in crate::cli) const fn profile(self) -> Profile {
        use FileLocation as At;
        let base = Profile {
            name: "",
            main: FileRow::json(At::Home(""), SERVERS),
            more: &[],
            reach: ProjectReach::Repository,
            shape: EntryShape::Plain,
            secrets: Secrets::ByHand,
            off: None,
            is_gemini: false,
            reload: "",
            takes_server: None,
        };
        match self {
            Self::ClaudeCode => Profile {
                name: "Claude Code",
                main: FileRow::json(At::Claude(".claude.json"), &[&["mcpServers"], &["projects", "*", "mcpServers"]]),
                more: const {
                    &[
                        FileRow::json(At::Project(".mcp.json"), SERVERS),
                        agent(At::ClaudeFolder("agents/**/*.md"), SERVERS),
                        agent(At::Project(".claude/agents/**/*.md"), SERVERS),
                        agent(
                            At::MachineApplication {
                                linux: "claude-code/.claude/agents/**/*.md",
                                macos: "ClaudeCode/.claude/agents/**/*.md",
                            },
                            SERVERS,
                        ),
                        FileRow::json(
                            At::MachineApplication {
                                linux: "claude-code/managed-mcp.json",
                                macos: "ClaudeCode/managed-mcp.json",
                            },
                            SERVERS,
                        ),
                    ]
                },
                reach: ProjectReach::All,
                shape: EntryShape::Typed,
                secrets: Secrets::Environment("${", "}"),
                reload: "start Claude Code again; one that is running may write the file back as it was",
                takes_server: Some("claude mcp add-json --scope user"),
                ..base
            },
            Self::ClaudeDesktop => Profile {
                name: "Claude Desktop",
                main: FileRow::json(At::Application("Claude/claude_desktop_config.json"), SERVERS),
                more: const { &[FileRow::json(At::Application("Claude/Claude Extensions/*/manifest.json"), EXTENSION)] },
                reload: "quit Claude Desktop and start it again",
                ..base
            },
            Self::Codex => Profile {
                name: "Codex",
                main: codex(At::Codex("config.toml")),
                more: const {
                    &[
                        // Profiles: what `--profile NAME` puts on top.
                        codex(At::Codex("*.config.toml")),
                        codex(At::Project(".codex/config.toml")),
                        codex(At::Codex("agents/**/*.toml")),
                        codex(At::Project(".codex/agents/**/*.toml")),
                        codex(At::Machine("codex/agents/**/*.toml")),
                        codex(At::Machine("codex/config.toml")),
                        codex(At::Machine("codex/managed_config.toml")),
                    ]
                },
                shape: EntryShape::Codex,
                off: Some(("enabled", false)),
                secrets: Secrets::Named,
                reload: "start Codex again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Cursor => Profile {
                name: "Cursor",
                main: FileRow::json(At::Home(".cursor/mcp.json"), SERVERS),
                more: const { &[FileRow::json(At::Project(".cursor/mcp.json"), SERVERS)] },
                shape: EntryShape::Typed,
                secrets: Secrets::Environment("${env:", "}"),
                reload: "Cursor reads it by itself; Settings → MCP shows whether the server runs",
                ..base
            },
            Self::Gemini => Profile {
                name: "Gemini CLI",
                main: FileRow::json(At::Home(".gemini/settings.json"), SERVERS),
                more: const {
                    &[
                        FileRow::json(At::Home(".gemini/extensions/*/gemini-extension.json"), SERVERS),
                        FileRow::json(At::Project(".gemini/settings.json"), SERVERS),
                        agent(At::Home(".gemini/agents/*.md"), GEMINI_AGENT),
                        agent(At::Home(".gemini/extensions/*/agents/*.md"), GEMINI_AGENT),
                        agent(At::Project(".gemini/agents/*.md"), GEMINI_AGENT),
                        FileRow::json(
                            At::MachineApplication {
                                linux: "gemini-cli/settings.json",
                                macos: "GeminiCli/settings.json",
                            },
                            SERVERS,
                        ),
                        FileRow::json(
                            At::MachineApplication {
                                linux: "gemini-cli/system-defaults.json",
                                macos: "GeminiCli/system-defaults.json",
                            },
                            SERVERS,
                        ),
                    ]
                },
                secrets: Secrets::Environment("${", "}"),
                is_gemini: true,
                reload: "start Gemini CLI again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Goose => Profile {
                name: "Goose",
                main: FileRow {
                    place: At::Config("goose/config.yaml"),
                    format: FileFormat::Yaml,
                    sections: &[&["extensions"]],
                },
                shape: EntryShape::Goose,
                off: Some(("enabled", false)),
                secrets: Secrets::Named,
                reload: "start Goose again",
                ..base
            },
            Self::LmStudio => Profile {
                name: "LM Studio",
                main: FileRow::json(At::Home(".lmstudio/mcp.json"), SERVERS),
                reload: "LM Studio reads it by itself; its list of integrations shows whether the server runs",
                ..base
            },
            Self::Opencode => Profile {
                name: "opencode",
                main: FileRow::json(At::Config("opencode/opencode.json"), OPENCODE),
                more: const {
                    &[
                        FileRow::json(At::Config("opencode/opencode.jsonc"), OPENCODE),
                        FileRow::json(At::Config("opencode/config.json"), OPENCODE),
                        FileRow::json(At::Home(".opencode/opencode.json"), OPENCODE),
                        FileRow::json(At::Home(".opencode/opencode.jsonc"), OPENCODE),
                        FileRow::json(At::Project("opencode.json"), OPENCODE),
                        FileRow::json(At::Project("opencode.jsonc"), OPENCODE),
                        FileRow::json(At::Project(".opencode/opencode.json"), OPENCODE),
                        FileRow::json(At::Project(".opencode/opencode.jsonc"), OPENCODE),
                        opencode_managed("opencode/opencode.json"),
                        opencode_managed("opencode/opencode.jsonc"),
                    ]
                },
                reach: ProjectReach::RepositoryOrAll,
                shape: EntryShape::Opencode,
                off: Some(("enabled", false)),
                secrets: Secrets::Environment("{env:", "}"),
                reload: "start opencode again; `opencode mcp list` shows whether the server runs",
                ..base
            },
            Self::Qwen => Profile {
                name: "Qwen Code",
                main: FileRow::json(At::Home(".qwen/settings.json"), SERVERS),
                more: const {
                    &[
                        FileRow::json(At::Home(".qwen/extensions/*/qwen-extension.json"), SERVERS),
                        FileRow::json(At::Project(".qwen/settings.json"), SERVERS),
                        FileRow::json(
                            At::MachineApplication {
                                linux: "qwen-code/settings.json",
                                macos: "QwenCode/settings.json",
                            },
                            SERVERS,
                        ),
                    ]
                },
                secrets: Secrets::Environment("${", "}"),
                is_gemini: true,
                reload: "start Qwen Code again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Vscode => Profile {
                name: "VS Code",
                main: FileRow::json(At::Application("Code/User/mcp.json"), VSCODE),
                more: const {
                    &[
                        // Insiders, OSS and VSCodium, too.
                        FileRow::json(At::Application("Code*/User/mcp.json"), VSCODE),
                        FileRow::json(At::Application("Code*/User/settings.json"), VSCODE_SETTINGS),
                        FileRow::json(At::Application("Code*/User/profiles/*/mcp.json"), VSCODE),
                        FileRow::json(At::Application("VSCodium*/User/mcp.json"), VSCODE),
                        FileRow::json(At::Application("VSCodium*/User/settings.json"), VSCODE_SETTINGS),
                        FileRow::json(At::Application("VSCodium*/User/profiles/*/mcp.json"), VSCODE),
                        // What starts on this machine for an editor elsewhere: in `Machine` and in `User`.
                        FileRow::json(At::Home(".vscod*/data/*/mcp.json"), VSCODE),
                        FileRow::json(At::Home(".vscod*/data/*/settings.json"), VSCODE_SETTINGS),
                        FileRow::json(At::Home(".vscod*/data/User/profiles/*/mcp.json"), VSCODE),
                        FileRow::json(At::Project(".vscode/mcp.json"), VSCODE),
                        FileRow::json(At::Project(".vscode/settings.json"), VSCODE_SETTINGS),
                        FileRow::json(At::Project(".devcontainer.json"), DEVCONTAINER),
                        FileRow::json(At::Project(".devcontainer/devcontainer.json"), DEVCONTAINER),
                        FileRow::json(At::Project(".devcontainer/*/devcontainer.json"), DEVCONTAINER),
                    ]
                },
                shape: EntryShape::Typed,
                secrets: Secrets::Asked,
                reload: "VS Code reads it by itself; `MCP: List Servers` starts the server",
                ..base
            },
            Self::Windsurf => Profile {
                name: "Windsurf",
                main: FileRow::json(At::Home(".codeium/windsurf/mcp_config.json"), SERVERS),
                more: const { &[FileRow::json(At::Home(".codeium/mcp_config.json"), SERVERS)] },
                secrets: Secrets::Environment("${env:", "}"),
                off: Some(("disabled", true)),
                reload: "refresh the list of servers in Cascade",
                ..base
            },
            Self::Zed => Profile {
                name: "Zed",
                main: FileRow::json(At::Config("zed/settings.json"), ZED),
                more: const {
                    &[
                        FileRow::json(At::Config("zed/global_settings.json"), ZED),
                        FileRow::json(At::Home(".var/app/dev.zed.Zed/config/zed/settings.json"), ZED),
                        FileRow::json(At::Project(".zed/settings.json"), ZED),
                    ]
                },
                off: Some(("enabled", false)),
                reload: "Zed reads it by itself; the settings of its agent show whether the server runs",
                ..base
            },
        }
    }
}

const fn codex(place: FileLocation) -> FileRow {
    FileRow { place, format: FileFormat::Toml, sections: &[&["mcp_servers"]] }
}

/// An agent of its own, with servers in the head of its text.
const fn agent(place: FileLocation, sections: &'static [&'static [&'static str]]) -> FileRow {
    FileRow { place, format: FileFormat::Markdown, sections }
}

const fn opencode_managed(path: &'static str) -> FileRow {
    FileRow::json(FileLocation::MachineApplication { linux: path, macos: path }, OPENCODE)
}

#[cfg(test)]
mod tests;
