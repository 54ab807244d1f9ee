//! What servers try that are held to hosts.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use super::Held;
use super::Outside;

#[test]
fn there_is_no_other_way_out() {
    let outside = Outside::start();
    let other = Outside::start();
    let (named, open) = (outside.port(), other.port());
    let Some(held) = Held::to(&[&format!("localhost:{named}"), "api.example.com"]) else { return };
    let _listener = UnixListener::bind(held.world.bed.path("socket")).unwrap();
    let name = format!("smcp-outside-{named}");
    let _hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let unix = ["unix ~/socket".to_owned(), format!("unix @{name}")];
    let refused = [
        // Another port of the same machine, by every spelling of it.
        format!("tcp 127.0.0.1 {open}"),
        format!("tcp ::1 {open}"),
        format!("tcp 0.0.0.0 {open}"),
        format!("tcp ::ffff:127.0.0.1 {open}"),
        format!("get http://localhost:{open}/"),
        format!("get http://127.1:{open}/"),
        format!("get http://2130706433:{open}/"),
    ];
    let proxied = [
        format!("raw 'CONNECT localhost:{open} HTTP/1.1\\r\\nHost: localhost:{named}\\r\\n\\r\\n'"),
        format!("raw 'CONNECT 127.0.0.1:{open} HTTP/1.1\\r\\n\\r\\n'"),
        format!("raw 'CONNECT [::ffff:127.0.0.1]:{open} HTTP/1.1\\r\\n\\r\\n'"),
        format!("raw 'GET http://localhost:{open}/ HTTP/1.1\\r\\nHost: localhost:{named}\\r\\n\\r\\n'"),
        "raw 'CONNECT api.example.com:22 HTTP/1.1\\r\\n\\r\\n'".to_owned(),
        "raw 'CONNECT 127.0.0.1:3128 HTTP/1.1\\r\\n\\r\\n'".to_owned(),
        "raw 'CONNECT *.example.com:443 HTTP/1.1\\r\\n\\r\\n'".to_owned(),
    ];
    let unread = [
        format!("raw 'CONNECT localhost:{named}@evil.example:443 HTTP/1.1\\r\\n\\r\\n'"),
        format!("raw 'GET http://localhost:{named}@evil.example/ HTTP/1.1\\r\\n\\r\\n'"),
        format!("raw 'GET http://evil.example\\\\@localhost:{named}/ HTTP/1.1\\r\\n\\r\\n'"),
        "raw 'GET / HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n'".to_owned(),
        "raw 'NONSENSE\\r\\n\\r\\n'".to_owned(),
    ];
    let kernel = [
        // Local, packets, the kernel's other tables, virtual machines, Bluetooth, what is raw.
        "socket 1 1",
        "socket 1 2",
        "socket 17 3 768",
        "socket 16 3 4",
        "socket 16 3 12",
        "socket 40 1",
        "socket 31 1",
        "socket 2 3 255",
        "socket 10 3 255",
        "socket 2 1 1",
        "unshare 10000000",
        "unshare 40000000",
        "unshare 50000000",
        "ring",
        "ptrace",
        "route",
        "parent environ",
        "parent maps",
    ];
    let joined = ["setns /proc/1/ns/net", "setns /proc/self/ns/net"];
    let ways: Vec<&str> = (refused.iter().chain(&proxied).chain(&unread).chain(&unix).map(String::as_str))
        .chain(kernel)
        .chain(joined)
        .chain(["status CapEff", "status CapBnd", "status CapInh", "status CapAmb", "namespace net", "namespace user"])
        .collect();
    let tries = held.try_ways(&ways);
    for way in refused.iter().chain(&unix).map(String::as_str).chain(kernel).chain(joined) {
        assert!(tries.of(way).contains("Error: "), "{way}: {}", tries.of(way));
    }
    for way in &proxied {
        assert!(tries.of(way).starts_with("HTTP/1.1 403 "), "{way}: {}", tries.of(way));
    }
    for way in &unread {
        assert!(tries.of(way).starts_with("HTTP/1.1 400 "), "{way}: {}", tries.of(way));
    }
    for kind in ["CapEff", "CapBnd", "CapInh", "CapAmb"] {
        assert_eq!(tries.of(&format!("status {kind}")), "0000000000000000", "{kind}");
    }
    for kind in ["net", "user"] {
        let ours = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        assert_ne!(tries.of(&format!("namespace {kind}")), ours.to_str().unwrap());
    }
    assert_eq!(other.end(), "", "nobody came");
}

/// A request behind a request reaches the host of the first one alone.
#[test]
fn a_second_request_on_a_connection_goes_to_the_first_host() {
    let outside = Outside::start();
    let port = outside.port();
    let Some(held) = Held::to(&[&format!("localhost:{port}")]) else { return };
    let smuggled = [
        format!(
            "raw 'GET http://localhost:{port}/one HTTP/1.1\\r\\nContent-Length: 0\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nGET http://evil.example/ HTTP/1.1\\r\\n\\r\\n'"
        ),
        format!(
            "raw 'GET http://localhost:{port}/one HTTP/1.1\\r\\nHost: evil.example\\r\\nHost: x\\r\\n\\r\\nCONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n'"
        ),
    ];
    let tries = held.try_ways(&smuggled.each_ref().map(String::as_str));
    for way in &smuggled {
        assert!(tries.of(way).ends_with("GET /one HTTP/1.1 at localhost"), "{way}: {}", tries.of(way));
    }
    let tunnel = format!("raw 'CONNECT localhost:{port} HTTP/1.1\\r\\n\\r\\n' 'GET /two HTTP/1.1\\r\\n\\r\\n'");
    assert!(held.try_ways(&[&tunnel]).of(&tunnel).contains("GET /two HTTP/1.1"));
}

#[test]
fn nobody_fills_smcp_up() {
    let outside = Outside::start();
    let Some(held) = Held::to(&[&format!("localhost:{}", outside.port())]) else { return };
    let waiting = format!("waiting 500 {}", outside.port());
    let since = Instant::now();
    let tries = held.try_ways(&["flood 16000000", &waiting, "junk 2000"]);
    assert_eq!(tries.of("flood 16000000"), "HTTP/1.1 431 Request Header Fields Too Large");
    assert_eq!(tries.of(&waiting), "GET /meanwhile HTTP/1.1 at localhost");
    assert_eq!(tries.of("junk 2000"), "3 nothing");
    // What hangs does not keep the run from ending.
    assert!(since.elapsed().as_secs() < 60, "{:?}", since.elapsed());
}
