//! The managed settings under which a client starts nothing but given lines.
//!
//! Each of these clients compares the whole command, word for word, and has a list that its user can't add to. Tried with
//! Claude Code 2.1 and Codex 0.171; VS Code is as its source has it.

use std::path::Path;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::client::Client;
use crate::cli::client::ServerEntry;
use crate::cli::client::jsonc;
use crate::cli::client::merge;
use crate::cli::client::place::FileLocation;
use crate::cli::client::place::FileRow;
use crate::cli::client::place::Folders;

/// A client with managed settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ManagedClient {
    /// Claude Code
    ClaudeCode,
    /// Codex
    Codex,
    /// Visual Studio Code
    #[value(alias = "vs-code")]
    Vscode,
}

/// What managed settings let a client start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Lockdown {
    /// These lines alone.
    Only(Vec<Vec<String>>),
    /// Something else, too.
    Loose(&'static str),
    /// They say nothing about servers.
    Silent,
}

impl ManagedClient {
    /// The client.
    pub(in crate::cli) const fn client(self) -> Client {
        match self {
            Self::ClaudeCode => Client::ClaudeCode,
            Self::Codex => Client::Codex,
            Self::Vscode => Client::Vscode,
        }
    }

    /// The file with its managed settings.
    pub(in crate::cli) fn file(self, folders: &Folders) -> Option<PathBuf> {
        FileRow::json(self.place(), &[]).path(folders, Path::new(""))
    }

    /// The folder with further settings, which the client adds to the file in the order of their names.
    pub(in crate::cli) fn drop_ins(self, folders: &Folders) -> Option<PathBuf> {
        match self {
            Self::ClaudeCode => Some(self.file(folders)?.with_file_name("managed-settings.d")),
            Self::Codex | Self::Vscode => None,
        }
    }

    const fn place(self) -> FileLocation {
        match self {
            Self::ClaudeCode => FileLocation::MachineApplication {
                linux: "claude-code/managed-settings.json",
                macos: "ClaudeCode/managed-settings.json",
            },
            Self::Codex => FileLocation::Machine("codex/requirements.toml"),
            Self::Vscode => FileLocation::Machine("vscode/policy.json"),
        }
    }

    /// Returns the settings under which it may start these servers and nothing else.
    pub(in crate::cli) fn settings(self, servers: &[ServerEntry]) -> String {
        let words = |server: &ServerEntry| -> Vec<String> {
            std::iter::once(&server.command).chain(&server.args).cloned().collect()
        };
        let allowed: Vec<_> = servers.iter().map(|server| json!({"serverCommand": words(server)})).collect();
        let denied = json!([{"serverUrl": "*"}]);
        match self {
            Self::ClaudeCode => {
                let settings = json!({
                    "allowManagedMcpServersOnly": true,
                    "allowedMcpServers": allowed,
                    "deniedMcpServers": denied,
                });
                format!("{settings:#}\n")
            }
            Self::Vscode => {
                // Lists are texts there.
                let settings = json!({
                    "ChatAllowManagedMcpServersOnly": true,
                    "ChatAllowedMcpServers": json!(allowed).to_string(),
                    "ChatDeniedMcpServers": denied.to_string(),
                });
                format!("{settings:#}\n")
            }
            Self::Codex => {
                // Plugins and apps bring servers of their own, which this list says nothing about.
                let head = "[features]\nplugins = false\napps = false\n".to_owned();
                servers.iter().fold(head, |text, server| text + &identity(server))
            }
        }
    }

    /// Reads a file of its managed settings.
    ///
    /// # Errors
    /// Why the text is not what the client reads.
    pub(in crate::cli) fn document(self, text: &str) -> Result<Value, String> {
        match self {
            Self::ClaudeCode | Self::Vscode if jsonc::is_unclear(text) => {
                Err("readers disagree about where a comment in it ends".to_owned())
            }
            Self::ClaudeCode | Self::Vscode => {
                let read: serde_json::Result<Map<String, Value>> = serde_json::from_str(&jsonc::plain(text));
                Ok(Value::Object(read.map_err(|error| format!("it is not JSON: {error}"))?))
            }
            Self::Codex => merge::read_toml(text).map_err(|error| error.to_string()),
        }
    }

    /// Returns what its managed settings let it start.
    ///
    /// # Errors
    /// Why the document is not what the client reads.
    pub(in crate::cli) fn lockdown(self, document: &Value) -> Result<Lockdown, String> {
        Ok(match self {
            Self::ClaudeCode => lists(
                document.get("allowedMcpServers").cloned(),
                document.get("allowManagedMcpServersOnly") == Some(&Value::Bool(true)),
            ),
            Self::Vscode if document.get("ChatMCP").and_then(Value::as_str) == Some("none") => {
                Lockdown::Only(Vec::new())
            }
            Self::Vscode => {
                let allowed = document.get("ChatAllowedMcpServers").cloned();
                let allowed = match allowed {
                    Some(Value::String(text)) => serde_json::from_str(&text).map_err(|error| error.to_string())?,
                    other => other,
                };
                lists(allowed, document.get("ChatAllowManagedMcpServersOnly") == Some(&Value::Bool(true)))
            }
            Self::Codex => identities(document),
        })
    }
}

/// Adds settings to others, as Claude Code does: lists are joined, objects merged, and of anything else the later counts.
pub(in crate::cli) fn add(settings: &mut Value, more: Value) {
    match (settings, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (key, value) in more {
                add(members.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(values), Value::Array(more)) => {
            let new: Vec<_> = more.into_iter().filter(|value| !values.contains(value)).collect();
            values.extend(new);
        }
        (other, more) => *other = more,
    }
}

/// A table of Codex's: the server's name, the program, and every argument in its place.
fn identity(server: &ServerEntry) -> String {
    let text = |text: &str| toml_edit::Value::from(text).to_string();
    let args = server.args.iter().map(|word| format!("{{ match = \"exact\", value = {} }}", text(word)));
    let args = args.collect::<Vec<_>>().join(", ");
    let (name, program) = (&server.name, text(&server.command));
    format!("\n[mcp_servers.{name}.identity]\ncommand = {{ executable = {program}, args = [{args}] }}\n")
}

/// What a list of Claude Code and VS Code lets through.
fn lists(allowed: Option<Value>, managed_only: bool) -> Lockdown {
    let Some(Value::Array(entries)) = allowed else {
        return if managed_only { Lockdown::Loose("it has no list of allowed servers") } else { Lockdown::Silent };
    };
    if !managed_only {
        return Lockdown::Loose("users can add to its list of allowed servers");
    }
    let lines = entries.iter().map(|entry| words(entry.get("serverCommand")));
    match lines.collect::<Option<Vec<_>>>() {
        Some(lines) => Lockdown::Only(lines),
        None => Lockdown::Loose("its list has names or URLs, which say nothing of what is started"),
    }
}

/// What the identities of Codex let through.
fn identities(document: &Value) -> Lockdown {
    let Some(Value::Object(servers)) = document.get("mcp_servers") else { return Lockdown::Silent };
    let off = |feature: &str| document.get("features").and_then(|it| it.get(feature)) == Some(&Value::Bool(false));
    let line = |server: &Value| {
        let command = server.get("identity")?.get("command")?;
        let exact = |argument: &Value| {
            let is_exact = argument.get("match").and_then(Value::as_str) == Some("exact");
            is_exact.then(|| argument.get("value").and_then(Value::as_str).map(str::to_owned)).flatten()
        };
        let args: Option<Vec<_>> = command.get("args")?.as_array()?.iter().map(exact).collect();
        Some([vec![command.get("executable")?.as_str()?.to_owned()], args?].concat())
    };
    match servers.values().map(line).collect::<Option<Vec<_>>>() {
        None => Lockdown::Loose("it does not compare every word of a command"),
        // An empty table is heeded by plugins, too.
        Some(lines) if !(lines.is_empty() || off("plugins") && off("apps")) => {
            Lockdown::Loose("plugins and apps are not switched off, and bring servers of their own")
        }
        Some(lines) => Lockdown::Only(lines),
    }
}

fn words(list: Option<&Value>) -> Option<Vec<String>> {
    list?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Whether a line starts a server through smcp: an absolute path of it, and a line of `run`.
pub(in crate::cli) fn is_through_smcp(words: &[String]) -> bool {
    let program = words.first().map(Path::new);
    program.is_some_and(|path| path.is_absolute() && path.file_name().is_some_and(|name| name == "smcp"))
        && words.iter().skip(1).any(|word| word == "run")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, args: &[&str]) -> ServerEntry {
        let args = args.iter().map(|word| (*word).to_owned()).collect();
        ServerEntry { name: name.to_owned(), command: "/usr/bin/smcp".to_owned(), args, variables: Vec::new() }
    }

    #[test]
    fn what_is_printed_lets_the_given_lines_through_alone() {
        let servers = [server("a", &["run", "a/a@1.0.0"]), server("b", &["run", "b/b@1.0.0", "--", "\"q\"\\ ü", "$x"])];
        for client in ManagedClient::value_variants() {
            let text = client.settings(&servers);
            let lines: Vec<Vec<String>> = servers
                .iter()
                .map(|server| std::iter::once(&server.command).chain(&server.args).cloned().collect())
                .collect();
            assert!(lines.iter().all(|line| is_through_smcp(line)));
            assert_eq!(client.lockdown(&client.document(&text).unwrap()), Ok(Lockdown::Only(lines)), "{text}");
        }
    }

    #[test]
    fn what_lets_more_through_is_loose() {
        use ManagedClient as On;
        let cases = [
            (On::ClaudeCode, r#"{"model": "x"}"#, Some(Lockdown::Silent)),
            (
                On::ClaudeCode,
                r#"{"allowManagedMcpServersOnly": true, "allowedMcpServers": []}"#,
                Some(Lockdown::Only(vec![])),
            ),
            (On::ClaudeCode, r#"{"allowedMcpServers": [{"serverCommand": ["/usr/bin/smcp", "run"]}]}"#, None),
            (
                On::ClaudeCode,
                r#"{"allowManagedMcpServersOnly": true, "allowedMcpServers": [{"serverName": "x"}]}"#,
                None,
            ),
            (On::ClaudeCode, r#"{"allowManagedMcpServersOnly": true}"#, None),
            (On::Vscode, r#"{"ChatMCP": "none"}"#, Some(Lockdown::Only(vec![]))),
            (On::Vscode, r#"{"ChatMCP": "registry"}"#, Some(Lockdown::Silent)),
            (
                On::Vscode,
                r#"{"ChatAllowedMcpServers": "[{\"serverName\": \"x\"}]", "ChatAllowManagedMcpServersOnly": true}"#,
                None,
            ),
            (On::Codex, "mcp_servers = {}", Some(Lockdown::Only(vec![]))),
            (On::Codex, "allowed_sandbox_modes = []", Some(Lockdown::Silent)),
            (On::Codex, "[mcp_servers.x.identity]\ncommand = '/usr/bin/smcp'", None),
            (On::Codex, "[mcp_servers.x.identity]\nurl = 'https://x.example'", None),
            (On::Codex, "[mcp_servers.x.identity]\ncommand = { executable = '/usr/bin/smcp', args = [] }", None),
            (
                On::Codex,
                "features = { plugins = false, apps = false }\n[mcp_servers.x.identity]\ncommand = { executable = '/usr/bin/smcp', args = [{ match = 'prefix', value = 'r' }] }",
                None,
            ),
        ];
        for (client, text, expected) in cases {
            let found = client.lockdown(&client.document(text).unwrap()).unwrap();
            match expected {
                Some(expected) => assert_eq!(found, expected, "{text}"),
                None => assert!(matches!(found, Lockdown::Loose(_)), "{text}: {found:?}"),
            }
        }
        assert!(On::ClaudeCode.document("{").is_err() && On::Codex.document("=").is_err());
        assert!(!is_through_smcp(&["smcp".to_owned(), "run".to_owned()]));
        assert!(!is_through_smcp(&["/usr/bin/npx".to_owned(), "run".to_owned()]));
    }
}
