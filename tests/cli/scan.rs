//! `smcp scan`: what clients start, from their own files.

use std::fs;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

pub(crate) const DESKTOP: &str = ".config/Claude/claude_desktop_config.json";
pub(crate) const CURSOR: &str = ".cursor/mcp.json";

/// The program in a client's file.
pub(crate) const SMCP: &str = env!("CARGO_BIN_EXE_smcp");

/// A bed with rules, and packages that they allow, ask about and refuse.
pub(crate) fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, score_mode: warn, allowed_origins: [official], min_cert_level: 2}");
    bed.publish(&Package::shell("acme/good@1.0.0", "true").good());
    bed.publish(&Package::shell("acme/asked@1.0.0", "true").facts("official", 3, 60));
    bed.publish(&Package::shell("acme/bad@1.0.0", "true").facts("community", 0, 60));
    bed
}

pub(crate) fn servers(ran: &Ran) -> Vec<Value> {
    let document: Value = serde_json::from_str(&ran.raw).unwrap();
    assert_eq!(document["schema"], "smcp.scan/1", "{ran}");
    document["servers"].as_array().unwrap().clone()
}

/// Each server as `client scope name: gate kind starts`, in the order in which they are told.
pub(crate) fn told(ran: &Ran) -> Vec<String> {
    let word = |server: &Value, key: &str| server[key].as_str().unwrap_or("-").to_owned();
    let line = |server: &Value| {
        let off = if server["enabled"] == false { " (off)" } else { "" };
        let words = ["client", "scope", "name", "gate", "kind", "starts"].map(|key| word(server, key));
        format!("{}{off}", words.join(" | "))
    };
    servers(ran).iter().map(line).collect()
}

/// Files as the clients write them: where each is, and what is to be told of it.
const FILES: [(&str, &str, &[&str]); 38] = [
    (
        DESKTOP,
        r#"{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ann/Documents"]
    }
  }
}
"#,
        &["claude-desktop | user | filesystem | none | npx | npx @modelcontextprotocol/server-filesystem"],
    ),
    (
        ".config/Claude/Claude Extensions/ant.dir.cursortouch.windows-mcp/manifest.json",
        r#"{"dxt_version": "0.1", "name": "Windows-MCP", "version": "0.5.6", "server": {"type": "python", "entry_point": "main.py",
            "mcp_config": {"command": "uv", "args": ["--directory", "${__dirname}", "run", "main.py"], "env": {}}}}"#,
        &["claude-desktop | user | Windows-MCP | none | uvx | uv"],
    ),
    (
        ".claude.json",
        r#"{
  "numStartups": 41,
  "projects": {
    "/home/ann/work": {
      "allowedTools": [],
      "mcpServers": {
        "github": {"type": "http", "url": "https://api.githubcopilot.com/mcp/", "headers": {"Authorization": "Bearer hunter2"}},
        "old": {"type": "stdio", "command": "node", "args": ["/srv/old/index.js"]}
      },
      "disabledMcpServers": ["old"]
    }
  },
  "mcpServers": {
    "sequential-thinking": {"type": "stdio", "command": "npx", "args": ["-y", "@modelcontextprotocol/server-sequential-thinking@2026.7.4"], "env": {}}
  }
}"#,
        &[
            "claude-code | user | sequential-thinking | none | npx | npx @modelcontextprotocol/server-sequential-thinking@2026.7.4",
            "claude-code | project | github | none | url | https://api.githubcopilot.com",
            "claude-code | project | old | none | command | node /srv/old/index.js (off)",
        ],
    ),
    (
        ".mcp.json",
        r#"{"mcpServers": {"db": {"command": "${HOME}/bin/db-mcp", "args": ["--dsn", "${DB_DSN}"], "env": {"DB_DSN": "postgres://hunter2"}}}}"#,
        &["claude-code | project | db | none | command | ${HOME}/bin/db-mcp"],
    ),
    (
        ".codex/config.toml",
        "model = \"gpt-5.2\"\napproval_policy = \"on-request\"\n\n[mcp_servers.context7]\ncommand = \"npx\"\nargs = [\"-y\", \"@upstash/context7-mcp\"]\nstartup_timeout_sec = 20.5\n\n[mcp_servers.figma]\nurl = \"https://mcp.figma.com/mcp\"\nbearer_token_env_var = \"FIGMA\"\nenabled = false\n\n[projects.\"/home/ann/work\"]\ntrust_level = \"trusted\"\n",
        &[
            "codex | user | context7 | none | npx | npx @upstash/context7-mcp",
            "codex | user | figma | none | url | https://mcp.figma.com (off)",
        ],
    ),
    (
        CURSOR,
        r#"{"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time", "--local-timezone=Europe/Berlin"]}}}"#,
        &["cursor | user | time | none | uvx | uvx mcp-server-time"],
    ),
    (
        ".gemini/settings.json",
        r#"{"theme": "Default", "mcpServers": {"a": {"httpUrl": "http://localhost:3000/mcp"}, "b": {"command": "python3", "args": ["-m", "b"], "trust": true}},
            "mcp": {"excluded": ["b"]}}"#,
        &[
            "gemini | user | a | none | url | http://localhost:3000",
            "gemini | user | b | none | command | python3 (off)",
        ],
    ),
    (
        ".gemini/extensions/browser/gemini-extension.json",
        r#"{"name": "browser", "version": "1.0.0", "mcpServers": {"chrome": {"command": "npx", "args": ["chrome-devtools-mcp@latest"]}}}"#,
        &["gemini | user | chrome | none | npx | npx chrome-devtools-mcp"],
    ),
    (
        ".config/goose/config.yaml",
        "# mine\nGOOSE_PROVIDER: anthropic\nextensions:\n  developer:\n    bundled: true\n    enabled: true\n    name: developer\n    timeout: 300\n    type: builtin\n  fetch:\n    args: [mcp-server-fetch]\n    cmd: uvx\n    enabled: true\n    env_keys: []\n    envs: {}\n    name: fetch\n    timeout: 300\n    type: stdio\n  remote:\n    enabled: false\n    name: remote\n    type: streamable_http\n    uri: https://mcp.example/x\n",
        &[
            "goose | user | developer | none | built-in | builtin",
            "goose | user | fetch | none | uvx | uvx mcp-server-fetch",
            "goose | user | remote | none | url | https://mcp.example (off)",
        ],
    ),
    (
        ".lmstudio/mcp.json",
        r#"{"mcpServers": {"hf-mcp-server": {"url": "https://huggingface.co/mcp", "headers": {"Authorization": "Bearer hunter2"}}}}"#,
        &["lm-studio | user | hf-mcp-server | none | url | https://huggingface.co"],
    ),
    (
        ".config/opencode/opencode.json",
        r#"{"$schema": "https://opencode.ai/config.json", "mcp": {"everything": {"type": "local", "command": ["npx", "-y", "@modelcontextprotocol/server-everything"], "enabled": true},
            "off": {"type": "remote", "url": "https://x.example", "enabled": false}}}"#,
        &[
            "opencode | user | everything | none | npx | npx @modelcontextprotocol/server-everything",
            "opencode | user | off | none | url | https://x.example (off)",
        ],
    ),
    (
        "opencode.jsonc",
        "{\n  // the team's\n  \"mcp\": {\"servers\": {\"deep\": {\"type\": \"local\", \"command\": [\"bun\", \"x\", \"deep-mcp\"]}}},\n}\n",
        &["opencode | project | deep | none | npx | bun deep-mcp"],
    ),
    (
        ".qwen/settings.json",
        r#"{"mcpServers": {"q": {"command": "docker", "args": ["run", "-i", "--rm", "-e", "TOKEN", "ghcr.io/acme/q:1"]}}, "mcp": {"allowed": ["other"]}}"#,
        &["qwen | user | q | none | docker | docker run ghcr.io/acme/q:1 (off)"],
    ),
    (
        ".config/Code/User/mcp.json",
        "{\n\t\"servers\": {\n\t\t// from the gallery\n\t\t\"playwright\": {\n\t\t\t\"command\": \"npx\",\n\t\t\t\"args\": [\"@playwright/mcp@latest\"],\n\t\t\t\"type\": \"stdio\",\n\t\t},\n\t},\n\t\"inputs\": [],\n}\n",
        &["vscode | user | playwright | none | npx | npx @playwright/mcp"],
    ),
    (
        ".config/Code/User/settings.json",
        "{\n    \"editor.fontSize\": 13, // big\n    \"mcp\": {\"servers\": {\"older\": {\"command\": \"uvx\", \"args\": [\"--from\", \"older-mcp\", \"serve\"]}}}\n}\n",
        &["vscode | user | older | none | uvx | uvx older-mcp"],
    ),
    (
        ".config/Code/User/profiles/-1f2e3d/mcp.json",
        r#"{"servers": {"p": {"type": "http", "url": "https://p.example/mcp"}}}"#,
        &["vscode | user | p | none | url | https://p.example"],
    ),
    (
        ".vscode/mcp.json",
        r#"{"servers": {"w": {"type": "stdio", "command": "${workspaceFolder}/tool.sh"}}}"#,
        &["vscode | project | w | none | command | ${workspaceFolder}/tool.sh"],
    ),
    (
        ".devcontainer/devcontainer.json",
        "{\"image\": \"x\", /* tools */ \"customizations\": {\"vscode\": {\"mcp\": {\"servers\": {\"d\": {\"command\": \"d-mcp\"}}}}}}",
        &["vscode | project | d | none | command | d-mcp"],
    ),
    (
        ".codeium/windsurf/mcp_config.json",
        r#"{"mcpServers": {"r": {"serverUrl": "https://r.example/mcp/hunter2"}, "x": {"command": "x", "disabled": true}}}"#,
        &["windsurf | user | r | none | url | https://r.example", "windsurf | user | x | none | command | x (off)"],
    ),
    (
        ".config/zed/settings.json",
        "// Zed settings\n{\n  \"theme\": \"One Dark\",\n  \"context_servers\": {\n    \"old-shape\": {\"command\": {\"path\": \"npx\", \"args\": [\"-y\", \"old-mcp\"], \"env\": {}}, \"settings\": {}},\n    \"new-shape\": {\"source\": \"custom\", \"enabled\": false, \"command\": \"deno\", \"args\": [\"run\", \"https://x.example/s.ts\"]},\n    \"extension\": {\"source\": \"extension\", \"settings\": {}},\n  },\n}\n",
        &[
            "zed | user | old-shape | none | npx | npx old-mcp",
            "zed | user | new-shape | none | command | deno (off)",
            "zed | user | extension | none | unknown | it has neither a command nor a URL",
        ],
    ),
    (
        ".zed/settings.json",
        r#"{"context_servers": {"z": {"command": "z"}}}"#,
        &["zed | project | z | none | command | z"],
    ),
    (".gemini-not/settings.json", r#"{"mcpServers": {"n": {"command": "n"}}}"#, &[]),
    (
        "opencode.json",
        r#"{"mcp": {"old": {"type": "local", "command": ["sh", "-c", "npx -y old"]}}}"#,
        &["opencode | project | old | none | npx | sh … npx"],
    ),
    (
        ".config/Code - Insiders/User/mcp.json",
        r#"{"servers": {"i": {"command": "i"}}}"#,
        &["vscode | user | i | none | command | i"],
    ),
    (
        ".codex/work.config.toml",
        "[mcp_servers.w]\ncommand = \"npx\"\nargs = [\"w-mcp\"]\n",
        &["codex | user | w | none | npx | npx w-mcp"],
    ),
    (
        ".vscode-server/data/Machine/mcp.json",
        r#"{"servers": {"m": {"command": "m"}}}"#,
        &["vscode | user | m | none | command | m"],
    ),
    (
        ".vscode-server-insiders/data/User/mcp.json",
        r#"{"servers": {"u": {"command": "u"}}}"#,
        &["vscode | user | u | none | command | u"],
    ),
    (
        ".config/VSCodium/User/mcp.json",
        r#"{"servers": {"f": {"command": "f"}}}"#,
        &["vscode | user | f | none | command | f"],
    ),
    (
        ".devcontainer.json",
        r#"{"customizations": {"vscode": {"mcp": {"servers": {"e": {"command": "e"}}}}}}"#,
        &["vscode | project | e | none | command | e"],
    ),
    (
        ".devcontainer/api/devcontainer.json",
        r#"{"customizations": {"vscode": {"mcp": {"servers": {"api": {"command": "api"}}}}}}"#,
        &["vscode | project | api | none | command | api"],
    ),
    (".var/app/dev.zed.Zed/config/zed/settings.json", "", &[]),
    (
        ".claude/agents/browser.md",
        "---\nname: browser\ndescription: Looks at pages\nmcpServers:\n  - github\n  - playwright:\n      type: stdio\n      command: npx\n      args: [\"-y\", \"@playwright/mcp@latest\"]\n---\n\nYou look at pages.\n",
        &["claude-code | user | playwright | none | npx | npx @playwright/mcp"],
    ),
    (
        "work/.claude/agents/team/data.md",
        "---\r\nname: data\r\ndescription: Use this: always\r\ntools: Read\r\n---\r\nWork.\r\n",
        &[],
    ),
    (
        ".codex/agents/review/deep.toml",
        "name = \"deep\"\ndescription = \"x\"\ndeveloper_instructions = \"y\"\n[mcp_servers.lint]\ncommand = \"uvx\"\nargs = [\"lint-mcp\"]\n",
        &["codex | user | lint | none | uvx | uvx lint-mcp"],
    ),
    (
        ".gemini/agents/help.md",
        "---\nname: help\ndescription: x\nmcp_servers:\n  docs:\n    http_url: https://docs.example/mcp\n  ship: {command: docker, args: [run, -i, ghcr.io/acme/ship]}\n---\nHelp.\n",
        &[
            "gemini | user | docs | none | url | https://docs.example",
            "gemini | user | ship | none | docker | docker run ghcr.io/acme/ship",
        ],
    ),
    (
        ".gemini/extensions/browser/agents/look.md",
        "---\nname: look\ndescription: x\nmcp_servers: {eye: {command: eye}}\n---\nLook.\n",
        &["gemini | user | eye | none | command | eye"],
    ),
    (
        ".opencode/opencode.jsonc",
        r#"{"mcp": {"home": {"type": "local", "command": ["home-mcp"]}}}"#,
        &["opencode | user | home | none | command | home-mcp"],
    ),
    (
        ".config/zed/global_settings.json",
        r#"{"linux": {"context_servers": {"l": {"command": "l"}}}, "profiles": {"Old": {"context_servers": {"o": {"command": "o"}}},
            "New": {"base": "user", "settings": {"context_servers": {"n": {"command": "n"}}}}}, "nightly": {"theme": "x"}}"#,
        &[
            "zed | user | l | none | command | l",
            "zed | user | o | none | command | o",
            "zed | user | n | none | command | n",
        ],
    ),
];

#[test]
fn every_client_is_read_as_it_writes() {
    for (file, text, expected) in FILES {
        let bed = TestBed::new();
        bed.write(file, text);
        let ran = bed.run("--json scan");
        assert_eq!(told(&ran), expected, "{file}: {ran}");
        assert!(!ran.raw.contains("hunter2") && !ran.stderr.contains("hunter2"), "{ran}");
        let human = bed.run("scan");
        assert!(!human.raw.contains("hunter2"), "{human}");
    }
}

#[test]
fn all_of_a_machine_in_one_picture() {
    let bed = bed();
    for (file, text, _) in FILES {
        bed.write(file, text);
    }
    bed.write("work/.mcp.json", r#"{"mcpServers": {"of-the-project": {"command": "node", "args": ["server.js"]}}}"#);
    let ran = bed.run("scan --dir work --dir .").exits(1);
    insta::assert_snapshot!("machine", ran.stdout);
}

/// A client's file with servers that are started by these lines of smcp.
pub(crate) fn cursor(servers: &[(&str, &str)]) -> String {
    let entries: serde_json::Map<String, Value> = servers
        .iter()
        .map(|(name, line)| {
            let words: Vec<&str> = line.split(' ').collect();
            ((*name).to_owned(), serde_json::json!({"command": words[0], "args": words[1..]}))
        })
        .collect();
    serde_json::json!({"mcpServers": entries}).to_string()
}

#[test]
fn what_a_client_has_built_in_counts_for_nothing() {
    let bed = bed();
    let text = "extensions:\n  developer: {type: builtin, name: developer, enabled: true}\n  x: {type: stdio, cmd: x, args: []}\n";
    bed.write(".config/goose/config.yaml", text);
    assert!(bed.run("scan").exits(1).stdout.contains("the only server is started past smcp"));
    bed.write(CURSOR, cursor(&[("y", "smcp run acme/good@1.0.0")]));
    assert!(bed.run("scan").exits(1).stdout.contains("1 of 2 servers is started past smcp"));
    bed.write(".config/goose/config.yaml", "extensions:\n  developer: {type: builtin, name: developer}\n");
    fs::remove_file(bed.path(CURSOR)).unwrap();
    assert!(bed.run("scan").succeeds().stdout.contains("no client starts a server"));
}

#[test]
fn no_name_steers_the_terminal() {
    let bed = bed();
    let name = "a\u{1b}[2J\u{202e}\n✓ all is well";
    let entry = serde_json::json!({"command": "npx\u{1b}]0;x\u{7}", "args": ["\n\u{9b}31m"], "env": {"K\u{1b}": "v"}});
    bed.write(CURSOR, serde_json::json!({"mcpServers": {name: entry, "n".repeat(5000): 5}}).to_string());
    for line in ["scan", "--json scan", "scan --format sarif"] {
        let ran = bed.run(line).exits(1);
        let bad = |it: char| it.is_control() && it != '\n' || ('\u{202a}'..='\u{202e}').contains(&it);
        assert!(!ran.raw.chars().any(bad), "{ran}");
        assert!(!ran.raw.lines().any(|line| line.trim_start().starts_with('✓')), "{ran}");
        assert!(line != "scan" || ran.raw.len() < 2000, "{ran}");
    }
}

#[test]
fn nothing_is_a_clean_result() {
    let bed = bed();
    bed.run("scan").succeeds().prints("✓ no client starts a server\n");
    bed.write(CURSOR, "");
    bed.write(".claude.json", "{\"mcpServers\": null}");
    bed.run("scan --client cursor --client claude-code").succeeds().prints("✓ no client starts a server\n");
    bed.write(CURSOR, cursor(&[("x", "npx x")]));
    bed.run("scan --client zed").succeeds();
    bed.run("scan --client cursor").exits(1);
}
