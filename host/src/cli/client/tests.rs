//! Where each client has its file, and which texts it would expand.

use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::cli::client::place::Folders;
use smcp_model::scan::Scope;

#[test]
fn each_client_has_its_place() {
    let home = || Folders { home: Some("/home/me".into()), ..Folders::default() };
    let mac = || Folders { home: Some("/Users/me".into()), macos: true, xdg_config: Some("/x".into()), ..home() };
    let moved = || Folders {
        xdg_config: Some("/x".into()),
        claude_config: Some("/c".into()),
        codex_home: Some("/d".into()),
        ..home()
    };
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
        (Client::Codex, home(), "/home/me/.codex/config.toml"),
        (Client::Codex, moved(), "/d/config.toml"),
        (Client::Gemini, moved(), "/home/me/.gemini/settings.json"),
        (Client::Qwen, home(), "/home/me/.qwen/settings.json"),
        (Client::Opencode, home(), "/home/me/.config/opencode/opencode.json"),
        (Client::Opencode, moved(), "/x/opencode/opencode.json"),
        (Client::Windsurf, mac(), "/Users/me/.codeium/windsurf/mcp_config.json"),
        (Client::Zed, moved(), "/x/zed/settings.json"),
        (Client::Zed, mac(), "/Users/me/.config/zed/settings.json"),
        (Client::Goose, home(), "/home/me/.config/goose/config.yaml"),
        (Client::LmStudio, mac(), "/Users/me/.lmstudio/mcp.json"),
    ];
    for (client, folders, expected) in cases {
        assert_eq!(client.profile().file(&folders).as_deref(), Some(Path::new(expected)), "{client:?}");
        assert_eq!(client.profile().file(&Folders::default()), None, "{client:?}");
    }
    for client in Client::value_variants() {
        assert!(cases_of(*client, home()).is_absolute(), "{client:?}");
    }
}

fn cases_of(client: Client, folders: Folders) -> PathBuf {
    client.profile().file(&folders).unwrap()
}

/// The other files of a client with this scope.
fn others(client: Client, scope: Scope, folders: &Folders) -> Vec<String> {
    let rows = client.profile().files().skip(1).filter(|row| row.scope() == scope);
    rows.map(|row| row.path(folders, Path::new("/work")).unwrap().display().to_string()).collect()
}

#[test]
fn projects_and_machines_have_their_places() {
    const VSCODE: &[&str] = &[
        "/work/.vscode/mcp.json",
        "/work/.vscode/settings.json",
        "/work/.devcontainer.json",
        "/work/.devcontainer/devcontainer.json",
        "/work/.devcontainer/*/devcontainer.json",
    ];

    let linux = Folders { home: Some("/home/me".into()), machine: "/etc".into(), ..Folders::default() };
    let macos = Folders { macos: true, ..linux.clone() };
    let cases: [(Client, Scope, &[&str], &[&str]); 9] = [
        (Client::ClaudeCode, Scope::User, &["/home/me/.claude/agents/**/*.md"], &["/home/me/.claude/agents/**/*.md"]),
        (
            Client::ClaudeCode,
            Scope::Project,
            &["/work/.mcp.json", "/work/.claude/agents/**/*.md"],
            &["/work/.mcp.json", "/work/.claude/agents/**/*.md"],
        ),
        (
            Client::ClaudeCode,
            Scope::Managed,
            &["/etc/claude-code/.claude/agents/**/*.md", "/etc/claude-code/managed-mcp.json"],
            &[
                "/Library/Application Support/ClaudeCode/.claude/agents/**/*.md",
                "/Library/Application Support/ClaudeCode/managed-mcp.json",
            ],
        ),
        (
            Client::Codex,
            Scope::Managed,
            &["/etc/codex/agents/**/*.toml", "/etc/codex/config.toml", "/etc/codex/managed_config.toml"],
            &["/etc/codex/agents/**/*.toml", "/etc/codex/config.toml", "/etc/codex/managed_config.toml"],
        ),
        (
            Client::Codex,
            Scope::Project,
            &["/work/.codex/config.toml", "/work/.codex/agents/**/*.toml"],
            &["/work/.codex/config.toml", "/work/.codex/agents/**/*.toml"],
        ),
        (
            Client::Gemini,
            Scope::Managed,
            &["/etc/gemini-cli/settings.json", "/etc/gemini-cli/system-defaults.json"],
            &[
                "/Library/Application Support/GeminiCli/settings.json",
                "/Library/Application Support/GeminiCli/system-defaults.json",
            ],
        ),
        (
            Client::Opencode,
            Scope::Managed,
            &["/etc/opencode/opencode.json", "/etc/opencode/opencode.jsonc"],
            &[
                "/Library/Application Support/opencode/opencode.json",
                "/Library/Application Support/opencode/opencode.jsonc",
            ],
        ),
        (Client::Vscode, Scope::Project, VSCODE, VSCODE),
        (
            Client::ClaudeDesktop,
            Scope::User,
            &["/home/me/.config/Claude/Claude Extensions/*/manifest.json"],
            &["/home/me/Library/Application Support/Claude/Claude Extensions/*/manifest.json"],
        ),
    ];
    for (client, scope, on_linux, on_macos) in cases {
        assert_eq!(others(client, scope, &linux), on_linux, "{client:?}");
        assert_eq!(others(client, scope, &macos), on_macos, "{client:?}");
    }
}

#[test]
fn what_a_client_would_expand_is_known() {
    let cases = [
        (Client::ClaudeCode, "a${b}", Some("${")),
        (Client::ClaudeCode, "a$b", None),
        (Client::Gemini, "a$b", Some("$")),
        (Client::Gemini, "a$5", None),
        (Client::Qwen, "${b}", Some("${")),
        (Client::Opencode, "a${b}$c", None),
        (Client::Opencode, "{env:b}", Some("{env:")),
        (Client::Opencode, "{file:b}", Some("{file:")),
        (Client::Vscode, "${input:x}", Some("${")),
        (Client::Codex, "${b}{env:b}", None),
        (Client::Zed, "${b}", None),
    ];
    for (client, text, mark) in cases {
        assert_eq!(client.profile().expanded_in(text), mark, "{client:?} {text}");
    }
}
