//! Manifests and bundles that are not as promised, or never end.

use std::io::Write as _;

use crate::answers::chunked;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Server;
use crate::server::message;
use crate::trial::Case;
use crate::trial::Goods;
use crate::trial::RESOLVE;
use crate::trial::all_end_as_they_should;
use crate::trial::nothing_came_of_it;
use crate::trial::table;

#[test]
fn a_bundle_that_is_not_what_was_promised_is_refused() {
    let goods = Goods::get();
    let bundle = &goods.bundle;
    let length = bundle.len().to_string();
    let mut flipped = bundle.clone();
    flipped[bundle.len() / 2] ^= 1;
    let zeros = vec![0; 64 * 1024];
    let half = &bundle[..bundle.len() / 2];
    all_end_as_they_should(table(
        &goods.artifact("bundle"),
        vec![
            ("one bit", Reply::ok(&flipped), 3, "is not what its digest promises"),
            ("the manifest in its place", Reply::ok(&goods.manifest), 3, "is not what its digest promises"),
            ("nothing", Reply::ok(""), 3, "is not what its digest promises"),
            ("a page under another name", Reply::ok("<!DOCTYPE html><html>"), 3, ", which is a web page (HTML)"),
            (
                "a pointer to it",
                Reply::ok("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
                3,
                ", which is a Git LFS pointer, which stands for the file",
            ),
            ("more at the end", Reply::ok([bundle.as_slice(), b"\0"].concat()), 3, "is not what its digest promises"),
            ("too little, said so", Reply::ok(half), 3, "is not what its digest promises"),
            (
                "too little for its length",
                Reply::raw(message(200, &[("content-length", &length)], half)),
                2,
                "read the bundle of acme/tool@1.0.0",
            ),
            ("cut off without a length", Reply::raw(message(200, &[], half)), 3, "is not what its digest promises"),
            (
                "a chunk cut off",
                Reply::raw(message(200, &[("transfer-encoding", "chunked")], b"ffff\r\nabc")),
                2,
                "read the bundle of acme/tool@1.0.0",
            ),
            (
                "a chunk of no size",
                Reply::raw(message(200, &[("transfer-encoding", "chunked")], b"zz\r\nabc")),
                2,
                "read the bundle of acme/tool@1.0.0",
            ),
            (
                "a length that says too much",
                Reply::raw(message(200, &[("content-length", "104857601")], b"")),
                3,
                "bytes, the most that is read",
            ),
            (
                "endless, of unknown length",
                Reply::Endless(message(200, &[], b""), zeros.clone()),
                3,
                "bytes, the most that is read",
            ),
            ("encoded", Reply::with(200, &[("content-encoding", "br")], bundle), 2, "in the encoding `br`"),
            ("a web page", Reply::with(200, &[("content-type", "text/html")], "<html>"), 2, "answered with a web page"),
            ("not there", Reply::error(404, "gone"), 2, "names a bundle that it does not have"),
            (
                "a part of it",
                Reply::with(206, &[("content-range", "bytes 0-1/2")], bundle),
                2,
                "answered with status 206",
            ),
            ("nothing new", Reply::with(304, &[], ""), 2, "answered with status 304"),
        ],
    ));
}

#[test]
fn a_manifest_that_is_not_what_was_promised_is_refused() {
    let goods = Goods::get();
    let spaces = vec![b' '; 64 * 1024];
    all_end_as_they_should(table(
        &goods.artifact("manifest"),
        vec![
            ("another", Reply::ok("{}"), 3, "is not what its digest promises"),
            ("an archive", Reply::ok(b"PK\x03\x04\x14"), 3, ", which is a zip archive"),
            ("another in chunks", chunked(b"{}"), 3, "is not what its digest promises"),
            ("endless", Reply::Endless(message(200, &[], b""), spaces), 3, "bytes, the most that is read"),
            (
                "a length that says too much",
                Reply::raw(message(200, &[("content-length", "10485761")], b"")),
                3,
                "bytes, the most that is read",
            ),
            ("not there", Reply::error(404, "gone"), 2, "names a manifest that it does not have"),
        ],
    ));
}

/// A right digest does not make the bytes a valid bundle.
#[test]
fn what_has_the_right_digest_is_still_looked_into() {
    let goods = Goods::get();
    // Sixty-four megabytes of zeros in sixty-four kilobytes.
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        (0..64).for_each(|_| encoder.write_all(&[0; 1024 * 1024]).unwrap());
        encoder.finish().unwrap()
    };
    let promised = |kind: &'static str, bytes: &[u8]| {
        let digest = smcp_model::digest::Digest::of(bytes).to_string();
        let mut script = goods.honest();
        script.set(
            RESOLVE,
            Reply::ok(goods.entry_with(|entry| entry["resolved"][kind] = serde_json::json!({"digest": digest}))),
        );
        script.set(&format!("/v1/org/acme/artifacts/{digest}/{kind}"), Reply::ok(bytes));
        script
    };
    let manifest = String::from_utf8(goods.manifest.clone()).unwrap();
    let deep = manifest.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(300), "]".repeat(300)), 1);
    let other = manifest.replacen("\"acme/tool\"", "\"acme/other\"", 1);
    assert_ne!(other, manifest);
    all_end_as_they_should(vec![
        Case {
            name: "a gzip bomb",
            script: promised("bundle", &bomb),
            exit: 3,
            says: "the bundle of acme/tool@1.0.0 can't be used",
        },
        Case {
            name: "no gzip",
            script: promised("bundle", b"hello"),
            exit: 3,
            says: "the bundle of acme/tool@1.0.0 can't be used",
        },
        Case {
            name: "a deep manifest",
            script: promised("manifest", deep.as_bytes()),
            exit: 3,
            says: "recursion limit",
        },
        Case {
            name: "another's manifest",
            script: promised("manifest", other.as_bytes()),
            exit: 3,
            says: "`package.id` in the manifest is `acme/other`",
        },
        Case {
            name: "a manifest with a key twice",
            script: promised("manifest", manifest.replacen('{', "{\"package\":{},", 1).as_bytes()),
            exit: 3,
            says: "stands twice",
        },
    ]);
}

/// The deadline of the user also ends the wait for the rest of a download.
#[test]
fn slow_registries_meet_the_deadline() {
    let goods = Goods::get();
    let (entry, length) = (goods.entry.to_string(), goods.bundle.len().to_string());
    let started = message(200, &[("content-length", &length)], &goods.bundle[..10]);
    let cases = [
        ("no status line", RESOLVE, Reply::Stall(Vec::new())),
        ("half a status line", RESOLVE, Reply::Stall(b"HTTP/1.1 20".to_vec())),
        ("half the headers", RESOLVE, Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())),
        ("half an answer", RESOLVE, Reply::Stall(message(200, &[("content-length", "9999")], &entry.as_bytes()[..10]))),
        ("half an error", RESOLVE, Reply::Stall(message(500, &[("content-length", "9999")], b"x"))),
        ("no bundle", &goods.artifact("bundle"), Reply::Stall(Vec::new())),
        ("half a bundle", &goods.artifact("bundle"), Reply::Stall(started)),
        (
            "half a chunk",
            &goods.artifact("bundle"),
            Reply::Stall(message(200, &[("transfer-encoding", "chunked")], b"ff\r\nabc")),
        ),
    ];
    std::thread::scope(|scope| {
        for (name, path, reply) in cases {
            scope.spawn(move || {
                let mut script = Goods::get().honest();
                script.set(path, reply);
                let (bed, server) = (TestBed::new(), Server::start(script));
                let line = format!("--registry {} run --timeout 2s acme/tool@1.0.0", server.url());
                let ran = bed.run(&line).refuses(5, &["getting the package timed out: it took longer than 2s"]);
                // If nothing arrived, the message names the silent registry.
                let silent = ["no status line", "half a status line", "half the headers", "no bundle"].contains(&name);
                assert_eq!(
                    ran.stderr.contains(&format!(", while {} (at 127.0.0.1:", server.url())),
                    silent,
                    "{name}: {ran}"
                );
                assert_eq!(ran.code, 5, "{name}: {ran}");
                nothing_came_of_it(&bed, name);
            });
        }
    });
}

/// Cached bytes are verified again, so wrong bytes would not stay in the cache.
#[test]
fn another_registrys_bytes_under_the_same_digest_are_the_same_bytes() {
    let goods = Goods::of(Package::shell("acme/tool@1.0.0", "true").good());
    let (bed, honest) = (TestBed::new(), Server::start(goods.honest()));
    let line = |server: &Server| format!("--registry {} pull acme/tool@1.0.0", server.url());
    bed.run(&line(&honest)).succeeds();
    // This registry serves no bytes, and need not: a digest names the same bytes for every registry.
    let mut script = goods.honest();
    for kind in ["manifest", "bundle"] {
        script.set(&goods.artifact(kind), Reply::error(500, "never asked"));
    }
    bed.run(&line(&Server::start(script))).succeeds();
}
