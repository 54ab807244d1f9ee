//! What runs from a registry of the official kind, and what policies are told of it.

use serde_json::json;

use crate::api::Api;
use crate::api::CERTIFICATION;
use crate::api::FILE;
use crate::api::NAME;
use crate::api::OF_REGISTRY;
use crate::api::REFERENCE;
use crate::api::bundle;
use crate::api::entry;
use crate::api::mcpb;
use crate::api::paths;
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::server::Server;
use smcp_model::digest::Digest;

#[test]
fn a_bundle_runs_and_is_not_downloaded_again() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
    assert!(bed.read("started").starts_with("./run"), "{}", bed.read("started"));
    assert_eq!(bed.read("text"), "text", "it starts where the bundle's files are");
    let version = "/v0.1/servers/io.github.acme%2Ftool/versions/1.0.0?include_deleted=true";
    assert_eq!(paths(&server), [version, FILE]);
    for request in server.requests() {
        assert_eq!(request.headers.get("authorization"), None);
    }
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
    assert_eq!(paths(&server)[2..], [version]);
    assert_eq!(bed.list(".mcp/cache/blobs").len(), 1, "its manifest is in it");
    assert_eq!(bed.list(".mcp/cache/trees").iter().filter(|name| !name.contains('.')).count(), 1);
}

#[test]
fn the_cache_knows_it_as_any_package() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
    let kinds = |bed: &TestBed| -> Vec<String> {
        let document = bed.run("--json cache ls").succeeds().document();
        let mut kinds: Vec<_> =
            document["entries"].as_array().unwrap().iter().map(|it| it["kind"].to_string()).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&bed), ["\"bundle\"", "\"tree\""]);
    bed.run("cache gc").succeeds();
    assert_eq!(kinds(&bed).len(), 2, "what a kept answer names stays");
    assert_eq!(bed.list(".mcp/cache/resolutions").len(), 1);
    bed.run(&format!("cache rm {REFERENCE}")).succeeds();
    assert_eq!(kinds(&bed), [""; 0]);
    run(&bed, &server, &format!("pull {REFERENCE}")).succeeds();
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
}

#[test]
fn a_server_of_python_starts_in_its_bundle() {
    let manifest = json!({
        "manifest_version": "0.4", "name": "tool", "version": "1", "description": "A tool", "author": {"name": "Acme"},
        "server": {
            "type": "python", "entry_point": "server/main.py",
            "mcp_config": {
                "command": "python", "args": ["${__dirname}/server/main.py"], "env": {"PYTHONPATH": "${__dirname}/lib"},
            },
        },
    });
    let script = "import os, helper\nopen(os.environ['HOME'] + '/started', 'w').write(helper.WORD)\n";
    let bytes = smcp_bed::zip(&[
        ("manifest.json", &manifest.to_string(), 0o644),
        ("server/main.py", script, 0o644),
        ("lib/helper.py", "WORD = 'from its own library'\n", 0o644),
    ]);
    let (bed, server) = (TestBed::new(), start(|base| Api::of(base, "1.0.0", bytes)));
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
    assert_eq!(bed.read("started"), "from its own library");
}

#[test]
fn it_runs_offline_ever_after() {
    let bed = TestBed::new();
    let url = {
        let server = start(Api::good);
        run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
        server.url()
    };
    // Nobody listens there: the port belongs to nobody any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let kept = bed.list(".mcp/cache/resolutions");
    let folder = format!(".mcp/cache/resolutions/{}", kept[0]);
    let name = &bed.list(&folder)[0];
    let document = bed.read(&format!("{folder}/{name}")).replace(&url, &format!("http://{gone}"));
    let id = format!("official\0{NAME}\0http://{gone}/v0.1");
    bed.write(&format!(".mcp/cache/resolutions/{}/{name}", Digest::of(id.as_bytes()).hex()), document);
    std::fs::remove_file(bed.path("started")).unwrap();
    let line = format!("--registry http://{gone}/v0.1 run {REFERENCE}");
    bed.run(&line).succeeds().says(&["the facts are from the cache"]);
    assert!(bed.has("started"));
    let digest = Digest::of(&bundle(|_| ()));
    crate::bed::corrupt(&bed.path(&format!(".mcp/cache/blobs/sha256-{}", digest.hex())));
    bed.run(&line).exits(2);
}

#[test]
fn references_mean_one_version() {
    let api = |base: &str| {
        let mut api = Api::good(base);
        for (version, status) in [
            ("1.9.0", "active"),
            ("1.10.0", "active"),
            ("2.0.0", "deprecated"),
            ("3.0.0", "deleted"),
            ("2026-01-01", "active"),
            ("no version", "active"),
            ("4.0.0", ""),
        ] {
            let bytes = bundle(|manifest| manifest["description"] = version.into());
            let path = format!("/files/{}.mcpb", version.replace(' ', "-"));
            let mut entry = entry(NAME, version, &json!([mcpb(&format!("{base}{path}"), &bytes)]));
            entry["_meta"][OF_REGISTRY]["status"] = if status.is_empty() { json!(null) } else { json!(status) };
            api.entries.push(entry);
            api.files.insert(path, bytes);
        }
        api
    };
    let (bed, server) = (TestBed::new(), start(api));
    let digest = |version: &str| Digest::of(&bundle(|manifest| manifest["description"] = version.into())).to_string();
    let asked = |reference: &str| run(&bed, &server, &format!("policy check --json {NAME}@{reference}"));
    for (reference, package) in
        [("latest", "1.10.0"), ("4.0.0", "4.0.0"), ("1.9.0", "1.9.0"), (&digest("1.9.0"), "1.9.0")]
    {
        let document = asked(reference).succeeds().document();
        assert_eq!(document["package"], format!("{NAME}@{package}"), "{reference}");
        assert_eq!(document["facts"]["bundle_digest"], digest(package), "{reference}");
    }
    let listed = run(&bed, &server, "--json registry list").succeeds().document();
    assert_eq!(listed["packages"], json!([{"package": NAME, "latest_version": "1.10.0"}]));
    let deprecated = asked("2.0.0").succeeds().document();
    assert_eq!(deprecated["facts"]["status"], "deprecated");
    let deleted = asked("3.0.0").exits(4).document();
    assert_eq!((&deleted["facts"]["status"], &deleted["policies"]), (&json!("deleted"), &json!([])));
    asked(&digest("3.0.0")).exits(4);
    run(&bed, &server, &format!("run {NAME}@5.0.0"))
        .exits(2)
        .says(&["there is no version `5.0.0`", "it has: 4.0.0, 2026-01-01, 3.0.0, 2.0.0, 1.10.0, 1.9.0, 1.0.0"]);
    asked(&digest("nothing")).exits(2);
    run(&bed, &server, "run io.github.acme/other@1.0.0").exits(2).says(&["there is no package", "NAMESPACE/NAME"]);
    run(&bed, &server, "run io_github.acme/tool@1.0.0").exits(2).says(&["a namespace has no `_`"]);
}

#[test]
fn a_registry_without_lists_says_what_is_the_latest() {
    for (version, status, exit, says) in [
        ("1.0.0", "active", 0, ""),
        ("2026-01-01", "active", 3, "the version that the registry calls the latest"),
        ("1.0.0", "deprecated", 3, "the status of what the registry calls the latest"),
        ("1.0.0", "deleted", 4, "`deleted`"),
    ] {
        let server = start(|base| {
            let mut api = Api::of(base, version, bundle(|_| ()));
            let mut entry = api.entries.remove(0);
            entry["_meta"][OF_REGISTRY]["status"] = status.into();
            let path = "/v0.1/servers/io.github.acme%2Ftool/versions/latest";
            api.files.insert(path.to_owned(), entry.to_string().into_bytes());
            api
        });
        let bed = TestBed::new();
        run(&bed, &server, &format!("run {NAME}@latest")).exits(exit).says(&[says]);
        assert_eq!(bed.has("started"), exit == 0, "{version} {status}");
    }
}

/// Facts of a decision about the good version, whose answer is changed.
fn facts(change: impl FnOnce(&mut serde_json::Value)) -> (serde_json::Value, String) {
    let server = start(|base| {
        let mut api = Api::good(base);
        change(&mut api.entries[0]);
        api
    });
    let bed = TestBed::new();
    let ran = run(&bed, &server, &format!("policy check --json {REFERENCE}"));
    let document = ran.document();
    (document["facts"].clone(), document["notices"].to_string())
}

#[test]
fn a_status_that_is_not_given_is_none() {
    let absent: [fn(&mut serde_json::Value); 3] = [
        |entry| entry["_meta"][OF_REGISTRY]["status"] = json!(null),
        |entry| entry["_meta"][OF_REGISTRY] = json!(null),
        |entry| entry["_meta"] = json!(null),
    ];
    for change in absent {
        let (known, notices) = facts(change);
        assert_eq!((&known["status"], &known["origin"]), (&json!(null), &json!("community")), "{known}");
        assert!(notices.contains("the registry doesn't say whether this version is published"), "{notices}");
    }
    let server = start(|base| {
        let mut api = Api::good(base);
        api.entries[0]["_meta"][OF_REGISTRY]["status"] = json!(null);
        api
    });
    let asked = run(&TestBed::new(), &server, &format!("policy check --json {NAME}@latest")).succeeds();
    assert_eq!(asked.document()["package"], REFERENCE, "there is no other");
}

#[test]
fn a_certification_counts_for_its_bytes_alone() {
    let digest = Digest::of(&bundle(|_| ())).to_string();
    let certified = json!({"subject_digest": digest, "origin": "official", "level": 2, "score": 85,
        "findings": {"critical": 0, "high": 1, "medium": 2, "low": 3}, "expires": "2999-01-01T00:00:00Z"});
    let (known, notices) = facts(|entry| entry["_meta"][CERTIFICATION] = certified.clone());
    assert_eq!((&known["cert_level"], &known["score"]), (&json!(2), &json!(85)), "{known}");
    assert_eq!((&known["origin"], &known["status"]), (&json!("community"), &json!("published")), "whatever it says");
    assert!(!notices.contains("counts for nothing"), "{notices}");
    let other = Digest::of(b"other").to_string();
    for (what, key, value, says) in [
        ("of other bytes", "subject_digest", json!(other), "it is of other bytes"),
        ("of nothing", "subject_digest", json!(null), "does not say of which bytes"),
        ("in capitals", "subject_digest", json!(digest.to_uppercase()), "it is of other bytes"),
        ("over", "expires", json!("2020-01-01T00:00:00Z"), "it has ended at 2020-01-01"),
        ("without an end", "expires", json!("soon"), "which is no time"),
        ("with a level of its own", "level", json!(7), "is not an integer from 0 to 3"),
        ("with a score as text", "score", json!("85"), "is not an integer from 0 to 100"),
    ] {
        let (known, notices) = facts(|entry| {
            entry["_meta"][CERTIFICATION] = certified.clone();
            entry["_meta"][CERTIFICATION][key] = value;
        });
        let unknown = match key {
            "level" => vec!["cert_level"],
            "score" => vec!["score"],
            _ => vec!["cert_level", "score"],
        };
        for fact in unknown {
            assert!(known[fact].is_null(), "{what}: {known}");
        }
        assert!(notices.contains(says), "{what}: {notices}");
    }
    let (known, _) = facts(|entry| entry["server"]["_meta"] = json!({CERTIFICATION: certified}));
    assert!(known["cert_level"].is_null() && known["score"].is_null(), "a publisher's word is no fact: {known}");
}

#[test]
fn what_a_client_would_ask_its_user_for_are_variables() {
    let bytes = bundle(|manifest| {
        manifest["user_config"] = json!({"key": {"type": "string", "title": "A key", "required": true}});
        manifest["server"]["mcp_config"]["args"] = json!(["--dir", "${__dirname}/data", "${user_config.key}"]);
    });
    let (bed, server) = (TestBed::new(), start(|base| Api::of(base, "1.0.0", bytes)));
    run(&bed, &server, &format!("run {REFERENCE}")).exits(6).says(&["KEY"]);
    assert!(!bed.has("started"));
    run(&bed, &server, &format!("run --env KEY=secret {REFERENCE}")).succeeds();
    assert_eq!(bed.read("started"), "./run --dir data secret\n");
}

#[test]
fn policies_are_told_where_it_comes_from() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    let digest = Digest::of(&bundle(|_| ()));
    let info = run(&bed, &server, &format!("info --json {REFERENCE}")).succeeds().document();
    assert_eq!(info["facts"]["bundle_digest"], digest.to_string(), "{info}");
    let text = run(&bed, &server, &format!("info {REFERENCE}")).succeeds();
    assert!(text.stdout.contains("mcpb:tool 0.9.0"), "the bundle's own name and version are shown: {text}");
    run(&bed, &server, &format!("info --provenance {REFERENCE}")).refuses(1, &["was not imported"]);
}

#[test]
fn a_registry_that_wants_a_log_in_gets_the_token_and_nobody_else() {
    let files = Server::start(Api::good("").script());
    let place = format!("{}{FILE}", files.url());
    let server = start(|_| {
        let mut api = Api::good("");
        api.entries[0]["server"]["packages"][0]["identifier"] = place.into();
        api
    });
    let bed = TestBed::new();
    let login = format!("login --registry {}/v0.1 --token -", server.url());
    bed.smcp(&login).input("token-of-mine\n").run().succeeds();
    run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
    let sent = |server: &Server| -> Vec<Option<String>> {
        server.requests().iter().map(|request| request.headers.get("authorization").cloned()).collect()
    };
    assert_eq!(sent(&server), [Some("Bearer token-of-mine".to_owned())]);
    assert_eq!(sent(&files), [None]);
}

#[test]
fn a_layer_can_call_a_namespace_verified() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    let url = format!("{}/v0.1", server.url());
    for (trusted, exit) in [
        (format!("[{url}]"), 4),
        (format!("[{{registry: {url}, verified_namespaces: [io.github.acme]}}]"), 0),
        (format!("[{{registry: {url}, verified_namespaces: [io.github]}}]"), 4),
        (format!("[{{registry: {url}, verified_namespaces: [io.github.Acme]}}]"), 4),
        ("[{registry: https://registry.modelcontextprotocol.io, verified_namespaces: [io.github.acme]}]".to_owned(), 4),
    ] {
        let policy = "policy: { allowed_origins: [verified] }";
        bed.write(".mcp/config.yaml", format!("registry_url: {url}\ntrusted_registries: {trusted}\n{policy}\n"));
        let ran = bed.run(&format!("--json policy check {REFERENCE}"));
        let document = ran.document();
        assert_eq!(document["exit_code"], exit, "{trusted}: {ran}");
        assert_eq!(document["facts"]["origin"], "community", "what the registry says stays what it is");
    }
}

#[test]
fn a_verified_namespace_is_explained_and_decided_again_as_it_was() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    let url = format!("{}/v0.1", server.url());
    let policy = "policy: { allowed_origins: [verified] }";
    let rules = |trusted: &str| format!("registry_url: {url}\ntrusted_registries: [{trusted}]\n{policy}\n");
    let verified = rules(&format!("{{registry: {url}, verified_namespaces: [io.github.acme]}}"));
    bed.write(".mcp/config.yaml", verified);
    bed.write("without.yaml", rules(&url));
    let checked = bed.run(&format!("--json policy check {REFERENCE}"));
    assert_eq!((checked.code, &checked.document()["facts"]["verified_by"]), (0, &serde_json::json!(["user"])));
    let explained = bed.run(&format!("--json policy explain {REFERENCE}")).exits(0).document();
    assert_eq!(explained["policies"][0]["told"]["by"], "verified-namespace", "{explained}");
    bed.run("policy replay").exits(0);
    let replayed = bed.run("policy replay --with without.yaml").exits(1);
    assert!(replayed.stdout.contains("origin"), "{replayed}");
}
