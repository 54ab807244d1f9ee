//! Tables of manifests: what is read, what is refused, and which facts count.

use serde_json::Value;
use serde_json::json;

use super::*;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::SeverityCounts;
use smcp_model::manifest::Transport;

const LINUX: Platform = Platform { os: "linux", arch: "amd64" };

fn client() -> Value {
    json!({
        "schema_version": "1.0",
        "package": { "id": "acme/tool", "version": "1.0.0", "git_sha": "abc1234" },
        "bundle": { "digest": format!("sha256:{}", "a".repeat(64)), "size_bytes": 10 },
        "transport": { "type": "stdio" },
        "entrypoints": [
            { "os": "linux", "arch": "amd64", "command": "bin/server", "args": ["--x"] },
            { "os": "darwin", "arch": "arm64", "command": "bin/mac", "args": null },
        ],
        "permissions_requested": {
            "network": ["*.example.com", "*"], "environment": ["TOKEN"], "subprocess": true,
            "filesystem": ["/w"], "filesystem_read": ["/r"],
        },
    })
}

fn hub() -> Value {
    json!({
        "schema_version": 1,
        "package": { "id": "acme/tool", "version": "1.0.0", "keywords": ["x"] },
        "runtime": { "type": "node", "platform": { "os": "windows", "arch": "amd64" } },
        "entrypoint": { "command": ["node", "index.js"], "args": ["-v"], "env": { "A": "1" }, "workdir": "app" },
        "permissions": {
            "network": { "outbound": ["api.example.com"], "inbound": true },
            "filesystem": { "read": ["/r"], "write": ["/w"], "execute": ["/x"] }, "env_vars": ["TOKEN"],
        },
        "resources": { "memory_mb": 64 },
        "certification": { "score": 90 },
        "something_new": {},
    })
}

/// Sets the value at `path` (keys and indices with dots); `null` removes the key.
fn with(mut document: Value, path: &str, value: Value) -> Value {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = &mut document;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        place = match part.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[part],
        };
    }
    let object = place.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(last);
    } else {
        object.insert(last.to_owned(), value);
    }
    document
}

fn read_value(document: &Value) -> Result<Read, ManifestError> {
    read(document.to_string().as_bytes(), LINUX)
}

#[test]
fn the_client_format_is_read() {
    let found = read_value(&client()).unwrap();
    assert_eq!(found.certification, None);
    assert_eq!(found.identity.git_sha.as_deref(), Some("abc1234"));
    assert_eq!(found.identity.bundle_size, Some(10));
    let manifest = found.manifest;
    assert_eq!((manifest.transport, manifest.text), (Transport::Stdio, client().to_string()));
    assert_eq!(
        (manifest.entrypoint.command.as_str(), manifest.entrypoint.args),
        ("bin/server", vec!["--x".to_owned()])
    );
    let permissions = manifest.permissions.unwrap();
    assert_eq!(permissions.network, ["*.example.com", "*"]);
    assert_eq!(permissions.filesystem_read, ["/w", "/r"]);
    assert_eq!(permissions.filesystem_write, ["/w"]);
    assert_eq!(permissions.environment, ["TOKEN"]);
    assert!(permissions.subprocess);
}

#[test]
fn the_client_format_never_has_a_score() {
    let found = read_value(&with(client(), "certification", json!({ "score": 100 }))).unwrap();
    assert_eq!(found.certification, None);
}

#[test]
fn the_hub_format_is_read() {
    let found = read_value(&hub()).unwrap();
    assert_eq!(found.certification, Some(json!({ "score": 90 })));
    let (entrypoint, permissions) = (found.manifest.entrypoint, found.manifest.permissions.unwrap());
    assert_eq!((entrypoint.command.as_str(), entrypoint.args), ("node", vec!["index.js".to_owned(), "-v".to_owned()]));
    assert_eq!(entrypoint.env.into_iter().collect::<Vec<_>>(), [("A".to_owned(), "1".to_owned())]);
    assert_eq!(entrypoint.workdir.as_deref(), Some("app"));
    assert_eq!(
        (permissions.network, permissions.environment),
        (vec!["api.example.com".to_owned()], vec!["TOKEN".to_owned()])
    );
    assert_eq!(
        (permissions.filesystem_read, permissions.filesystem_write),
        (vec!["/r".to_owned()], vec!["/w".to_owned()])
    );
    assert!(permissions.subprocess);
}

#[test]
fn a_client_manifest_that_is_not_one_is_refused() {
    let cases = [
        ("schema_version", Value::Null, "schema_version"),
        ("schema_version", json!(true), "schema_version"),
        ("package.id", json!("invalid"), "`package.id`"),
        ("package.id", json!("../x/y"), "`package.id`"),
        ("package.version", Value::Null, "version"),
        ("package.version", json!("../1"), "`package.version`"),
        ("bundle", Value::Null, "`bundle.digest` is missing"),
        ("bundle.digest", json!("invalid"), "`bundle.digest`"),
        ("bundle.digest", json!("sha256:../../x"), "`bundle.digest`"),
        ("bundle.size_bytes", json!(0), "`bundle.size_bytes`"),
        ("bundle.size_bytes", json!(-1), "invalid value"),
        ("transport", Value::Null, "transport"),
        ("transport.type", json!("invalid"), "`transport.type` is `invalid`"),
        ("transport.type", json!("http"), "`transport.port`"),
        ("entrypoints", json!([]), "`entrypoints` is empty"),
        ("entrypoints", Value::Null, "entrypoints"),
        ("entrypoints.1.os", json!("plan9"), "`entrypoints.os` is `plan9`"),
        ("entrypoints.1.arch", json!("mips"), "`entrypoints.arch` is `mips`"),
        ("entrypoints.0.command", json!(" "), "`entrypoints.command` is empty"),
        ("entrypoints.0.command", json!("/bin/sh"), "leads out of the bundle"),
        ("entrypoints.0.command", json!("a/../../b"), "leads out of the bundle"),
        ("entrypoints.0.command", json!(["a"]), "invalid type"),
        ("entrypoints.0.args", json!(["a\0"]), "NUL"),
        ("entrypoints.1.os", json!("linux"), ""),
        ("permissions_requested.subprocess", json!("yes"), "invalid type"),
    ];
    for (path, value, problem) in cases {
        let document = with(client(), path, value.clone());
        match (read_value(&document), problem) {
            (Ok(_), "") => {}
            (Err(error), problem) if !problem.is_empty() => {
                assert!(error.to_string().contains(problem), "{path} = {value}: {error}");
            }
            (result, _) => panic!("{path} = {value}: {result:?}"),
        }
    }
    for text in ["", "null", "[]", "{}", "not json", r#"{"schema_version":1,"schema_version":1}"#] {
        assert!(read(text.as_bytes(), LINUX).is_err(), "{text}");
    }
}

#[test]
fn a_hub_manifest_that_is_not_one_is_refused() {
    let cases = [
        ("schema_version", json!("one"), "schema_version"),
        ("package", Value::Null, "package"),
        ("entrypoint", Value::Null, "entrypoint"),
        ("entrypoint.command", json!([]), "`entrypoint.command` is empty"),
        ("entrypoint.command", json!([""]), "`entrypoint.command` is empty"),
        ("entrypoint.command", json!("node index.js"), "invalid type"),
        ("entrypoint.command", json!(["/usr/bin/node"]), "leads out of the bundle"),
        ("entrypoint.command", json!(["../node"]), "leads out of the bundle"),
        ("entrypoint.args", json!([1]), "invalid type"),
        ("entrypoint.env", json!({ "A=B": "1" }), "no name of a variable"),
        ("entrypoint.env", json!({ "": "1" }), "no name of a variable"),
        ("entrypoint.env", json!({ "A": 1 }), "invalid type"),
        ("entrypoint.env", json!({ "A": "\0" }), "NUL"),
        ("entrypoint.env", json!({ "NODE_OPTIONS": "--require /tmp/x.js" }), "sets `NODE_OPTIONS`"),
        ("entrypoint.env", json!({ "PYTHONPATH": "lib:../x" }), "sets `PYTHONPATH`"),
        ("variables", json!({ "NODE_OPTIONS": { "default": "--require /tmp/x.js" } }), "a default for `NODE_OPTIONS`"),
        ("entrypoint.workdir", json!("/etc"), "leads out of the bundle"),
        ("entrypoint.workdir", json!("a/.."), "leads out of the bundle"),
        ("permissions.env_vars", json!("TOKEN"), "invalid type"),
        ("bundle", json!({ "digest": "x" }), "`bundle.digest`"),
    ];
    for (path, value, problem) in cases {
        let error = read_value(&with(hub(), path, value.clone())).unwrap_err();
        assert!(error.to_string().contains(problem), "{path} = {value}: {error}");
    }
}

#[test]
fn a_duplicate_key_is_refused_wherever_it_stands() {
    let text = hub().to_string().replace(r#""score":90"#, r#""score":10,"score":90"#);
    let error = read(text.as_bytes(), LINUX).unwrap_err();
    assert!(error.to_string().contains("the key `score` stands twice"), "{error}");
}

#[test]
fn the_platform_has_to_fit_exactly_in_the_client_format() {
    let darwin = Platform { os: "darwin", arch: "arm64" };
    let text = client().to_string();
    assert_eq!(read(text.as_bytes(), darwin).unwrap().manifest.entrypoint.command, "bin/mac");
    let error = read(text.as_bytes(), Platform { os: "linux", arch: "arm64" }).unwrap_err();
    let expected = ManifestError::NoEntrypoint {
        platform: "linux/arm64".to_owned(),
        available: "linux/amd64, darwin/arm64".to_owned(),
    };
    assert_eq!(error, expected);
    assert!(read(hub().to_string().as_bytes(), darwin).is_ok());
    let twice = with(with(client(), "entrypoints.1.os", json!("linux")), "entrypoints.1.arch", json!("amd64"));
    assert!(read_value(&twice).unwrap_err().to_string().contains("more than one for linux/amd64"));
}

#[test]
fn facts_are_believed_or_unknown_but_never_bent() {
    let resolved = Facts { cert_level: CertLevel::new(2_u8), ..Facts::default() };
    // block, level, score, number of doubts
    let cases = [
        (json!(null), Some(2), None, 0),
        (json!({}), Some(2), None, 0),
        (json!({ "score": 80 }), Some(2), Some(80), 0),
        (json!({ "score": 0 }), Some(2), Some(0), 0),
        (json!({ "score": null, "level": null }), Some(2), None, 0),
        (json!({ "score": 101 }), Some(2), None, 1),
        (json!({ "score": -10 }), Some(2), None, 1),
        (json!({ "score": 72.5 }), Some(2), None, 1),
        (json!({ "score": 80.0 }), Some(2), None, 1),
        (json!({ "score": "80" }), Some(2), None, 1),
        (json!({ "score": true, "security_score": 300 }), Some(2), None, 2),
        (json!({ "level": 2, "score": 80 }), Some(2), Some(80), 0),
        (json!({ "level": 3, "score": 80 }), None, Some(80), 1),
        (json!({ "level": 1 }), None, None, 1),
        (json!({ "level": 100 }), None, None, 1),
        (json!({ "level": "2" }), None, None, 1),
        (json!([80]), None, None, 1),
        (json!("certified"), None, None, 1),
    ];
    for (block, level, score, doubts) in cases {
        let facts = believe(Some(&block), resolved.clone());
        let found = (facts.cert_level.map(CertLevel::get), facts.score.map(smcp_model::facts::Score::get));
        assert_eq!((found, facts.doubts.len()), ((level, score), doubts), "{block}: {:?}", facts.doubts);
    }
    let alone = believe(Some(&json!({ "level": 3 })), Facts::default());
    assert_eq!((alone.cert_level, alone.doubts.len()), (None, 1));
}

#[test]
fn findings_add_up_or_are_unknown() {
    let counts = |critical, high, medium, low| Some(SeverityCounts { critical, high, medium, low });
    let cases = [
        (json!(null), None, 0),
        (json!({ "total": 10, "critical": 1, "high": 2, "medium": 3, "low": 4 }), counts(1, 2, 3, 4), 0),
        (json!({ "critical": 1, "high": 2, "medium": 3, "low": 4 }), counts(1, 2, 3, 4), 0),
        (json!({ "total": 3, "high": 3 }), counts(0, 3, 0, 0), 0),
        (json!({ "total": 0 }), counts(0, 0, 0, 0), 0),
        (json!({ "total": 9, "critical": 1, "high": 2, "medium": 3, "low": 4 }), None, 1),
        (json!({ "total": 4, "high": 3 }), None, 1),
        (json!({ "high": 3 }), None, 1),
        (json!({}), None, 1),
        (json!({ "total": 1, "high": "1" }), None, 1),
        (json!({ "total": -1, "high": -1 }), None, 1),
        (json!({ "total": 4_294_967_296_u64, "high": 4_294_967_296_u64 }), None, 1),
        (json!([1, 2, 3, 4]), None, 1),
    ];
    for (findings, expected, doubts) in cases {
        let facts = believe(Some(&json!({ "findings": findings })), Facts::default());
        assert_eq!((facts.findings, facts.doubts.len()), (expected, doubts), "{findings}: {:?}", facts.doubts);
    }
}
