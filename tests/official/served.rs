//! `registry serve` in the words of the official registry's API, held against its published schemas.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::api::CERTIFICATION;
use crate::api::OF_REGISTRY;
use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::served_registry::Served;
use smcp_bed::Schema;

/// The published schema of one kind of answer.
fn schema(kind: &str) -> Schema {
    let text = std::fs::read_to_string(format!("{ROOT}/tests/official/openapi.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["$defs"][kind].is_object(), "{kind}");
    document["$ref"] = format!("#/$defs/{kind}").into();
    Schema::new(document)
}

/// Gets a document, which has the form that is published for its status.
#[track_caller]
fn get(served: &Served, path: &str, kind: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(&served.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let document = serde_json::from_str(body).unwrap();
    schema(if status == 200 { kind } else { "Error" }).accepts(&document);
    (status, document)
}

/// The status and the headers of an answer, in small letters.
fn head(served: &Served, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(&served.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://x.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().0.to_lowercase()
}

/// A registry of packages in several versions and states.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    let long = "ü".repeat(200);
    for (reference, status) in [
        ("acme/tool@1.0.0", "published"),
        ("acme/tool@1.1.0", "published"),
        ("acme/tool@1.2.0", "deprecated"),
        ("acme/tool@1.3.0", "revoked"),
        ("acme/nameless@1.0.0", "published"),
        ("acme_corp/tool@1.0.0", "published"),
        ("com.example/a.b_c-d@2026-01-01", "published"),
    ] {
        let described = |manifest: &mut Value| {
            manifest["package"]["description"] = match reference {
                "acme/nameless@1.0.0" => "".into(),
                "acme/tool@1.1.0" => long.as_str().into(),
                _ => "A tool\u{202e}\u{1b}[2J".into(),
            };
            manifest["package"]["repository"] = "https://github.com/acme/tool".into();
        };
        let package = Package::shell(reference, "true").manifest(described).facts("verified", 2, 85);
        bed.publish(&package.option("--findings", "0,1,2,3").option("--status", status));
    }
    bed
}

fn names(document: &Value) -> Vec<String> {
    let servers = document["servers"].as_array().unwrap().iter().map(|entry| &entry["server"]);
    servers
        .map(|server| format!("{}@{}", server["name"].as_str().unwrap(), server["version"].as_str().unwrap()))
        .collect()
}

#[test]
fn every_answer_has_the_published_form() {
    let bed = bed();
    let served = Served::start(&bed);
    let (status, all) = get(&served, "/v0.1/servers", "ServerList");
    let listed = [
        "acme/nameless@1.0.0",
        "acme/tool@1.2.0",
        "acme/tool@1.1.0",
        "acme/tool@1.0.0",
        "com.example/a.b_c-d@2026-01-01",
    ];
    assert_eq!((status, names(&all)), (200, listed.map(str::to_owned).to_vec()));
    assert_eq!(all["metadata"], json!({"count": 5}));
    let newest = &all["servers"][2];
    assert_eq!(newest["server"]["description"].as_str().unwrap().chars().count(), 100);
    assert_eq!(newest["_meta"][OF_REGISTRY], json!({"status": "active", "isLatest": true}));
    let certified = &newest["_meta"][CERTIFICATION];
    assert_eq!((&certified["level"], &certified["score"]), (&json!(2), &json!(85)));
    assert_eq!(certified["findings"], json!({"critical": 0, "high": 1, "medium": 2, "low": 3}));
    let entry: Value = serde_json::from_str(&bed.read("registry/packages/acme/tool/1.1.0.json")).unwrap();
    assert_eq!(certified["subject_digest"], entry["resolved"]["bundle"]["digest"]);
    assert!(all["servers"][0]["server"]["description"].as_str().unwrap().contains("acme/nameless"));
    assert_eq!(all["servers"][1]["_meta"][OF_REGISTRY], json!({"status": "deprecated", "isLatest": false}));
    assert!(!all.to_string().contains('\u{202e}'));

    for (path, expected) in [
        ("/v0.1/servers?version=latest", vec![listed[0], listed[2]]),
        ("/v0.1/servers?version=1.0.0", vec![listed[0], listed[3]]),
        ("/v0.1/servers?search=EXAMPLE", vec![listed[4]]),
        ("/v0.1/servers?search=nothing", vec![]),
        ("/v0.1/servers?search=acme%2Ftool&include_deleted=true&version=1.3.0", vec!["acme/tool@1.3.0"]),
        ("/v0.1/servers?updated_since=2026-01-01T00:00:00Z&search=tool&version=1.3.0", vec!["acme/tool@1.3.0"]),
        ("/v0.1/servers/acme%2Ftool/versions", vec![listed[1], listed[2], listed[3]]),
        (
            "/v0.1/servers/acme%2Ftool/versions?include_deleted=true",
            vec!["acme/tool@1.3.0", listed[1], listed[2], listed[3]],
        ),
    ] {
        let (status, document) = get(&served, path, "ServerList");
        assert_eq!((status, names(&document)), (200, expected.into_iter().map(str::to_owned).collect()), "{path}");
    }
    for (path, status, version) in [
        ("/v0.1/servers/acme%2Ftool/versions/latest", 200, "1.1.0"),
        ("/v0.1/servers/acme%2Ftool/versions/1.0.0", 200, "1.0.0"),
        ("/v0.1/servers/acme%2Ftool/versions/1.3.0?include_deleted=true", 200, "1.3.0"),
        ("/v0.1/servers/acme%2Ftool/versions/1.3.0", 404, ""),
        ("/v0.1/servers/acme%2Ftool/versions/9.9.9", 404, ""),
        ("/v0.1/servers/acme%2Fother/versions/latest", 404, ""),
        ("/v0.1/servers/acme%2Fother/versions", 404, ""),
        ("/v0.1/servers/acme_corp%2Ftool/versions", 404, ""),
        ("/v0.1/servers/acme_corp%2Ftool/versions/1.0.0", 404, ""),
        ("/v0.1/servers/..%2F..%2Fetc/versions", 400, ""),
        ("/v0.1/servers/acme/versions", 400, ""),
        ("/v0.1/servers?limit=0", 400, ""),
        ("/v0.1/servers?limit=x", 400, ""),
        ("/v0.1/servers?cursor=..%2F..", 400, ""),
        ("/v0.1/servers?limit=1&limit=2", 400, ""),
        ("/v0.1/publish", 404, ""),
    ] {
        let (found, document) = get(&served, path, "ServerResponse");
        assert_eq!(found, status, "{path}: {document}");
        assert_eq!(document["server"]["version"].as_str().unwrap_or_default(), version, "{path}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let bed = bed();
    let served = Served::start(&bed);
    for (path, says) in [
        ("acme%2Ftool/versions/9.0.0", "there is no version `9.0.0` of `acme/tool`; its list of versions says which"),
        ("acme%2Ftool/versions/1.3.0", "there is no version `1.3.0` of `acme/tool`"),
        ("acme%2Fother/versions/1.0.0", "there is no package `acme/other`"),
        ("acme_corp%2Ftool/versions/1.0.0", "there is no package `acme_corp/tool`"),
    ] {
        let (status, document) = get(&served, &format!("/v0.1/servers/{path}"), "ServerResponse");
        assert!(status == 404 && document["error"].as_str().unwrap().starts_with(says), "{path}: {document}");
    }
}

#[test]
fn pages_give_everything_once() {
    let bed = bed();
    let served = Served::start(&bed);
    let (_, all) = get(&served, "/v0.1/servers?include_deleted=true", "ServerList");
    for limit in 1..=7 {
        let (mut found, mut path) = (Vec::new(), format!("/v0.1/servers?include_deleted=true&limit={limit}"));
        loop {
            let (_, page) = get(&served, &path, "ServerList");
            assert!(names(&page).len() <= limit);
            found.extend(names(&page));
            let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { break };
            let cursor = cursor.replace('/', "%2F").replace('@', "%40");
            path = format!("/v0.1/servers?include_deleted=true&limit={limit}&cursor={cursor}");
        }
        assert_eq!(found, names(&all), "{limit}");
    }
}

#[test]
fn a_damaged_entry_does_no_harm_to_the_others() {
    let bed = bed();
    bed.write("registry/packages/acme/tool/1.2.0.json", "{");
    let mut served = Served::start(&bed);
    let (status, document) = get(&served, "/v0.1/servers/acme%2Fnameless/versions", "ServerList");
    assert_eq!((status, names(&document).len()), (200, 1));
    let (status, document) = get(&served, "/v0.1/servers", "ServerList");
    assert_eq!((status, names(&document).len()), (200, 2), "what its latest is, nobody can say: {document}");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut served.errors, &mut line).unwrap();
    assert!(line.contains("a server is not listed") && line.contains("1.2.0.json"), "{line}");
}

#[test]
fn smcp_lists_it_and_says_how_to_start_from_there() {
    let bed = bed();
    let served = Served::start(&bed);
    let url = format!("http://{}/v0.1", served.address);
    let listed = bed.run(&format!("--registry {url} --json registry list")).succeeds().document();
    assert_eq!(listed["packages"][1], json!({"package": "acme/tool", "latest_version": "1.1.0"}));
    bed.run(&format!("--registry {url} run acme/tool@1.0.0"))
        .exits(2)
        .says(&["it has no package", "its address without /v0.1 starts it"]);
    bed.run(&format!("--registry http://{} run acme/tool@1.0.0", served.address)).succeeds();
}

#[test]
fn pages_of_other_hosts_may_read_the_list_of_servers_and_nothing_else() {
    let bed = bed();
    let served = Served::start(&bed);
    let allows = [
        "\r\naccess-control-allow-origin: *",
        "\r\naccess-control-allow-methods: get, options",
        "\r\naccess-control-allow-headers: authorization, content-type",
    ];
    let version = "/v0.1/servers/acme%2Ftool/versions/1.0.0";
    for (method, path, status) in [
        ("GET", "/v0.1/servers", "200"),
        ("GET", "/v0.1/servers/acme%2Ftool/versions", "200"),
        ("GET", version, "200"),
        ("HEAD", version, "200"),
        ("GET", "/v0.1/servers/acme%2Fgone/versions", "404"),
        ("OPTIONS", "/v0.1/servers", "204"),
        ("OPTIONS", version, "204"),
    ] {
        let head = head(&served, method, path);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{method} {path}: {head}");
        assert!(allows.iter().all(|header| head.contains(header)), "{method} {path}: {head}");
    }
    for (method, path, status) in
        [("GET", "/v1/catalog", "200"), ("OPTIONS", "/v1/catalog", "405"), ("GET", "/healthz", "200")]
    {
        let head = head(&served, method, path);
        assert!(head.starts_with(&format!("http/1.1 {status}")) && !head.contains("access-control"), "{path}: {head}");
    }
}

#[test]
fn a_served_registry_is_a_catalogue_like_its_directory() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/good@1.0.0", "").facts("official", 2, 90));
    bed.publish(&Package::shell("acme_corp/low@1.1.0", "").facts("official", 2, 70));
    bed.publish(&Package::shell("acme/draft@1.0.0", "").facts("official", 2, 70).option("--status", "draft"));
    bed.write("old.yaml", "policy: {min_score: 60}\n");
    bed.write("new.yaml", "policy: {min_score: 80}\n");
    let served = Served::start(&bed);
    let diff =
        |catalogue: &str| bed.run(&format!("policy diff --from old.yaml --to new.yaml --catalog {catalogue} --json"));
    let here = diff("registry").succeeds().document();
    let there = diff(&format!("http://{}", served.address)).succeeds();
    assert_eq!((&there.document()["changes"], &there.document()["summary"]), (&here["changes"], &here["summary"]));
    assert_eq!((&here["summary"]["packages"], here["changes"].as_array().unwrap().len()), (&json!(2), 1));
    there.says(&["1 package of the registry has no published version, and is left out"]);
    // In the words of the official API it offers nothing that a start could use.
    diff(&format!("http://{}/v0.1", served.address)).exits(2).says(&["no MCP bundle that smcp could run"]);
    drop(served);
}
