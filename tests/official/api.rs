//! The published API, and what it is about: servers, versions, files.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use smcp_bed::zip;
use smcp_model::digest::Digest;

pub(crate) const NAME: &str = "io.github.acme/tool";
pub(crate) const REFERENCE: &str = "io.github.acme/tool@1.0.0";
/// The registry's words, in an answer.
pub(crate) const OF_REGISTRY: &str = "io.modelcontextprotocol.registry/official";
/// What somebody has certified.
pub(crate) const CERTIFICATION: &str = "info.mcp-hub/certification";
/// Where the file of the good version lies.
pub(crate) const FILE: &str = "/files/tool.mcpb";
/// The most entries on a page.
const PAGE: usize = 100;

/// The manifest of an MCP bundle whose server leaves a mark when it starts.
pub(crate) fn manifest() -> Value {
    json!({
        "manifest_version": "0.3", "name": "tool", "version": "0.9.0", "description": "A tool", "author": {"name": "Acme"},
        "server": {"type": "binary", "entry_point": "run", "mcp_config": {"command": "${__dirname}/run", "args": []}},
    })
}

/// An MCP bundle with that manifest, changed.
pub(crate) fn bundle(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut manifest = manifest();
    change(&mut manifest);
    let script = "#!/bin/sh\necho \"$0 $*\" > \"$HOME/started\"\ncat data/text > \"$HOME/text\"\n";
    zip(&[("manifest.json", &manifest.to_string(), 0o644), ("run", script, 0o755), ("data/text", "text", 0o644)])
}

/// A package of the type `mcpb`.
pub(crate) fn mcpb(url: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes).hex();
    json!({"registryType": "mcpb", "identifier": url, "fileSha256": digest, "transport": {"type": "stdio"}})
}

/// A version, as a registry describes it.
pub(crate) fn entry(name: &str, version: &str, packages: &Value) -> Value {
    json!({
        "server": {
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": name, "description": "A tool", "version": version, "packages": packages,
        },
        "_meta": {OF_REGISTRY: {
            "status": "active", "publishedAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "isLatest": true,
        }},
    })
}

/// A registry: entries in the order of publishing, and files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Api {
    pub(crate) entries: Vec<Value>,
    pub(crate) files: HashMap<String, Vec<u8>>,
}

impl Api {
    /// With one good version, whose file lies in the registry itself.
    pub(crate) fn good(base: &str) -> Self {
        Self::of(base, "1.0.0", bundle(|_| ()))
    }

    /// With one version whose file is this.
    pub(crate) fn of(base: &str, version: &str, bytes: Vec<u8>) -> Self {
        let packages = json!([mcpb(&format!("{base}{FILE}"), &bytes)]);
        Self { entries: vec![entry(NAME, version, &packages)], files: HashMap::from([(FILE.to_owned(), bytes)]) }
    }

    /// The script of a server that answers as the API says.
    pub(crate) fn script(self) -> Script {
        Script::otherwise(move |path| self.answer(path))
    }

    fn answer(&self, path: &str) -> Option<Reply> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query: HashMap<&str, String> = pairs.map(|(name, value)| (name, decoded(value))).collect();
        if let Some(bytes) = self.files.get(path) {
            return Some(Reply::ok(bytes));
        }
        let shown = |entry: &&Value| {
            let is_deleted = entry["_meta"][OF_REGISTRY]["status"] == "deleted";
            !is_deleted || query.get("include_deleted").is_some_and(|value| value == "true")
        };
        let parts: Vec<&str> = path.strip_prefix("/v0.1/servers")?.split('/').skip(1).collect();
        let json = |value: Value| Reply::with(200, &[("content-type", "application/json")], value.to_string());
        match parts.as_slice() {
            [] => {
                let latest = query.get("version").is_some_and(|version| version == "latest");
                let fits = |entry: &&Value| !latest || entry["_meta"][OF_REGISTRY]["isLatest"] == true;
                let all: Vec<&Value> = self.entries.iter().filter(shown).filter(fits).collect();
                Some(json(page(&all, &query)))
            }
            [name, "versions"] => {
                let name = decoded(name);
                let all: Vec<&Value> = self.entries.iter().filter(|entry| entry["server"]["name"] == name).collect();
                if all.is_empty() {
                    return Some(Reply::with(404, &[], json!({"error": "Server not found"}).to_string()));
                }
                let all: Vec<&Value> = all.into_iter().filter(shown).rev().collect();
                Some(json(page(&all, &query)))
            }
            [name, "versions", version] => {
                let (name, version) = (decoded(name), decoded(version));
                let same = |entry: &&Value| entry["server"]["name"] == name && entry["server"]["version"] == version;
                Some(json(self.entries.iter().filter(shown).find(same)?.clone()))
            }
            _ => None,
        }
    }
}

/// A page of a list: the cursor is the number of its first entry, and looks like no number.
fn page(all: &[&Value], query: &HashMap<&str, String>) -> Value {
    let start = query.get("cursor").map_or(0, |cursor| cursor.trim_start_matches("at:&=").parse().unwrap());
    let limit = query.get("limit").map_or(30, |limit| limit.parse().unwrap()).min(PAGE);
    let servers: Vec<&Value> = all.iter().skip(start).take(limit).copied().collect();
    let next = start + servers.len();
    let mut metadata = json!({"count": servers.len()});
    if next < all.len() {
        metadata["nextCursor"] = format!("at:&={next}").into();
    }
    json!({"servers": servers, "metadata": metadata})
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap(), rest.next().unwrap()];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// Starts a registry; `make` gets its address.
pub(crate) fn start(make: impl FnOnce(&str) -> Api) -> Server {
    Server::start_with(|address| make(&format!("http://{address}")).script())
}

/// Runs a command with the registry.
pub(crate) fn run(bed: &TestBed, server: &Server, line: &str) -> Ran {
    bed.run(&format!("--registry {}/v0.1 {line}", server.url()))
}

/// The paths that the registry was asked for.
pub(crate) fn paths(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}
