//! Requests that are repeated, how often, and those that are not.

use std::net::TcpListener;

use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use crate::server::message;
use crate::trial::Goods;
use crate::trial::RESOLVE;
use crate::trial::all_end_as_they_should;
use crate::trial::nothing_came_of_it;
use crate::trial::run;
use crate::trial::table;

#[test]
fn a_registry_that_stays_down_is_given_up() {
    let flood: String = (0..20_000).map(|n| format!("x-{n}: 0123456789\r\n")).collect();
    let few: String = (0..500).map(|n| format!("x-{n}: y\r\n")).collect();
    all_end_as_they_should(table(
        RESOLVE,
        vec![
            (
                "429 for ever",
                Reply::error(429, "slow down"),
                2,
                "can't answer now (asked 3 times): status 429 (slow down)",
            ),
            ("500", Reply::error(500, "oh no"), 2, "can't answer now (asked 3 times): status 500 (oh no)"),
            ("502", Reply::error(502, ""), 2, "status 502"),
            ("503", Reply::error(503, ""), 2, "status 503"),
            ("504", Reply::error(504, ""), 2, "status 504"),
            ("a wait of a day", Reply::with(503, &[("retry-after", "86400")], ""), 2, "it asks to wait 1day"),
            (
                "a wait beyond counting",
                Reply::with(503, &[("retry-after", "99999999999999999999")], ""),
                2,
                "status 503",
            ),
            ("closed at once", Reply::raw(""), 2, "can't be reached (asked 3 times)"),
            ("garbage", Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"), 2, "does not answer as an HTTP server"),
            ("zeros", Reply::raw([0; 100]), 2, "does not answer as an HTTP server"),
            ("HTTP/2", Reply::raw("HTTP/2 200\r\n\r\n"), 2, "does not answer as an HTTP server"),
            ("a status of four digits", Reply::raw("HTTP/1.1 2000 OK\r\n\r\n"), 2, "does not answer as an HTTP server"),
            (
                "a flood of headers",
                Reply::raw(format!("HTTP/1.1 200 OK\r\n{flood}\r\n")),
                2,
                "does not answer as an HTTP server",
            ),
            (
                "many headers",
                Reply::raw(format!("HTTP/1.1 200 OK\r\n{few}\r\n")),
                2,
                "does not answer as an HTTP server",
            ),
            (
                "a header without end",
                Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 4096]),
                2,
                "does not answer as an HTTP server",
            ),
            ("I'm a teapot", Reply::error(418, "short and stout"), 2, "answered with status 418 (short and stout)"),
            ("an error that steers the terminal", Reply::error(400, "\u{1b}[2Jgone"), 2, "status 400 (\\u{1b}[2Jgone)"),
        ],
    ));
}

/// Returns how often the path was requested, and how the run ended.
fn asked(path: &str, replies: Vec<Reply>) -> (i32, usize) {
    let mut script = Goods::get().honest();
    script.set_each(path, replies);
    let (bed, server) = (TestBed::new(), Server::start(script));
    let ran = run(&bed, &server);
    assert_eq!(bed.has("proof/started"), ran.code == 0, "{ran}");
    nothing_came_of_it_unless(ran.code == 0, &bed);
    (ran.code, server.requests().iter().filter(|request| request.path.starts_with(path)).count())
}

fn nothing_came_of_it_unless(ran: bool, bed: &TestBed) {
    if !ran {
        nothing_came_of_it(bed, "a registry that failed");
    }
}

#[test]
fn what_may_pass_is_asked_again_and_what_was_answered_is_not() {
    let goods = Goods::get();
    let entry = || Reply::ok(goods.entry.to_string());
    let bundle = || Reply::ok(&goods.bundle);
    let down = |status| Reply::error(status, "down");
    let at_once = Reply::with(429, &[("retry-after", "0")], "");
    let path = goods.artifact("bundle");
    assert_eq!(asked(RESOLVE, vec![down(500), down(500), entry()]), (0, 3));
    assert_eq!(asked(RESOLVE, vec![at_once.clone(), at_once, entry()]), (0, 3));
    assert_eq!(asked(RESOLVE, vec![Reply::raw(""), entry()]), (0, 2), "a connection that breaks");
    assert_eq!(asked(RESOLVE, vec![down(500)]), (2, 3));
    assert_eq!(asked(&path, vec![down(500), down(502), bundle()]), (0, 3));
    assert_eq!(asked(&path, vec![down(503)]), (2, 3));
    assert_eq!(asked(&path, vec![down(404)]), (2, 1));
    assert_eq!(asked(RESOLVE, vec![Reply::raw(message(200, &[], b"{}"))]), (3, 1));
    assert_eq!(asked(RESOLVE, vec![down(403)]), (2, 1));
    assert_eq!(asked(RESOLVE, vec![Reply::raw("garbage\r\n\r\n")]), (2, 1));
}

#[test]
fn nobody_there_is_said_so() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bed = TestBed::new();
    let ran = bed.run(&format!("--registry http://{closed} run acme/tool@1.0.0"));
    ran.refuses(2, &["can't be reached (asked 3 times)", "refused", "check its address"]);
    let ran = bed.run(&format!("--json --registry http://{closed} policy check acme/tool@1.0.0")).exits(2);
    assert!(ran.raw.contains("registry-unavailable"), "{ran}");
}

#[test]
fn a_wait_that_does_not_fit_is_not_begun() {
    let mut script = Goods::get().honest();
    script.set(RESOLVE, Reply::with(503, &[("retry-after", "10")], ""));
    let (bed, server) = (TestBed::new(), Server::start(script));
    let ran = bed.run(&format!("--registry {} run --timeout 5s acme/tool@1.0.0", server.url()));
    ran.refuses(2, &["status 503", "it asks to wait 10s"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_not_there_is_told_apart() {
    let goods = Goods::get();
    let nowhere = Server::start(Script::default());
    let bed = TestBed::new();
    let line = |server: &Server, reference: &str| format!("--registry {} run {reference}", server.url());
    bed.run(&line(&nowhere, "acme/tool@1.0.0"))
        .refuses(2, &["there is no package `acme/tool`", "the registry says: there is nothing here", "check the name"]);
    bed.run(&line(&nowhere, "acme/tool@latest")).refuses(2, &["there is no version `latest` of `acme/tool`"]);
    let mut script = goods.honest();
    script.set(RESOLVE, Reply::error(404, "no such version"));
    script.set(&format!("{RESOLVE}?ref=latest"), Reply::ok(goods.entry.to_string()));
    let known = Server::start(script);
    bed.run(&line(&known, "acme/tool@2.0.0+b"))
        .refuses(2, &["there is no version `2.0.0+b` of `acme/tool`", "no such version", "the latest is 1.0.0"]);
    assert_eq!(known.requests()[0].path, format!("{RESOLVE}?ref=2.0.0%2Bb"));
}
