//! Policies of a configuration that are elsewhere: what a start asks, and what it does without an answer.

use crate::bed;
use crate::component;
use crate::configure;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;

/// Every way to say which bytes are meant.
#[test]
fn a_start_with_everything_cached_opens_no_connection() {
    let component = component();
    let registry = Registry::start(Habits::default());
    let manifest = registry.put_component("1", &component);
    let blob = digest(&component);
    registry.put_blob("application/wasm", &component);
    let file = registry.url(&format!("files/{blob}"));
    // The server of the tests has files by digest; a source is a file called NAME.wasm.
    let url = registry.url("no-network.wasm");
    registry.script("GET /no-network.wasm", [Reply::with(200, &[], &component)]);
    assert!(!file.is_empty());
    let sources = [
        (format!("source: '{}', digest: '{blob}'", registry.oci("policies/a:1")), 2),
        (format!("source: '{}@{manifest}'", registry.oci("policies/a")), 2),
        (format!("source: '{}@{manifest}', digest: '{blob}'", registry.oci("policies/a:moved")), 2),
        (format!("source: '{url}', digest: '{blob}'"), 1),
    ];
    for (keys, requests) in sources {
        let bed = bed();
        configure(&bed, &keys);
        let before = registry.connections();
        bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n").silent();
        assert_eq!(registry.connections() - before, requests, "{keys}: {:?}", registry.lines());
        let asked = registry.connections();
        for line in ["run acme/quiet@1.0.0", "policy list", "config validate", "policy pull", "policy compile"] {
            bed.run(line).succeeds();
        }
        assert_eq!(registry.connections(), asked, "{keys}: {:?}", registry.lines());
        // The file is verified at every start, and fetched again when it is not what it was.
        bed.write(&format!(".mcp/cache/blobs/{}", blob.replace(':', "-")), "evil");
        if requests == 2 {
            bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
            assert!(registry.connections() > asked, "{keys}");
        }
    }
}

#[test]
fn housekeeping_keeps_what_policies_need() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let manifest = registry.put_component("1", &component());
    configure(&bed, &format!("source: '{}@{manifest}'", registry.oci("policies/a")));
    let ran = bed.run("--json policy pull").succeeds();
    let pulled = &ran.document()["policies"][0];
    assert_eq!(pulled["digest"], digest(&component()).as_str());
    assert_eq!((&pulled["new"], &pulled["kept"], &pulled["name"]), (&true.into(), &true.into(), &"shipped".into()));
    bed.run("cache gc").succeeds();
    let listed = bed.run("--json cache ls").succeeds().document();
    let kinds = listed["entries"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "policy").count();
    assert_eq!(kinds, 2, "{listed}");
    let asked = registry.connections();
    bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
    assert_eq!(registry.connections(), asked);
    bed.run("cache rm --all").succeeds();
    assert_eq!(bed.list(".mcp/cache/sources"), [""; 0]);
    bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
    assert!(registry.connections() > asked);
}

#[test]
fn what_is_not_pinned_is_no_configuration() {
    let bed = bed();
    let cases = [
        (
            "source: 'oci://r.example/policies/a:1'",
            "nothing says which bytes of `oci://r.example/policies/a:1` are meant",
        ),
        ("source: 'https://r.example/a.wasm'", "nothing says which bytes of `https://r.example/a.wasm` are meant"),
        ("source: 'oci://r.example/Policies/a:1'", "a repository is lower-case letters"),
        ("source: 'oci://r.example/a@sha512:00'", "64 lower-case hex digits"),
        ("source: 'http://r.example/a.wasm'", "http:// only for localhost"),
        ("source: 'https://r.example/a.tar'", "a file's name with .wasm"),
        ("source: 'ftp://r.example/a.wasm'", "it is no https:// URL"),
        ("source: 'ghcr.io/o/a:1'", "is `oci://…`"),
        ("source: a.wasm, refresh: 1h", "`refresh` is only for a `source` elsewhere"),
        ("source: a.wasm, max_age: 1h", "`max_age` is only for a `source` elsewhere"),
        ("source: 'oci://r.example/a', max_age: 1h", "`max_age` is shorter than `refresh`"),
        ("source: 'oci://r.example/a', refresh: 0s", "above zero"),
    ];
    for (keys, says) in cases {
        configure(&bed, keys);
        bed.run("run acme/quiet@1.0.0").refuses(1, &[says]);
    }
}

#[test]
fn another_component_than_the_pinned_one_runs_nothing() {
    let registry = Registry::start(Habits::default());
    let manifest = registry.put_component("1", &component());
    let pin = format!("digest: 'sha256:{}'", "0".repeat(64));
    for (mode, code) in [("strict", 3), ("warn", 3), ("disabled", 0)] {
        for reference in ["policies/a:1".to_owned(), format!("policies/a@{manifest}")] {
            let bed = bed();
            configure(&bed, &format!("source: '{}', {pin}, mode: {mode}", registry.oci(&reference)));
            let ran = bed.run("run acme/quiet@1.0.0").exits(code);
            if code == 3 {
                ran.says(&["but the configuration pins sha256:"]);
                assert_eq!(bed.list(".mcp/cache/sources"), [""; 0], "nothing of it is kept");
                for line in ["config validate", "policy list", "doctor"] {
                    // The digest is complete, since it is meant to be copied.
                    let ran = bed.run(line);
                    assert!(ran.raw.contains(&digest(&component())), "{ran}");
                }
            }
        }
    }
    assert!(registry.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", registry.lines());
}

#[test]
fn a_policy_that_can_not_be_had_is_a_fault_of_its_own() {
    let registry = Registry::start(Habits::default());
    // The port of a service that nobody has.
    let nobody = "oci://127.0.0.1:1/policies/a:1".to_owned();
    let pin = digest(&component());
    let cases = [(nobody, "can't be reached"), (registry.oci("policies/a:gone"), "is not there")];
    for (source, says) in cases {
        for (mode, code) in [("strict", 4), ("warn", 0)] {
            let bed = bed();
            configure(&bed, &format!("source: '{source}', digest: '{pin}', mode: {mode}"));
            let ran = bed.run("run acme/quiet@1.0.0").exits(code);
            ran.says(&["can't be had: ", says, "`smcp policy pull` gets it ahead", "fault: load"]);
            bed.run("policy pull").exits(2).says(&["policy `shipped`: ", says]);
        }
    }
}

#[test]
fn a_source_is_pulled_into_a_file_and_becomes_nobodys_policy() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let manifest = registry.put_component("1", &component());
    let source = registry.oci("policies/a:1");
    let ran = bed.run(&format!("policy pull {source} --output out.wasm")).succeeds();
    ran.says(&["is here and verified", "written to  out.wasm", &format!("`source: {source}` with `digest: ")]);
    assert_eq!(std::fs::read(bed.path("out.wasm")).unwrap(), component());
    let document = bed.run(&format!("--json policy pull {source}")).succeeds().document();
    assert_eq!(document["schema"], "smcp.policy-pull/1");
    assert_eq!(document["policies"][0]["manifest"], manifest.as_str());
    assert_eq!(document["policies"][0]["digest"], digest(&component()).as_str());
    bed.run("policy pull oci://r.example/A").refuses(1, &["a repository is lower-case letters", "oci://HOST"]);
    bed.run("policy pull --output x.wasm").refuses(1, &["SOURCE"]);
    bed.configure("");
    bed.run("policy pull").succeeds().says(&["no enabled policy of the configuration is elsewhere"]);
}

#[test]
fn of_an_index_the_component_is_taken() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let component = component();
    let document = registry.component_manifest(&component);
    let wasm = registry.put_manifest("wasm", &document);
    let entry = |digest: &str, architecture: &str| {
        serde_json::json!({"mediaType": document["mediaType"], "digest": digest, "size": document.to_string().len(),
                           "platform": {"architecture": architecture, "os": "wasip2"}})
    };
    let index = |manifests: &[serde_json::Value]| {
        serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                           "manifests": manifests})
    };
    let digest = registry.put_manifest("index", &index(&[entry(&wasm, "amd64"), entry(&wasm, "wasm")]));
    configure(&bed, &format!("source: '{}@{digest}'", registry.oci("policies/a")));
    bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
    let asked = registry.connections();
    bed.run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
    assert_eq!(registry.connections(), asked, "an index is cached as a manifest is");
    registry.put_manifest("none", &index(&[entry(&wasm, "amd64")]));
    bed.run(&format!("policy pull {}", registry.oci("policies/a:none")))
        .refuses(3, &["it is an index with 0 manifests for WebAssembly among 1 (wasip2/amd64)"]);
}
