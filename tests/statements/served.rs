//! The same statements over HTTP: from `registry serve`, and from servers that have none or too much.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use crate::bed::TestBed;
use crate::server::Served;
use crate::world::Said;
use crate::world::TOOL;
use crate::world::World;

/// A home that believes the key, and gets packages from this address.
fn guest(world: &World, address: &str, more: &str) -> TestBed {
    let bed = TestBed::new();
    let entry = format!("{{registry: http://{address}, signed_by: [{{minisign: {}}}]{more}}}", world.key.public());
    let config = format!("registry_url: http://{address}\ntrusted_registries: [{entry}]\npolicy: {{min_score: 80}}\n");
    bed.write(".mcp/config.yaml", config);
    bed
}

fn check(bed: &TestBed) -> crate::bed::Ran {
    bed.run(&format!("--json policy check {TOOL}"))
}

#[test]
fn a_served_registry_hands_its_statements_out() {
    let world = World::new();
    let served = Served::start(&world.bed);
    let bed = guest(&world, &served.address, "");
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status-unsigned");
    world.say(&Said::good());
    let document = check(&bed).succeeds().document();
    assert_eq!((&document["statements"][0]["score"], &document["facts"]["score"]), (&85.into(), &95.into()));
    bed.run(&format!("run {TOOL}")).succeeds();
    world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status");
    world.hide();
    world.say(&Said::good());
    assert_eq!(check(&bed).exits(3).document()["refusal"]["code"], "statement-rollback");
    drop(served);
    // The revocation was kept, and holds without the registry.
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status");
}

/// Junk beside a revocation must not look like an outage: who has a kept answer would run on.
#[test]
fn what_can_not_be_read_is_no_outage() {
    let world = World::new();
    world.say(&Said::good());
    let served = Served::start(&world.bed);
    let bed = guest(&world, &served.address, "");
    bed.run(&format!("run {TOOL}")).succeeds();
    world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
    for number in 0..300 {
        world.place(format!("junk {number}").as_bytes(), "2", "nonsense");
    }
    let refusal = check(&bed).exits(3).document()["refusal"].clone();
    assert_eq!(refusal["code"], "statements-unreadable");
    assert!(refusal["message"].as_str().unwrap().contains("the registry can't read them"), "{refusal}");
    bed.run(&format!("run {TOOL}")).exits(3);
    // A single long one is nobody's.
    world.hide();
    world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
    world.place("x".repeat(20 << 10).as_bytes(), "2", "nonsense");
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status");
}

#[test]
fn a_machine_that_was_never_told_more_goes_by_what_it_kept() {
    let world = World::new();
    world.say(&Said::good());
    let served = Served::start(&world.bed);
    let bed = guest(&world, &served.address, ", require: true");
    check(&bed).succeeds();
    bed.run(&format!("pull {TOOL}")).succeeds();
    drop(served);
    assert_eq!(check(&bed).succeeds().document()["notices"][0]["code"], "facts-from-cache");
}

/// Passes requests on to a registry, but answers those for statements itself; returns its address.
fn in_between(upstream: String, answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let (mut request, mut byte) = (Vec::new(), [0]);
            while !request.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let text = String::from_utf8_lossy(&request);
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            if path.contains("/statements?") {
                drop(client.write_all(answer));
                continue;
            }
            let mut registry = std::net::TcpStream::connect(&upstream).unwrap();
            let line = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            registry.write_all(line.as_bytes()).unwrap();
            let mut passed = Vec::new();
            drop(registry.read_to_end(&mut passed));
            drop(client.write_all(&passed));
        }
    });
    address
}

#[test]
fn answers_of_other_servers_are_bounded_and_read_strictly() {
    const NONE: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const EMPTY: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"statements\":[]}";
    const NONSENSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
    const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!DOCTYPE html>";
    let flood: &'static [u8] = {
        let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"statements\":[".to_vec();
        bytes.resize(8 << 20, b' ');
        bytes.leak()
    };
    let world = World::new();
    world.say(&Said::good());
    let served = Served::start(&world.bed);
    for (answer, exit, code) in [
        (NONE, 4, "status-unsigned"),
        (EMPTY, 4, "status-unsigned"),
        (NONSENSE, 3, "statements-unreadable"),
        (flood, 3, "statements-unreadable"),
        (PAGE, 2, "registry-answer-invalid"),
    ] {
        let bed = guest(&world, &in_between(served.address.clone(), answer), "");
        let document = check(&bed).exits(exit).document();
        assert_eq!(document["refusal"]["code"], code, "{document}");
    }
}
