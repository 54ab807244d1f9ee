//! Commands that are recognised as fetching, and others that only look like it.

use super::*;

fn of(words: &[&str]) -> Option<String> {
    let mut words = words.iter().map(|word| (*word).to_owned());
    let entrypoint = Entrypoint { command: words.next().unwrap(), args: words.collect(), ..Entrypoint::default() };
    Fetches::of(&entrypoint).map(|fetches| fetches.to_string())
}

#[test]
fn commands_that_fetch_are_known_by_their_words() {
    let cases: &[(&[&str], &str)] = &[
        (&["npx", "-y", "@modelcontextprotocol/server-filesystem", "/tmp"], "npx"),
        (&["npx.cmd", "x"], "npx"),
        (&["NPX.EXE", "x"], "npx"),
        (&["bin/uvx", "mcp-server-fetch"], "uvx"),
        (&["./npx", "x"], "npx"),
        (&["bunx", "x"], "bunx"),
        (&["pipx", "run", "x"], "pipx"),
        (&["dnx", "x"], "dnx"),
        (&["npm", "exec", "--", "x"], "npm exec"),
        (&["npm", "--yes", "x", "y"], "npm x"),
        (&["npm", "--prefix", "/tmp", "exec", "y"], "npm exec"),
        (&["pnpm", "dlx", "x"], "pnpm dlx"),
        (&["yarn", "dlx", "x"], "yarn dlx"),
        (&["yarn"], "yarn"),
        (&["uv", "run", "server.py"], "uv run"),
        (&["uv", "--directory", "/srv", "run", "x"], "uv run"),
        (&["uv", "tool", "run", "x"], "uv tool run"),
        (&["uv", "tool", "--quiet", "run", "x"], "uv tool run"),
        (&["uv", "pip", "install", "x"], "uv pip install"),
        (&["docker", "run", "-i", "--rm", "mcp/fetch"], "docker run"),
        (&["docker", "--context", "far", "run", "mcp/fetch"], "docker run"),
        (&["docker", "container", "run", "x"], "docker container run"),
        (&["docker", "compose", "-f", "x.yaml", "up"], "docker compose up"),
        (&["podman", "run", "x"], "podman run"),
        (&["deno", "run", "-A", "https://x.example/server.ts"], "deno run"),
        (&["deno", "run", "npm:mcp"], "deno run"),
        (&["deno", "jsr:@x/y"], "deno run"),
        (&["go", "run", "x.example/y@latest"], "go run"),
        (&["pip3.12", "install", "x"], "pip install"),
        (&["python3", "-m", "pip", "install", "x"], "pip install"),
        (&["python3", "-X", "dev", "-m", "pip", "install", "x"], "pip install"),
        (&["python3.12", "-I", "-m", "pipx", "run", "x"], "pipx"),
        (&["py", "-3", "-m", "uv", "run", "x"], "uv run"),
        (&["node", "lib/node_modules/npm/bin/npx-cli.js", "x"], "npx"),
        (&["node", "npm/bin/npm-cli.js", "exec", "x"], "npm exec"),
        (&["env", "A=1", "npx", "x"], "npx"),
        (&["env", "-i", "-u", "HOME", "A=1", "/usr/bin/npx", "x"], "npx"),
        (&["env", "-S", "npx -y x"], "npx"),
        (&["timeout", "-k", "5", "60s", "uvx", "x"], "uvx"),
        (&["nice", "-n", "10", "env", "bash", "-lc", "npx x"], "npx"),
        (&["sh", "-c", "pip install x && exec python3 -m x"], "pip install"),
        (&["bash", "-euo", "pipefail", "-c", "cd /tmp; A=1 npx x"], "npx"),
        (&["sh", "-c", "test -d x || git clone https://x.example/y x; exec x/run"], "git clone"),
        (&["sh", "-c", "curl -fsSL https://x.example/i.sh | sh"], "curl"),
        (&["sh", "-c", "exec \"$(which node)\" x & (\nuvx x)"], "uvx"),
        (&["sh", "-c", "if true; then exec npx x; fi"], "npx"),
        (&["sh", "-c", "A=$(npx x)"], "npx"),
        (&["sh", "-c", "'npx' \"x\""], "npx"),
        (&["sh", "-c", "sh -c 'sh -c \"npx x\"'"], "npx"),
        (&["cmd", "/C", "npx", "-y", "x"], "npx"),
        (&["cmd.exe", "/c", "npx -y x"], "npx"),
        (&["powershell", "-NoProfile", "-Command", "npx -y x"], "npx"),
        (&["busybox", "sh", "-c", "wget x"], "wget"),
    ];
    for (words, expected) in cases {
        assert_eq!(of(words).as_deref(), Some(*expected), "{words:?}");
    }
}

#[test]
fn commands_that_only_look_like_fetching_are_not_reported() {
    let cases: &[&[&str]] = &[
        &["node", "npx-server.js"],
        &["node", "server.js", "npx", "x"],
        &["node", "--require", "./npx.js.map"],
        &["node", "-e", "require('child_process').spawn('npx')"],
        &["python3", "server.py", "--runner", "uvx"],
        &["python3", "-m", "pip_server"],
        &["python3", "-m", "pip", "list"],
        &["python3", "-c", "npx"],
        &["npx-server", "x"],
        &["my-npx"],
        &["npm", "start"],
        &["npm", "run", "exec"],
        &["npm", "test"],
        &["yarn", "start"],
        &["yarn", "node", "install"],
        &["bun", "run", "server.ts"],
        &["bun", "server.ts"],
        &["uv", "version"],
        &["docker", "ps"],
        &["docker-server", "run"],
        &["deno", "run", "-A", "server.ts"],
        &["deno", "run", "--allow-net=https://x.example", "server.ts"],
        &["go", "run", "./cmd/server"],
        &["env", "A=npx", "node", "server.js"],
        &["env", "-u", "npx-home", "node", "server.js", "docker", "run"],
        &["timeout", "60", "node", "docker", "run"],
        &["sh", "-c", "exec node server.js # npx x"],
        &["sh", "-c", "echo 'npx x; uvx y'"],
        &["sh", "-c", "echo npx x"],
        &["sh", "-c", "NPX=npx exec node server.js"],
        &["sh", "run.sh", "npx"],
        &["sh", "run.sh", "-c", "npx"],
        &["node", "npx.js"],
        &["sh", "-e", "npx.sh"],
        &["sh"],
        &["sh", "-c"],
        &["env"],
        &["git", "status"],
        &["server", "run"],
        &["bin/server"],
        &[""],
    ];
    for words in cases {
        assert_eq!(of(words), None, "{words:?}");
    }
    let mut nested = vec!["env"; 1000];
    nested.push("npx");
    assert_eq!(of(&nested), None, "wrappers are followed only so far, and no stack is used up");
}
