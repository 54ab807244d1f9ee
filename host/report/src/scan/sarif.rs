//! What `scan` has found as SARIF 2.1.0.
//!
//! A rule is a way past smcp. What is `error` there makes the command fail, `warning` does not.

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::sarif;
use smcp_model::digest::Digest;
use smcp_model::scan::MachineScan;
use smcp_model::scan::ScannedFile;
use smcp_model::scan::ScannedServer;
use smcp_model::scan::StartWay;
use smcp_model::text::SafeText;

/// A thing to report, before its rule has a number.
struct ScanResult<'s> {
    rule: String,
    /// What the rule means.
    meaning: String,
    level: &'static str,
    text: String,
    file: &'s ScannedFile,
    server: Option<&'s ScannedServer>,
}

/// Returns the log. Files below `root` are named relative to it, as those of the sources are.
pub fn log(scan: &MachineScan, root: &Path, exit_code: u8) -> Value {
    let found: Vec<_> = scan.files.iter().flat_map(|file| of_file(scan, file)).collect();
    let (mut rules, mut results): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for it in &found {
        let known = rules.iter().position(|rule| rule.get("id").and_then(Value::as_str) == Some(&it.rule));
        let index = known.unwrap_or(rules.len());
        if known.is_none() {
            rules.push(json!({
                "id": it.rule,
                "shortDescription": {"text": it.meaning},
                "fullDescription": {"text": it.meaning},
                "help": {"text": "`smcp scan --wrap` puts servers behind smcp; docs/clients.md says how."},
                "properties": {"code": it.rule},
            }));
        }
        results.push(it.result(index, root));
    }
    sarif::run(&rules, &results, json!({"id": "smcp/scan/"}), exit_code, true, &[])
}

fn of_file<'s>(scan: &MachineScan, file: &'s ScannedFile) -> Vec<ScanResult<'s>> {
    let mut found = Vec::new();
    if let Some(problem) = &file.problem {
        found.push(ScanResult {
            rule: "unreadable-file".to_owned(),
            meaning: "A client's file can't be read, so what the client starts is not known.".to_owned(),
            level: "error",
            text: format!("this file of {} can't be read: {problem}", file.client_name),
            file,
            server: None,
        });
    }
    if !file.exposure.is_empty() {
        let exposed: Vec<&str> = file.exposure.iter().map(SafeText::as_str).collect();
        found.push(ScanResult {
            rule: "exposed-file".to_owned(),
            meaning: "Others may change a client's file, and with it what the client starts.".to_owned(),
            level: "warning",
            text: exposed.join("; "),
            file,
            server: None,
        });
    }
    for server in &file.servers {
        let level = if scan.fails(server) { "error" } else { "warning" };
        let (rule, meaning, how) = match &server.way {
            StartWay::Past { kind, what, fetches, .. } if server.is_ungated() => {
                let kind = kind.as_str();
                let fetches = if *fetches { ", which fetches what it runs at every start" } else { "" };
                let meaning = format!("A client starts a server past smcp ({kind}).");
                (format!("past-smcp/{kind}"), meaning, format!("past smcp: {what}{fetches}"))
            }
            StartWay::Gated { package, .. } if server.is_unpinned() => {
                let meaning = "A client starts whatever version of a package is newest.".to_owned();
                ("unpinned".to_owned(), meaning, format!("through smcp in its newest version: {package}"))
            }
            StartWay::Past { .. } | StartWay::Gated { .. } => continue,
        };
        let text = format!("{} starts the server \"{}\" {how}", file.client_name, server.name);
        found.push(ScanResult { rule, meaning, level, text, file, server: Some(server) });
    }
    found
}

impl ScanResult<'_> {
    fn result(&self, index: usize, root: &Path) -> Value {
        let path = Path::new(&self.file.path);
        let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        let name = self.server.map_or("", |server| server.name.as_str());
        let project = self.server.and_then(|server| server.project.as_ref()).map_or("", |project| project.as_str());
        let line = self.server.map_or(1, |server| server.line.max(1));
        let scope = self.server.map_or(self.file.scope, |server| server.scope(self.file.scope));
        let key = [self.rule.as_str(), &self.file.client, &path, project, name].join("\n");
        let (name, kind) =
            self.server.map_or((self.file.client_name, "module"), |server| (server.name.as_str(), "member"));
        let whole = format!("{}/{name}", self.file.client);
        let location = json!({
            "physicalLocation": {"artifactLocation": sarif::artifact(&path), "region": {"startLine": line}},
            "logicalLocations": [{"name": name, "fullyQualifiedName": whole, "kind": kind}],
        });
        json!({
            "ruleId": self.rule,
            "ruleIndex": index,
            "level": self.level,
            "message": {"text": sarif::plain(&self.text)},
            "locations": [location],
            "partialFingerprints": {"smcpScan/v1": Digest::of(key.as_bytes()).hex()},
            "properties": {"client": self.file.client, "scope": scope},
        })
    }
}
