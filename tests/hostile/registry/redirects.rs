//! The addresses that a registry may redirect to, and what is sent there.

use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use crate::trial::Goods;
use crate::trial::RESOLVE;
use crate::trial::all_end_as_they_should;
use crate::trial::nothing_came_of_it;
use crate::trial::run;
use crate::trial::table;

#[test]
fn redirects_to_where_a_registry_has_no_business_are_refused() {
    all_end_as_they_should(table(
        RESOLVE,
        vec![
            (
                "to plain http",
                Reply::to("http://registry.example/x"),
                2,
                "redirects to `http://registry.example/x`, which is not followed: only https:// is followed",
            ),
            (
                "to a file",
                Reply::to("file:///etc/passwd"),
                2,
                "redirects to `file:///etc/passwd`, which is not followed: only https:// is followed",
            ),
            ("to ftp", Reply::to("ftp://registry.example/x"), 2, "only https:// is followed"),
            ("to data", Reply::to("data:application/json,{}"), 2, "only https:// is followed"),
            (
                "with a password",
                Reply::to("https://user:hunter2@registry.example/x"),
                2,
                "it has a user name or a password in it",
            ),
            (
                "to the keys of a cloud",
                Reply::to("https://169.254.169.254/latest/meta-data"),
                2,
                "169.254.169.254 is an address that no server on the network has",
            ),
            (
                "to the same, as IPv6",
                Reply::to("https://[::ffff:169.254.169.254]/"),
                2,
                "is an address that no server on the network has",
            ),
            ("to nobody", Reply::to("https://0.0.0.0/x"), 2, "is an address that no server on the network has"),
            ("to everybody", Reply::to("https://[ff02::1]/x"), 2, "is an address that no server on the network has"),
            ("to no host", Reply::to("https:///x"), 2, "it names no host"),
            ("to no place", Reply::with(302, &[], ""), 2, "it does not say where to"),
            ("to an empty place", Reply::to(""), 2, "it is empty"),
            (
                "to a control character",
                Reply::raw(b"HTTP/1.1 302 X\r\nlocation: /a\x01b\r\ncontent-length: 0\r\n\r\n"),
                2,
                "registry",
            ),
            ("to itself, for ever", Reply::to(RESOLVE), 2, "redirects more than 5 times"),
            ("many choices", Reply::with(300, &[("location", "/x")], ""), 2, "answered with status 300"),
        ],
    ));
}

/// Redirects below `/r/`, `length` times, and then to the answer.
fn chain(length: usize) -> Script {
    let goods = Goods::get();
    let mut script = goods.honest();
    script.set(RESOLVE, Reply::to("/r/1"));
    (1..length).for_each(|hop| script.set(&format!("/r/{hop}"), Reply::to(&format!("/r/{}", hop + 1))));
    script.set(&format!("/r/{length}"), Reply::ok(goods.entry.to_string()));
    script
}

#[test]
fn five_redirects_are_followed_and_six_are_not() {
    let bed = TestBed::new();
    run(&bed, &Server::start(chain(5))).succeeds();
    assert!(bed.has("proof/started"));
    let bed = TestBed::new();
    run(&bed, &Server::start(chain(6))).refuses(2, &["redirects more than 5 times"]);
    nothing_came_of_it(&bed, "six");
}

#[test]
fn redirects_on_this_machine_are_followed_by_a_registry_on_this_machine() {
    let goods = Goods::get();
    let storage = Server::start(goods.honest());
    for status in [301, 302, 303, 307, 308] {
        let mut script = goods.honest();
        for kind in ["manifest", "bundle"] {
            let place = format!("{}{}?signature=hunter2", storage.url(), goods.artifact(kind));
            script.set(&goods.artifact(kind), Reply::with(status, &[("location", &place)], "elsewhere"));
        }
        let (bed, server) = (TestBed::new(), Server::start(script));
        let ran = bed.run(&format!("-v -v --registry {} run acme/tool@1.0.0", server.url())).succeeds();
        assert!(bed.has("proof/started"), "{status}");
        assert!(!ran.stderr.contains("hunter2"), "what storage signs is a secret: {ran}");
    }
    assert_eq!(storage.requests().len(), 10);
}

#[test]
fn storage_that_refuses_is_not_a_registry_to_log_in_to() {
    let mut refusing = Script::default();
    refusing.set("/", Reply::with(403, &[], "the link has expired"));
    let (storage, mut script) = (Server::start(refusing), Goods::get().honest());
    script.set(&Goods::get().artifact("bundle"), Reply::to(&format!("{}/blob?signature=hunter2", storage.url())));
    let bed = TestBed::new();
    let ran = run(&bed, &Server::start(script)).refuses(2, &["answered with status 403 (the link has expired)"]);
    assert!(!ran.stderr.contains("log in") && !ran.stderr.contains("hunter2"), "{ran}");
    nothing_came_of_it(&bed, "expired");
}

#[test]
fn a_token_stays_with_its_scheme_host_and_port() {
    let goods = Goods::get();
    // The bundle is redirected to another port and back again.
    let home = Server::start_with(|home| {
        let storage = Server::start({
            let mut script = Script::default();
            script.set("/out", Reply::to(&format!("http://{home}/back")));
            script.set("/manifest", Reply::ok(&goods.manifest));
            script
        });
        let mut script = goods.honest();
        script.set(RESOLVE, Reply::to("/moved"));
        script.set("/moved", Reply::ok(goods.entry.to_string()));
        script.set(&goods.artifact("manifest"), Reply::to(&format!("{}/manifest", storage.url())));
        script.set(&goods.artifact("bundle"), Reply::to(&format!("{}/out", storage.url())));
        script.set("/back", Reply::ok(&goods.bundle));
        // It outlives this closure, because its requests are read later.
        STORAGE.set(storage).unwrap();
        script
    });
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", format!("registry_url: {}\n", home.url()));
    let ran = bed.smcp("-v -v run acme/tool@1.0.0").env("SMCP_REGISTRY_TOKEN", "hunter2").run().succeeds();
    assert!(bed.has("proof/started") && !ran.stderr.contains("hunter2"), "{ran}");
    let told = |server: &Server| -> Vec<(String, Option<String>)> {
        server
            .requests()
            .into_iter()
            .map(|request| (request.path, request.headers.get("authorization").cloned()))
            .collect()
    };
    let bearer = Some("Bearer hunter2".to_owned());
    let expected = [
        (format!("{RESOLVE}?ref=1.0.0"), bearer.clone()),
        ("/moved".to_owned(), bearer.clone()),
        (goods.artifact("manifest"), bearer.clone()),
        (goods.artifact("bundle"), bearer),
        ("/back".to_owned(), None),
    ];
    assert_eq!(told(&home), expected);
    let storage = STORAGE.get().unwrap();
    assert_eq!(told(storage), [("/manifest".to_owned(), None), ("/out".to_owned(), None)]);
}

static STORAGE: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
