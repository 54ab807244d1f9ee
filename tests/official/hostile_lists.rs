//! Lists that lie, have no end, or would fill the memory.

use serde_json::Value;
use serde_json::json;

use crate::api::Api;
use crate::api::FILE;
use crate::api::NAME;
use crate::api::bundle;
use crate::api::entry;
use crate::api::mcpb;
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::hostile::nothing_came_of_it;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;

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
    listed(of(json!({"servers": {}})), 3, "is not valid: `servers` is missing");
    let lost = Server::start(Script::otherwise(|_| Some(Reply::ok("{}"))));
    run(&TestBed::new(), &lost, "registry list").refuses(3, &["the registry's list of servers is not valid"]);
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
fn a_server_that_is_listed_twice_is_shown_without_a_version() {
    let server = start(|base| {
        let mut api = Api::good(base);
        api.entries.push(api.entries[0].clone());
        api.entries.push(entry("io.github.acme/other", "1.0.0", &json!([])));
        let page = json!({"servers": api.entries});
        api.files.insert("/v0.1/servers".to_owned(), page.to_string().into_bytes());
        api
    });
    let ran = run(&TestBed::new(), &server, "--json registry list").succeeds();
    let packages = ran.document()["packages"].clone();
    let expected = json!([
        {"package": "io.github.acme/other", "latest_version": "1.0.0"},
        {"package": NAME, "latest_version": null},
    ]);
    assert_eq!(packages, expected);
    ran.says(&["io.github.acme/tool: it has version `1.0.0` twice"]);
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
