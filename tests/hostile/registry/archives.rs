//! Bundles with the right digest, whose archives hold forbidden entries.
//!
//! Every entry that the contract forbids, with the program: exit code 3, a message that names the entry, nothing
//! started, nothing left. The unit tests of `host/bundle` have the details.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::server::Reply;
use crate::trial::Case;
use crate::trial::Goods;
use crate::trial::RESOLVE;
use crate::trial::all_end_as_they_should;
use smcp_model::limits;

/// The header of one entry, made by hand, so that it can be invalid.
fn header(name: &str, kind: u8, mode: u32, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(mode);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn entry(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = [header(name, kind, 0o755, data.len() as u64).as_slice(), data].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str) -> Vec<u8> {
    entry(name, b'0', b"text")
}

/// A link; a reader that follows it would write to `target`.
fn link(kind: u8, target: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..4].copy_from_slice(b"evil");
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_link_name(target).unwrap();
    header.set_mode(0o777);
    header.set_size(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// An extended header with one record.
fn pax(kind: u8, key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..).find(|length: &usize| length.to_string().len() + rest == *length).unwrap();
    entry("pax", kind, format!("{length} {key}={value}\n").as_bytes())
}

fn tar_of(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file that claims to have `size` bytes, all of them zero.
fn bomb(name: &str, size: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&header(name, b'0', 0o644, size)).unwrap();
    // The header is enough; the rest would only make the test slow.
    (0..16).for_each(|_| encoder.write_all(&[0; 1024 * 1024]).unwrap());
    encoder.finish().unwrap()
}

/// A registry that promises `bundle`, and serves it.
fn promised(name: &'static str, bundle: &[u8], says: &'static str) -> Case {
    let goods = Goods::get();
    let digest = smcp_model::digest::Digest::of(bundle).to_string();
    let mut script = goods.honest();
    let size = bundle.len();
    let entry = goods.entry_with(|entry| {
        entry["resolved"]["bundle"] = serde_json::json!({"digest": digest, "size_bytes": size});
    });
    script.set(RESOLVE, Reply::ok(entry));
    script.set(&format!("/v1/org/acme/artifacts/{digest}/bundle"), Reply::ok(bundle));
    Case { name, script, exit: 3, says }
}

#[test]
fn what_no_bundle_may_hold_is_refused() {
    // After an honest file, so that there is something to remove.
    let of = |name: &'static str, entries: &[Vec<u8>], says: &'static str| {
        promised(name, &gzip(&tar_of(&[&[file("honest")], entries].concat())), says)
    };
    let long = "x".repeat(256);
    let deep = "d/".repeat(limits::BUNDLE_DEPTH + 1);
    let cases = vec![
        of("a link out", &[link(b'2', "/etc/passwd")], "`evil` is a symbolic link"),
        of("a link within", &[link(b'2', "honest")], "`evil` is a symbolic link"),
        of("a link, then a file through it", &[link(b'2', "/tmp"), file("evil/x")], "`evil` is a symbolic link"),
        of("a hard link out", &[link(b'1', "/etc/passwd")], "`evil` is a hard link"),
        of("a hard link within", &[link(b'1', "honest")], "`evil` is a hard link"),
        of("a character device", &[entry("null", b'3', b"")], "`null` is a device"),
        of("a block device", &[entry("disk", b'4', b"")], "`disk` is a device"),
        of("a pipe", &[entry("pipe", b'6', b"")], "`pipe` is a pipe"),
        of("a sparse file", &[entry("holes", b'S', b"")], "`holes` is a sparse file"),
        of("a sparse file in pax", &[pax(b'x', "GNU.sparse.major", "1"), file("holes")], "sparse"),
        of("an unknown kind", &[entry("what", b'Z', b"")], "`what` is of an unknown kind"),
        of("an absolute name", &[file("/tmp/evil")], "`/tmp/evil` is absolute"),
        of("an absolute name in pax", &[pax(b'x', "path", "/tmp/evil"), file("a")], "`/tmp/evil` is absolute"),
        of("up and out", &[file("../evil")], "the entry name `../evil`"),
        of("up and out in the middle", &[file("a/../../evil")], "the entry name `a/../../evil`"),
        of("up and out in GNU's way", &[entry("long", b'L', b"../evil\0"), file("a")], "the entry name `../evil`"),
        of("up and out, a directory", &[entry("../evil/", b'5', b"")], "the entry name `../evil/`"),
        of("a file twice", &[file("honest")], "`honest` stands in it twice"),
        of("a file twice in other letters", &[file("HONEST")], "case"),
        of("a file and a directory", &[entry("honest/", b'5', b"")], "file and a directory"),
        of("a file inside of a file", &[file("honest/x")], "inside of something that is a file"),
        of("a name too long", &[pax(b'x', "path", &long), file("a")], "too long"),
        of("too deep", &[pax(b'x', "path", &deep), file("a")], "nested"),
        of("a name with a zero", &[pax(b'x', "path", "a\0b"), file("a")], "NUL"),
        of(
            "a link with an escape in its name",
            &[entry("a\u{1b}[2Jb", b'2', b"")],
            "`a\\u{1b}[2Jb` is a symbolic link",
        ),
        of("another size in pax", &[pax(b'x', "size", "5"), file("a")], "disagree"),
        of("a name for all", &[pax(b'g', "path", "a"), file("b")], "all entries"),
        of("a name for nobody", &[pax(b'x', "path", "a")], "it ends before an entry that it announces"),
        of("another archive behind it", &[vec![0; 1024], file("hidden")], "something follows"),
        promised("another member behind it", &gzip(&tar_of(&[file("a")])).repeat(2), "something follows"),
        promised("a byte behind it", &[gzip(&tar_of(&[file("a")])), b"x".to_vec()].concat(), "something follows"),
        promised("no end", &gzip(&file("a")), "it ends without an end mark"),
        promised("cut off in an entry", &gzip(&file("a")[..600]), "truncated or damaged"),
        promised("the compression cut off", &gzip(&tar_of(&[file("a")]))[..40], "truncated or damaged"),
        promised("a bomb in one file", &bomb("bomb", limits::BUNDLE_UNPACKED + 1), "bytes unpacked"),
        promised("a file beyond counting", &bomb("bomb", 0o77_777_777_777), "bytes unpacked"),
        // Headers about nothing: they count, and make no files.
        promised("too many entries", &gzip(&header("pax", b'g', 0, 0).repeat(limits::BUNDLE_ENTRIES + 1)), "entries"),
    ];
    all_end_as_they_should(cases);
}

/// A file runs with the rights of its owner, regardless of the archive.
#[test]
fn special_bits_are_no_reason_to_refuse_and_are_not_kept() {
    let script = b"#!/bin/sh\ntest -u \"$0\" || test -g \"$0\" || echo plain\n";
    let server = [header("server", b'0', 0o6755, script.len() as u64).as_slice(), script].concat();
    let padded = [server.as_slice(), &vec![0; server.len().next_multiple_of(512) - server.len()]].concat();
    let goods = Goods::of(
        crate::bed::Package::greeter("acme/tool@1.0.0")
            .entrypoint(serde_json::json!({"command": ["./server"]}))
            .file("server", "", 0o755)
            .good(),
    );
    let bundle = gzip(&tar_of(&[padded]));
    let digest = smcp_model::digest::Digest::of(&bundle).to_string();
    let mut registry = goods.honest();
    registry.set(
        RESOLVE,
        Reply::ok(goods.entry_with(|entry| entry["resolved"]["bundle"] = serde_json::json!({"digest": digest}))),
    );
    registry.set(&format!("/v1/org/acme/artifacts/{digest}/bundle"), Reply::ok(&bundle));
    let (bed, server) = (crate::bed::TestBed::new(), crate::server::Server::start(registry));
    crate::trial::run(&bed, &server).succeeds().prints("plain\n");
}
