//! Hosts of servers that are observed: by their names, whatever port they have.

use serde_json::Value;
use serde_json::json;

use crate::hosts::Held;
use crate::hosts::Tries;
use crate::hosts::other_name;
use crate::hosts::outside::Outside;

const OBSERVE: &str = "--confinement observe";

/// The hosts of the block that is shown at the end.
fn hosts(tries: &Tries) -> Value {
    let from = tries.stderr.find("{\n").unwrap_or_else(|| panic!("no block: {}", tries.stderr));
    let to = tries.stderr.find("\n}\n").unwrap_or_else(|| panic!("no block: {}", tries.stderr));
    serde_json::from_str::<Value>(&tries.stderr[from..to + 2]).unwrap()["network"]["outbound"].clone()
}

/// Whether servers can have networks here; smcp has said so.
fn has_networks() -> bool {
    Held::to(&["api.example.com"]).is_some()
}

#[test]
fn hosts_are_noted_by_their_names_and_ports() {
    if !has_networks() {
        return;
    }
    let outside = Outside::start();
    let port = outside.port();
    for permissions in [Value::Null, json!({"network": {"outbound": ["*"]}})] {
        let held = Held::by(&permissions);
        let ways = [
            format!("get http://localhost:{port}/page"),
            format!("get http://[::1]:{port}/page"),
            "get http://no-such-name.invalid/".to_owned(),
            "own 47111".to_owned(),
        ];
        let ways = ways.each_ref().map(String::as_str);
        let tries = Tries::of_run(held.invocation(OBSERVE).args(&ways));
        tries.all(&ways[..2], "GET /page");
        tries.all(&ways[2..3], "Name or service not known");
        assert_eq!(tries.of(ways[3]), "self");
        assert_eq!(hosts(&tries), json!([format!("localhost:{port}")]), "{}", tries.stderr);
    }
}

#[test]
fn a_name_of_an_inner_network_comes_with_its_address() {
    let Some((name, _)) = other_name().filter(|_| has_networks()) else { return };
    let outside = Outside::start();
    let port = outside.port();
    let held = Held::by(&Value::Null);
    let question = format!("ask {name}");
    let (question, way) = (question.as_str(), format!("tcp 198.18.0.1 {port}"));
    // The C library looks the name up in its own file; a nameserver says the address that stands for it.
    let tries = Tries::of_run(held.invocation(OBSERVE).args(&[question, &way]));
    assert_eq!(tries.of(question), "0 198.18.0.1");
    let expected = json!([format!("localhost:{port}"), format!("{name}:{port}")]);
    let mut found = hosts(&tries).as_array().unwrap().clone();
    found.sort_by_key(|host| !host.as_str().unwrap().starts_with("localhost"));
    assert_eq!(Value::from(found), expected, "{}", tries.stderr);
}

#[test]
fn the_proxy_of_the_user_is_gone_through_by_names() {
    if !has_networks() {
        return;
    }
    let outside = Outside::start();
    let proxy = format!("http://127.0.0.1:{}", outside.port());
    let held = Held::by(&Value::Null);
    let ways = ["get http://api.example.com/page", "get http://db.example.com:5432/page", "proxies"];
    let tries = Tries::of_run(held.invocation(OBSERVE).args(&ways).env("HTTPS_PROXY", &proxy));
    assert_eq!(tries.of(ways[0]), "GET /page HTTP/1.1 at api.example.com");
    assert_eq!(tries.of(ways[1]), "GET /page HTTP/1.1 at db.example.com");
    assert_eq!(tries.of(ways[2]), "", "all addresses answer");
    let draft = hosts(&tries);
    assert_eq!(draft, json!(["api.example.com", "db.example.com:5432"]), "{}", tries.stderr);
    // It is held to the draft, and works as before.
    let held = Held::by(&json!({"network": {"outbound": draft}}));
    let tries = Tries::of_run(held.invocation("--confinement required").args(&ways[..2]).env("HTTPS_PROXY", &proxy));
    tries.all(&ways[..2], "GET /page");
}

#[test]
fn what_a_server_was_refused_is_in_the_draft_and_stays_refused() {
    let Some(held) = Held::to(&["localhost:1"]) else { return };
    let ways = ["get http://evil.example/", "tcp 192.0.2.1 443", "tcp 192.0.2.1 8443"];
    let tries = Tries::of_run(held.invocation(OBSERVE).args(&ways));
    tries.all(&ways[..1], "Name or service not known");
    tries.all(&ways[1..], "Connection");
    assert_eq!(hosts(&tries), json!(["192.0.2.1", "192.0.2.1:8443", "evil.example"]), "{}", tries.stderr);
    assert!(tries.stderr.contains("it was refused the host evil.example, "), "{}", tries.stderr);
    assert!(!held.denied().is_empty());
    // To ask for a pattern is to ask for no host.
    let ways = ["raw 'CONNECT *:443 HTTP/1.1\\r\\n\\r\\n'", "raw 'CONNECT *.com:443 HTTP/1.1\\r\\n\\r\\n'"];
    let tries = Tries::of_run(held.invocation(OBSERVE).args(&ways));
    assert_eq!(hosts(&tries), json!(["localhost"]), "which is where it asked: {}", tries.stderr);
    assert!(tries.stderr.contains("it was refused the host *:443, once"), "{}", tries.stderr);
}
