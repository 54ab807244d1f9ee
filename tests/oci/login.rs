//! Who asks: our own log-ins, docker's, helpers, token services; and what goes to nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::component;
use crate::server::Gate;
use crate::server::Habits;
use crate::server::Registry;

/// `me:hunter2`
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

fn gated(gate: Gate) -> Registry {
    let registry = Registry::start(Habits { gate: Some(gate), ..Habits::default() });
    registry.put_component("1", &component());
    registry
}

fn pull(bed: &TestBed, registry: &Registry) -> Ran {
    bed.run(&format!("policy pull {}", registry.oci("policies/a:1")))
}

fn log_in(bed: &TestBed, registry: &Registry) {
    let line = format!("login --registry {} --username me --token -", registry.oci(""));
    let ran = bed.smcp(&line).input("hunter2\n").run().succeeds();
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
}

/// Each value of `authorization` that arrived.
fn heard(registry: &Registry) -> Vec<Option<String>> {
    registry.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

#[test]
fn a_log_in_is_kept_sent_when_asked_for_and_forgotten() {
    let (bed, registry) = (TestBed::new(), gated(Gate::Basic(BASIC.to_owned())));
    pull(&bed, &registry).refuses(
        2,
        &["does not let anybody whom it does not know read policies/a", "smcp login --registry oci://127.0.0.1:"],
    );
    log_in(&bed, &registry);
    pull(&bed, &registry).succeeds();
    let heard = heard(&registry);
    assert_eq!(heard[1..], [None, Some(BASIC.to_owned()), Some(BASIC.to_owned())], "it is sent when it is asked for");
    bed.run(&format!("logout --registry {}", registry.oci(""))).succeeds().says(&["logged out of oci://127.0.0.1:"]);
    bed.run("cache rm --all").succeeds();
    pull(&bed, &registry).refuses(2, &["log in: "]);
    bed.run(&format!("login --registry {} --token x", registry.oci(""))).refuses(1, &["--username NAME"]);
    bed.run("login --registry https://r.example --username me --token x").refuses(1, &["leave --username out"]);
    bed.run("login --registry oci://r.example --username a:b --token x").refuses(1, &["without a colon"]);
    bed.run("login --registry oci://user@r.example --username a --token x").refuses(1, &["it names no host"]);
}

#[test]
fn a_public_registry_is_told_nothing() {
    let bed = TestBed::new();
    let registry =
        Registry::start(Habits { gate: Some(Gate::Basic(BASIC.to_owned())), is_public: true, ..Habits::default() });
    registry.put_component("1", &component());
    log_in(&bed, &registry);
    // A helper that would be asked is not there: nobody asks it.
    bed.write(".docker/config.json", r#"{"credsStore": "nowhere"}"#);
    pull(&bed, &registry).succeeds();
    assert!(heard(&registry).iter().all(Option::is_none));
}

#[test]
fn dockers_log_ins_are_used_as_docker_does() {
    let registry = gated(Gate::Basic(BASIC.to_owned()));
    let host = registry.address.to_string();
    let auths = json!({"auths": {&host: {"auth": "bWU6aHVudGVyMg=="}}});
    let helper = json!({"credHelpers": {&host: "test"}});
    let store = json!({"auths": {&host: {}}, "credsStore": "test"});
    let answer = r#"read host; test "$host" = "HOST" && echo '{"Username":"me","Secret":"hunter2"}'"#;
    for (config, script) in [(&auths, None), (&helper, Some(answer)), (&store, Some(answer))] {
        for folder in [".docker", "elsewhere"] {
            let bed = TestBed::new();
            bed.write(&format!("{folder}/config.json"), config.to_string());
            if let Some(script) = script {
                bed.write("bin/docker-credential-test", format!("#!/bin/sh\n{}\n", script.replace("HOST", &host)));
                let path = bed.path("bin/docker-credential-test");
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            let path = format!("{}:{}", bed.path("bin").display(), std::env::var("PATH").unwrap());
            let mut smcp = bed.smcp(&format!("policy pull {}", registry.oci("policies/a:1"))).env("PATH", path);
            if folder == "elsewhere" {
                smcp = smcp.env("DOCKER_CONFIG", bed.path("elsewhere"));
            }
            smcp.run().succeeds();
        }
    }
    for (config, says) in [
        ("hunter2", "it is no file of docker's: line 1"),
        (&*json!({"auths": {&host: {"auth": "hunter2"}}}).to_string(), "what docker's file has for it is no log-in"),
        (&*json!({"credHelpers": {&host: "../../../bin/sh"}}).to_string(), "the name of its credential helper is none"),
        (
            &*json!({"credHelpers": {&host: "no-such-helper"}}).to_string(),
            "docker-credential-no-such-helper is not in any absolute folder of PATH",
        ),
    ] {
        let bed = TestBed::new();
        bed.write(".docker/config.json", config);
        let ran = pull(&bed, &registry).refuses(1, &["the log-in for oci://127.0.0.1:", says]);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
        // Our own log-in comes first.
        log_in(&bed, &registry);
        pull(&bed, &registry).succeeds();
    }
}

#[test]
fn a_token_service_of_the_house_gives_a_token_for_this_repository() {
    let service =
        Registry::start(Habits { grants: Some(("granted".to_owned(), Some(BASIC.to_owned()))), ..Habits::default() });
    let registry = gated(Gate::Token { realm: service.url("token"), token: "granted".to_owned() });
    let bed = TestBed::new();
    pull(&bed, &registry).refuses(2, &["the token service http://127.0.0.1:", "status 401", "log in: "]);
    log_in(&bed, &registry);
    pull(&bed, &registry).succeeds();
    let asked = service.requests();
    let last = asked.last().unwrap();
    // Not the scope of the challenge, which would be more.
    assert_eq!(last.path, "/token?service=r.test&scope=repository%3Apolicies%2Fa%3Apull");
    assert_eq!(last.header("authorization"), Some(BASIC));
    let heard = heard(&registry);
    assert!(heard.iter().flatten().all(|it| it == "Bearer granted"), "the registry never gets the password: {heard:?}");
    // One token serves for all requests of a kind.
    assert_eq!(asked.len(), 2);
    bed.write("no_network.wasm", component());
    bed.run(&format!("policy push no_network.wasm {}", registry.oci("policies/a:2"))).succeeds();
    let paths: Vec<String> = service.requests().into_iter().map(|it| it.path).skip(2).collect();
    assert_eq!(paths, ["/token?service=r.test&scope=repository%3Apolicies%2Fa%3Apull%2Cpush"]);
}

#[test]
fn a_refreshing_token_goes_to_the_token_service_alone() {
    let service = Registry::start(Habits {
        grants: Some(("granted".to_owned(), Some("refresh_token=refresh".to_owned()))),
        ..Habits::default()
    });
    let registry = gated(Gate::Token { realm: service.url("token"), token: "granted".to_owned() });
    let bed = TestBed::new();
    let host = registry.address.to_string();
    bed.write(".docker/config.json", json!({"auths": {&host: {"identitytoken": "refresh"}}}).to_string());
    pull(&bed, &registry).succeeds();
    assert_eq!(service.requests()[0].method, "POST");
    assert!(!heard(&registry).into_iter().flatten().any(|it| it.contains("refresh")));
}

/// A registry names its token service; a hostile one would name one that steals, or one at which our log-in is worth
/// something.
#[test]
fn a_log_in_goes_to_no_service_of_another_house() {
    let registry = gated(Gate::Basic(String::new()));
    let bed = TestBed::new();
    log_in(&bed, &registry);
    for (realm, says) in [
        ("http://evil.example/token", "only https:// is followed"),
        ("file:///token", "only https:// is followed"),
        ("https://me:pw@evil.example/token", "it has a user name or a password in it"),
    ] {
        registry.habits(|it| it.gate = Some(Gate::Token { realm: realm.to_owned(), token: "x".to_owned() }));
        pull(&bed, &registry).refuses(2, &[says]);
    }
    registry.habits(|it| it.gate = Some(Gate::Token { realm: registry.url("nowhere"), token: "x".to_owned() }));
    pull(&bed, &registry).refuses(2, &["status 401"]);
}

#[test]
fn a_service_that_gives_no_token_is_told_so() {
    for (token, says) in
        [("two words", "a token that fits into no header"), ("granted", "does not let this log-in read")]
    {
        let service = Registry::start(Habits { grants: Some((token.to_owned(), None)), ..Habits::default() });
        let registry = gated(Gate::Token { realm: service.url("token"), token: "another".to_owned() });
        pull(&TestBed::new(), &registry).refuses(2, &[says]);
        assert!(registry.requests().len() <= 2, "it is not asked for ever");
    }
}
