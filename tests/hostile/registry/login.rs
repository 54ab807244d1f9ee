//! Tokens are kept for one registry, sent only to it, and never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Server;
use crate::trial::Goods;
use crate::trial::RESOLVE;

const TOKEN: &str = "hunter2.planted-secret";
const FILE: &str = ".mcp/credentials.json";

/// Returns the tokens that a registry received.
fn heard(server: &Server) -> Vec<Option<String>> {
    server.requests().into_iter().map(|request| request.headers.get("authorization").cloned()).collect()
}

fn log_in(bed: &TestBed, server: &Server) -> Ran {
    bed.smcp(&format!("login --registry {} --token -", server.url())).input(format!("{TOKEN}\n")).run().succeeds()
}

#[test]
fn a_token_is_kept_sent_and_forgotten() {
    let (bed, server, other) =
        (TestBed::new(), Server::start(Goods::get().honest()), Server::start(Goods::get().honest()));
    let pull = |server: &Server| bed.run(&format!("-v -v --registry {} pull acme/tool@1.0.0", server.url())).succeeds();
    let ran = log_in(&bed, &server);
    assert!(!ran.stderr.contains(TOKEN) && ran.stderr.contains("logged in to http://127.0.0.1:"), "{ran}");
    let mode = |name: &str| fs::metadata(bed.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(FILE), mode(".mcp")), (0o600, 0o700));
    let ran = pull(&server);
    assert!(!ran.stderr.contains(TOKEN), "{ran}");
    assert_eq!(heard(&server), vec![Some(format!("Bearer {TOKEN}")); 3]);
    pull(&other);
    assert_eq!(heard(&other), [None], "another port is another registry");
    bed.run(&format!("logout --registry {}", server.url())).succeeds().says(&["logged out of"]);
    bed.run(&format!("logout --registry {}", server.url())).succeeds().says(&["not logged in to"]);
    pull(&server);
    assert_eq!(heard(&server).last(), Some(&None));
    assert!(!bed.read(FILE).contains(TOKEN));
}

#[test]
fn the_variables_token_is_for_the_configured_registry_alone() {
    let mut script = Goods::get().honest();
    script.set(RESOLVE, Reply::error(401, "who are you?"));
    let (configured, other) = (Server::start(Goods::get().honest()), Server::start(script));
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", format!("registry_url: {}\n", configured.url()));
    let pull = |more: &str| bed.smcp(&format!("{more} pull acme/tool@1.0.0")).env("SMCP_REGISTRY_TOKEN", TOKEN).run();
    pull("").succeeds();
    assert_eq!(heard(&configured), vec![Some(format!("Bearer {TOKEN}")); 3]);
    let ran = pull(&format!("--registry {}", other.url())).refuses(
        2,
        &[
            "wants to know who asks: status 401 (who are you?)",
            "smcp login --registry http://127.0.0.1:",
            "SMCP_REGISTRY_TOKEN is set and was not sent: it is for the registry of the configuration (http://127.0.0.1:",
            "and --registry names this one",
        ],
    );
    assert!(!ran.stderr.contains(TOKEN), "{ran}");
    assert_eq!(heard(&other), [None]);
    // It replaces a stored token, and an invalid token is an error.
    log_in(&bed, &configured);
    bed.smcp("pull acme/tool@1.0.0").env("SMCP_REGISTRY_TOKEN", "another").run().succeeds();
    assert_eq!(heard(&configured).last(), Some(&Some("Bearer another".to_owned())));
    let ran = bed.smcp("pull acme/tool@1.0.0").env("SMCP_REGISTRY_TOKEN", "two hunter2").run();
    let ran = ran.refuses(1, &["SMCP_REGISTRY_TOKEN holds no token"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
}

#[test]
fn a_refusal_says_how_to_log_in() {
    let cases = [
        (401, None, "wants to know who asks: status 401 (no)"),
        (403, None, "wants to know who asks: status 403 (no)"),
        (401, Some(TOKEN), "does not accept the token for it: status 401 (no)"),
        (403, Some(TOKEN), "does not accept the token for it: status 403 (no)"),
    ];
    for (status, token, says) in cases {
        let mut script = Goods::get().honest();
        script.set(RESOLVE, Reply::error(status, "no"));
        let (bed, server) = (TestBed::new(), Server::start(script));
        if token.is_some() {
            log_in(&bed, &server);
        }
        let line = format!("-v -v --registry {} run acme/tool@1.0.0", server.url());
        let ran = bed.run(&line).refuses(2, &[says, "log in with: smcp login --registry http://127.0.0.1:"]);
        assert!(!ran.stderr.contains(TOKEN), "{ran}");
        assert_eq!(server.requests().len(), 1, "never asked again");
    }
}

#[test]
fn a_token_that_has_expired_is_named_as_the_reason() {
    let mut script = Goods::get().honest();
    script.set(RESOLVE, Reply::error(401, "no"));
    let (bed, server) = (TestBed::new(), Server::start(script));
    // {"exp":1}
    let token = "e30.eyJleHAiOjF9.x";
    bed.smcp(&format!("login --registry {} --token -", server.url())).input(token).run().succeeds();
    let ran = bed.run(&format!("--registry {} run acme/tool@1.0.0", server.url()));
    ran.refuses(2, &["does not accept the token for it", "the token has expired"]);
}

/// A registry that repeats what it received in every text that is shown can only show its own texts.
#[test]
fn tokens_appear_nowhere() {
    let mut script = Goods::get().honest();
    script.set(RESOLVE, Reply::error(503, "down"));
    let (bed, server) = (TestBed::new(), Server::start(script));
    log_in(&bed, &server);
    for line in
        ["run", "policy check", "--json policy check", "-v -v run", "--json info", "config show", "--json config show"]
    {
        let reference = if line.contains("config") { "" } else { "acme/tool@1.0.0" };
        let ran = bed
            .smcp(&format!("--registry {} {line} {reference}", server.url()))
            .env("SMCP_REGISTRY_TOKEN", TOKEN)
            .env("SMCP_LOG", "trace")
            .run();
        assert!(!ran.stderr.contains("hunter2") && !ran.raw.contains("hunter2"), "{ran}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let (bed, server) = (TestBed::new(), Server::start(Goods::get().honest()));
    log_in(&bed, &server);
    fs::set_permissions(bed.path(FILE), fs::Permissions::from_mode(0o644)).unwrap();
    for line in ["run acme/tool@1.0.0", "logout", "login --token x"] {
        let ran = bed.run(&format!("--registry {} {line}", server.url()));
        let ran = ran.refuses(1, &["can be read by others (mode 644)", "chmod 600"]);
        assert!(!ran.stderr.contains(TOKEN), "{ran}");
    }
    assert!(!bed.has("proof/started") && server.requests().is_empty());
}

#[test]
fn what_is_no_token_or_no_registry_is_refused() {
    let bed = TestBed::new();
    let login = |line: &str, input: &str| bed.smcp(line).input(input).run();
    login("login --registry http://localhost:1 --token -", "").refuses(1, &["it is no token"]);
    login("login --registry http://localhost:1 --token -", "two hunter2\n").refuses(1, &["it is no token"]);
    login("login --registry registry --token -", TOKEN).refuses(1, &["is a directory, which needs no token"]);
    login("login --registry http://localhost:1", "").refuses(1, &["--token <TOKEN|->"]);
    assert!(!bed.has(FILE));
    let ran = login("login --registry http://localhost:1 --token hunter2", "").succeeds();
    ran.says(&["a token on the command line can be seen by others"]);
    // {"exp":1}
    let ran = login("login --registry http://localhost:1 --token -", "e30.eyJleHAiOjF9.x").succeeds();
    ran.says(&["the token has expired"]);
}
