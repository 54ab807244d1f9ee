//! Files that are not what the registry said, or lie where nothing may be asked.

use serde_json::json;

use crate::api::Api;
use crate::api::CERTIFICATION;
use crate::api::FILE;
use crate::api::NAME;
use crate::api::REFERENCE;
use crate::api::bundle;
use crate::api::mcpb;
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::hostile::nothing_came_of_it;
use crate::hostile::refused;
use crate::server::Reply;
use crate::server::Server;
use smcp_model::digest::Digest;

#[test]
fn a_file_that_is_not_what_was_said_is_refused() {
    let good = bundle(|_| ());
    let tarball = smcp_bed::gzip(b"tar");
    for (what, bytes, says) in [
        ("swapped", bundle(|manifest| manifest["description"] = "evil".into()), "the bundle of"),
        ("cut off", good[..good.len() / 2].to_vec(), "the bundle of"),
        ("longer", [good.clone(), b"x".to_vec()].concat(), "the bundle of"),
        ("another archive", tarball, "gzip"),
        ("empty", Vec::new(), "the bundle of"),
    ] {
        let server = start(|base| {
            let mut api = Api::good(base);
            api.files.insert(FILE.to_owned(), bytes);
            api
        });
        let bed = TestBed::new();
        run(&bed, &server, &format!("run {REFERENCE}")).exits(3).says(&[says]);
        nothing_came_of_it(&bed, what);
        assert_eq!(bed.list(".mcp/cache/blobs"), [""; 0], "{what}");
    }
}

#[test]
fn a_bundle_with_the_right_digest_is_still_read_strictly() {
    let good = bundle(|_| ());
    type Case = (&'static str, Vec<u8>, &'static str);
    let cases: Vec<Case> = vec![
        ("no zip", b"MZ".to_vec(), "it is no zip archive"),
        ("a tar.gz", smcp_bed::gzip(b"tar"), "it is no zip archive"),
        ("two ends", [good.clone(), good.clone()].concat(), "the MCP bundle's archive is refused"),
        ("no manifest", smcp_bed::zip(&[("run", "", 0o755)]), "no manifest.json in its root"),
        ("outside", smcp_bed::zip(&[("manifest.json", "{}", 0o644), ("../evil", "", 0o755)]), "leads elsewhere"),
        ("of uv", bundle(|manifest| manifest["server"]["type"] = "uv".into()), "fetches at every start"),
        (
            "npx",
            bundle(|manifest| manifest["server"]["mcp_config"] = json!({"command": "npx", "args": ["-y", "evil"]})),
            "fetches at every start",
        ),
        (
            "a program of the system",
            bundle(|manifest| manifest["server"]["mcp_config"]["command"] = "/bin/sh".into()),
            "expected a name, or a path that begins with ${__dirname}",
        ),
        (
            "another system",
            bundle(|manifest| manifest["compatibility"] = json!({"platforms": ["win32"]})),
            "it is for win32",
        ),
    ];
    for (what, bytes, says) in cases {
        let (bed, server) = (TestBed::new(), start(|base| Api::of(base, "1.0.0", bytes)));
        run(&bed, &server, &format!("run {REFERENCE}")).exits(3).says(&[says]);
        nothing_came_of_it(&bed, what);
    }
}

#[test]
fn a_file_lies_where_a_connection_may_go() {
    for (url, says) in [
        ("https://169.254.169.254/latest/meta-data", "an address that no server on the network has"),
        ("http://example.com/tool.mcpb", "only https:// is followed"),
        ("file:///etc/passwd", "only https:// is followed"),
        ("https://me:secret@example.com/x", "it has a user name or a password in it"),
        ("/relative", "names a bundle that it does not have"),
        ("", "it is empty"),
    ] {
        refused(url, |_, entry| entry["server"]["packages"][0]["identifier"] = url.into(), 2, &[says]);
    }
    let file = "file:///etc/passwd";
    refused(
        file,
        |_, entry| entry["server"]["packages"][0]["identifier"] = file.into(),
        2,
        &["names `file:///etc/passwd`"],
    );
    // The same behind a redirect.
    let server = Server::start_with(|address| {
        let mut script = Api::good(&format!("http://{address}")).script();
        script.set(FILE, Reply::to("https://169.254.169.254/latest/meta-data"));
        script
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {REFERENCE}")).exits(2).says(&["an address that no server on the network has"]);
    nothing_came_of_it(&bed, "a redirect");
}

#[test]
fn several_bundles_need_a_choice() {
    let other = bundle(|manifest| manifest["description"] = "for another system".into());
    let digest = Digest::of(&other).to_string();
    let server = start(|base| {
        let mut api = Api::good(base);
        let packages = &mut api.entries[0]["server"]["packages"];
        packages.as_array_mut().unwrap().push(mcpb(&format!("{base}/files/other.mcpb"), &other));
        api.files.insert("/files/other.mcpb".to_owned(), other);
        api
    });
    let bed = TestBed::new();
    run(&bed, &server, &format!("run {REFERENCE}")).exits(2).says(&[
        "several MCP bundles",
        "@sha256:",
        "/files/other.mcpb",
    ]);
    nothing_came_of_it(&bed, "several");
    run(&bed, &server, &format!("run {NAME}@{digest}")).succeeds();
}

#[test]
fn a_certification_does_not_make_other_bytes_good() {
    let certified = Digest::of(&bundle(|_| ())).to_string();
    let evil = bundle(|manifest| manifest["description"] = "evil".into());
    let server = start(|base| {
        let mut api = Api::of(base, "1.0.0", evil);
        api.entries[0]["_meta"][CERTIFICATION] = json!({"subject_digest": certified, "level": 3, "score": 100});
        api
    });
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "policy: { min_cert_level: 1, min_score: 60 }\n");
    run(&bed, &server, &format!("run {REFERENCE}")).exits(4).says(&["it is of other bytes"]);
    nothing_came_of_it(&bed, "a certification of other bytes");
}
