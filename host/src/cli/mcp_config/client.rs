//! The clients that start servers from a JSON file: where it is, and its shape.
//!
//! As their documents of 2026 have it: `claude_desktop_config.json`, Cursor's and VS Code's `mcp.json`, `.claude.json`.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::mcp_config::merge::Addition;

/// A program that starts MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
    /// Claude Desktop.
    ClaudeDesktop,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    Vscode,
    /// Claude Code.
    ClaudeCode,
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
    /// Whether applications keep their files as macOS has it.
    pub(super) macos: bool,
}

/// What a client has to start.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Its name in the client.
    pub(super) name: String,
    /// The program.
    pub(super) command: String,
    /// Its arguments.
    pub(super) args: Vec<String>,
    /// Names of the variables that the client gives it.
    pub(super) variables: Vec<String>,
}

impl Client {
    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::Cursor => "Cursor",
            Self::Vscode => "VS Code",
            Self::ClaudeCode => "Claude Code",
        }
    }

    /// What makes it read its file again.
    pub(super) const fn reload(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "quit Claude Desktop and start it again",
            Self::Cursor => "Cursor reads it by itself; Settings → MCP shows whether the server runs",
            Self::Vscode => "VS Code reads it by itself; `MCP: List Servers` starts the server",
            Self::ClaudeCode => "start Claude Code again; one that is running may write the file back as it was",
        }
    }

    /// The user's own file, for all their projects. None when nobody knows the home.
    pub(super) fn file(self, folders: &Folders) -> Option<PathBuf> {
        let home = folders.home.as_deref();
        let application = || match (folders.macos, &folders.xdg_config) {
            (true, _) => home.map(|home| home.join("Library/Application Support")),
            (false, Some(config)) => Some(config.clone()),
            (false, None) => home.map(|home| home.join(".config")),
        };
        match self {
            Self::ClaudeDesktop => application().map(|folder| folder.join("Claude/claude_desktop_config.json")),
            Self::Cursor => home.map(|home| home.join(".cursor/mcp.json")),
            Self::Vscode => application().map(|folder| folder.join("Code/User/mcp.json")),
            Self::ClaudeCode => folders.claude_config.as_deref().or(home).map(|folder| folder.join(".claude.json")),
        }
    }

    /// What has to stand in its file.
    pub(super) fn additions(self, server: &Server) -> Vec<Addition> {
        let Server { name, command, args, variables } = server;
        let mut value = Map::new();
        if self != Self::ClaudeDesktop {
            value.insert("type".to_owned(), "stdio".into());
        }
        value.insert("command".to_owned(), command.as_str().into());
        value.insert("args".to_owned(), args.as_slice().into());
        if !variables.is_empty() {
            let given = variables.iter().map(|key| (key.clone(), self.value_of(name, key)));
            value.insert("env".to_owned(), Value::Object(given.collect()));
        }
        let (section, value, name) = (self.section(), Value::Object(value), name.clone());
        let asked = variables.iter().filter(|_| self == Self::Vscode).map(|key| question(server, key));
        std::iter::once(Addition::Member { section, name, value }).chain(asked).collect()
    }

    /// Whether the user has to write the values of variables into the file themselves.
    pub(super) const fn keeps_values(self) -> bool {
        match self {
            Self::ClaudeDesktop => true,
            Self::Cursor | Self::Vscode | Self::ClaudeCode => false,
        }
    }

    /// The key of its mapping of servers.
    const fn section(self) -> &'static str {
        match self {
            Self::Vscode => "servers",
            Self::ClaudeDesktop | Self::Cursor | Self::ClaudeCode => "mcpServers",
        }
    }

    /// The value of a variable: never a secret, but where the client gets it from, if it can get it from anywhere.
    fn value_of(self, server: &str, key: &str) -> Value {
        match self {
            Self::ClaudeDesktop => "".into(),
            Self::Cursor => format!("${{env:{key}}}").into(),
            Self::Vscode => format!("${{input:{}}}", input(server, key)).into(),
            Self::ClaudeCode => format!("${{{key}}}").into(),
        }
    }
}

/// The id of VS Code's question for a value.
fn input(server: &str, key: &str) -> String {
    format!("{server}-{key}")
}

/// VS Code's question for a value, which it keeps in the system's store of secrets.
fn question(server: &Server, key: &str) -> Addition {
    let description = format!("{key} for {}", server.name);
    let value = json!({
        "type": "promptString", "id": input(&server.name, key), "description": description, "password": true,
    });
    Addition::Element { section: "inputs", value }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_client_has_its_place() {
        let home = || Folders { home: Some("/home/me".into()), ..Folders::default() };
        let mac = || Folders { home: Some("/Users/me".into()), macos: true, xdg_config: Some("/x".into()), ..home() };
        let moved = || Folders { xdg_config: Some("/x".into()), claude_config: Some("/c".into()), ..home() };
        let cases = [
            (Client::ClaudeDesktop, home(), "/home/me/.config/Claude/claude_desktop_config.json"),
            (Client::ClaudeDesktop, moved(), "/x/Claude/claude_desktop_config.json"),
            (Client::ClaudeDesktop, mac(), "/Users/me/Library/Application Support/Claude/claude_desktop_config.json"),
            (Client::Cursor, moved(), "/home/me/.cursor/mcp.json"),
            (Client::Cursor, mac(), "/Users/me/.cursor/mcp.json"),
            (Client::Vscode, home(), "/home/me/.config/Code/User/mcp.json"),
            (Client::Vscode, moved(), "/x/Code/User/mcp.json"),
            (Client::Vscode, mac(), "/Users/me/Library/Application Support/Code/User/mcp.json"),
            (Client::ClaudeCode, home(), "/home/me/.claude.json"),
            (Client::ClaudeCode, moved(), "/c/.claude.json"),
        ];
        for (client, folders, expected) in cases {
            assert_eq!(client.file(&folders).as_deref(), Some(Path::new(expected)), "{client:?}");
            assert_eq!(client.file(&Folders::default()), None, "{client:?}");
        }
    }
}
