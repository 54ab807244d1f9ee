//! The clients that start servers: one table of where and how each lists them.
//!
//! It follows their documentation of 2026; docs/clients.md says which were tried.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::mcp_config::merge::Addition;
use crate::cli::mcp_config::merge::FileFormat;

/// A program that starts MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
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

/// Where a user's files are.
#[derive(Debug, Clone, Default)]
pub(super) struct Folders {
    /// `HOME`.
    pub(super) home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, when it is an absolute path.
    pub(super) xdg_config: Option<PathBuf>,
    /// `CLAUDE_CONFIG_DIR`, when it is an absolute path.
    pub(super) claude_config: Option<PathBuf>,
    /// `CODEX_HOME`, when it is an absolute path.
    pub(super) codex_home: Option<PathBuf>,
    /// Whether applications keep their files where macOS has them.
    pub(super) macos: bool,
}

/// The server that a client has to start.
#[derive(Debug, Clone)]
pub(super) struct ServerEntry {
    /// Its name in the client.
    pub(super) name: String,
    /// The program.
    pub(super) command: String,
    /// Its arguments.
    pub(super) args: Vec<String>,
    /// The names of the variables that the client gives it.
    pub(super) variables: Vec<String>,
}

/// What smcp knows of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// Its name, for users.
    pub(super) name: &'static str,
    place: FileLocation,
    /// The format of its file.
    pub(super) format: FileFormat,
    /// The key of its mapping of servers.
    section: &'static str,
    shape: EntryShape,
    secrets: Secrets,
    /// What the user does so that it reads its file again.
    pub(super) reload: &'static str,
    /// The client's own command that takes the printed server.
    pub(super) takes_server: Option<&'static str>,
}

/// Where the file with a client's servers is.
#[derive(Debug, Clone, Copy)]
enum FileLocation {
    /// In the home.
    Home(&'static str),
    /// In `XDG_CONFIG_HOME` or `~/.config`, on macOS as well.
    Config(&'static str),
    /// Where applications keep their files: as [`Self::Config`], and in `~/Library/Application Support` on macOS.
    Application(&'static str),
    /// In `CLAUDE_CONFIG_DIR` or the home.
    Claude(&'static str),
    /// In `CODEX_HOME` or `~/.codex`.
    Codex(&'static str),
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

impl Client {
    /// Returns its row of the table.
    pub(super) const fn profile(self) -> Profile {
        let base = Profile {
            name: "",
            place: FileLocation::Home(""),
            format: FileFormat::Json,
            section: "mcpServers",
            shape: EntryShape::Plain,
            secrets: Secrets::ByHand,
            reload: "",
            takes_server: None,
        };
        match self {
            Self::ClaudeCode => Profile {
                name: "Claude Code",
                place: FileLocation::Claude(".claude.json"),
                shape: EntryShape::Typed,
                secrets: Secrets::Environment("${", "}"),
                reload: "start Claude Code again; one that is running may write the file back as it was",
                takes_server: Some("claude mcp add-json --scope user"),
                ..base
            },
            Self::ClaudeDesktop => Profile {
                name: "Claude Desktop",
                place: FileLocation::Application("Claude/claude_desktop_config.json"),
                reload: "quit Claude Desktop and start it again",
                ..base
            },
            Self::Codex => Profile {
                name: "Codex",
                place: FileLocation::Codex("config.toml"),
                format: FileFormat::Toml,
                section: "mcp_servers",
                shape: EntryShape::Codex,
                secrets: Secrets::Named,
                reload: "start Codex again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Cursor => Profile {
                name: "Cursor",
                place: FileLocation::Home(".cursor/mcp.json"),
                shape: EntryShape::Typed,
                secrets: Secrets::Environment("${env:", "}"),
                reload: "Cursor reads it by itself; Settings → MCP shows whether the server runs",
                ..base
            },
            Self::Gemini => Profile {
                name: "Gemini CLI",
                place: FileLocation::Home(".gemini/settings.json"),
                secrets: Secrets::Environment("${", "}"),
                reload: "start Gemini CLI again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Goose => Profile {
                name: "Goose",
                place: FileLocation::Config("goose/config.yaml"),
                format: FileFormat::Yaml,
                section: "extensions",
                shape: EntryShape::Goose,
                secrets: Secrets::Named,
                reload: "start Goose again",
                ..base
            },
            Self::Opencode => Profile {
                name: "opencode",
                place: FileLocation::Config("opencode/opencode.json"),
                section: "mcp",
                shape: EntryShape::Opencode,
                secrets: Secrets::Environment("{env:", "}"),
                reload: "start opencode again; `opencode mcp list` shows whether the server runs",
                ..base
            },
            Self::Qwen => Profile {
                name: "Qwen Code",
                place: FileLocation::Home(".qwen/settings.json"),
                secrets: Secrets::Environment("${", "}"),
                reload: "start Qwen Code again; `/mcp` shows whether the server runs",
                ..base
            },
            Self::Vscode => Profile {
                name: "VS Code",
                place: FileLocation::Application("Code/User/mcp.json"),
                section: "servers",
                shape: EntryShape::Typed,
                secrets: Secrets::Asked,
                reload: "VS Code reads it by itself; `MCP: List Servers` starts the server",
                ..base
            },
            Self::Windsurf => Profile {
                name: "Windsurf",
                place: FileLocation::Home(".codeium/windsurf/mcp_config.json"),
                secrets: Secrets::Environment("${env:", "}"),
                reload: "refresh the list of servers in Cascade",
                ..base
            },
            Self::Zed => Profile {
                name: "Zed",
                place: FileLocation::Config("zed/settings.json"),
                section: "context_servers",
                reload: "Zed reads it by itself; the settings of its agent show whether the server runs",
                ..base
            },
        }
    }
}

impl Profile {
    /// Returns the user's own file, for all their projects; `None` when the home is not known.
    pub(super) fn file(&self, folders: &Folders) -> Option<PathBuf> {
        let home = |below: &str| folders.home.as_ref().map(|home| home.join(below));
        let config = || folders.xdg_config.clone().or_else(|| home(".config"));
        let (folder, below) = match self.place {
            FileLocation::Home(below) => (home(""), below),
            FileLocation::Config(below) => (if folders.macos { home(".config") } else { config() }, below),
            FileLocation::Application(below) if folders.macos => (home("Library/Application Support"), below),
            FileLocation::Application(below) => (config(), below),
            FileLocation::Claude(below) => (folders.claude_config.clone().or_else(|| home("")), below),
            FileLocation::Codex(below) => (folders.codex_home.clone().or_else(|| home(".codex")), below),
        };
        folder.map(|folder| folder.join(below))
    }

    /// Returns the server as the client writes it.
    pub(super) fn value(&self, server: &ServerEntry) -> Value {
        let ServerEntry { name, command, args, variables } = server;
        let given: Map<_, _> = variables.iter().map(|key| (key.clone(), self.value_of(name, key))).collect();
        let if_variables = |key: &'static str, value: Value| (!variables.is_empty()).then_some((key, value));
        let members = match self.shape {
            EntryShape::Plain | EntryShape::Typed => [
                (self.shape == EntryShape::Typed).then_some(("type", json!("stdio"))),
                Some(("command", json!(command))),
                Some(("args", json!(args))),
                if_variables("env", Value::Object(given)),
            ]
            .to_vec(),
            EntryShape::Codex => [
                Some(("command", json!(command))),
                Some(("args", json!(args))),
                if_variables("env_vars", json!(variables)),
            ]
            .to_vec(),
            EntryShape::Opencode => {
                let words: Vec<_> = std::iter::once(command).chain(args).collect();
                [
                    Some(("type", json!("local"))),
                    Some(("command", json!(words))),
                    if_variables("environment", Value::Object(given)),
                    Some(("enabled", json!(true))),
                ]
                .to_vec()
            }
            EntryShape::Goose => [
                Some(("name", json!(name))),
                Some(("type", json!("stdio"))),
                Some(("enabled", json!(true))),
                Some(("cmd", json!(command))),
                Some(("args", json!(args))),
                if_variables("env_keys", json!(variables)),
                // Seconds; Goose itself writes this value.
                Some(("timeout", json!(300))),
            ]
            .to_vec(),
        };
        members.into_iter().flatten().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
    }

    /// Returns what has to be in the client's file.
    pub(super) fn additions(&self, server: &ServerEntry) -> Vec<Addition> {
        let (section, name, value) = (self.section, server.name.clone(), self.value(server));
        let asked = server.variables.iter().filter(|_| self.secrets == Secrets::Asked);
        let questions = asked.map(|key| question(server, key));
        std::iter::once(Addition::Member { section, name, value }).chain(questions).collect()
    }

    /// Whether the user has to write the values of variables into the file themselves.
    pub(super) fn keeps_values(&self) -> bool {
        self.secrets == Secrets::ByHand
    }

    /// Returns the first mark in `text` that the client would expand in a command or an argument; `None` when it takes
    /// the text as it is.
    pub(super) fn expanded_in(&self, text: &str) -> Option<&'static str> {
        let marks: &[&'static str] = match self.secrets {
            Secrets::Environment("{env:", _) => &["{env:", "{file:"],
            Secrets::Environment(..) | Secrets::Asked => &["${"],
            Secrets::ByHand | Secrets::Named => &[],
        };
        let named = || {
            // Gemini CLI and Qwen Code expand the short form, too.
            let mut behind = text.split('$').skip(1);
            let short = self.secrets == Secrets::Environment("${", "}") && self.shape == EntryShape::Plain;
            (short && behind.any(|rest| rest.starts_with(|next: char| next.is_ascii_alphabetic() || next == '_')))
                .then_some("$")
        };
        marks.iter().copied().find(|mark| text.contains(*mark)).or_else(named)
    }

    /// Returns what is written as the value of a variable: never a secret, but where the client gets it from; empty
    /// when the user has to write it.
    fn value_of(&self, server: &str, key: &str) -> Value {
        match self.secrets {
            Secrets::ByHand | Secrets::Named => "".into(),
            Secrets::Environment(before, behind) => format!("{before}{key}{behind}").into(),
            Secrets::Asked => format!("${{input:{}}}", input(server, key)).into(),
        }
    }
}

/// Returns the id of VS Code's question for a value.
fn input(server: &str, key: &str) -> String {
    format!("{server}-{key}")
}

/// Returns VS Code's question for a value. VS Code keeps the answer in the system's store of secrets.
fn question(server: &ServerEntry, key: &str) -> Addition {
    let description = format!("{key} for {}", server.name);
    let value = json!({
        "type": "promptString", "id": input(&server.name, key), "description": description, "password": true,
    });
    Addition::Element { section: "inputs", value }
}

#[cfg(test)]
mod tests;
