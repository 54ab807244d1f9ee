//! How a set is named: by a digest, behind a URL, and with whoever makes it.

use crate::bed;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use crate::sets::RUN;
use crate::sets::archive;
use crate::sets::grow_old;
use crate::sets::key;
use crate::sets::name;
use crate::sets::push;
use crate::sets::signature;
use crate::sets::version;

#[test]
fn a_digest_in_the_reference_needs_no_signature_and_no_further_question() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let pushed = push(&bed, &registry, None, &archive(7), "1");
    let exact = pushed["reference"].as_str().unwrap();
    name(&bed, exact, ", refresh: 1s, max_age: 1s");
    bed.run(RUN).succeeds().prints("runs\n").silent();
    let asked = registry.connections();
    push(&bed, &registry, None, &archive(8), "1");
    let pushes = registry.connections();
    grow_old(&bed);
    for line in [RUN, "policy set pull", "config validate"] {
        bed.run(line).succeeds();
    }
    assert_eq!((registry.connections(), version(&bed)), (pushes, 7));
    assert!(asked < pushes);
    // Another manifest under that digest is a lie.
    let fresh = crate::bed();
    name(&fresh, exact, "");
    let lie = registry.manifest("1").unwrap().to_string();
    let line = format!("GET /v2/company/rules/manifests/{}", pushed["manifest"].as_str().unwrap());
    registry.script(&line, vec![Reply::with(200, &[], lie); 4]);
    fresh.run(RUN).refuses(3, &["is not what its digest promises"]);
}

#[test]
fn a_set_behind_a_url_has_its_signature_beside_it() {
    let (bed, key, registry) = (bed(), key(), Registry::start(Habits::default()));
    let (url, text) = (registry.url("company.tar.gz"), signature(&key, &archive(7)));
    let serve = |archive: &[u8], signature: &str| {
        registry.clear_scripts();
        registry.script("GET /company.tar.gz.minisig", vec![Reply::with(200, &[], signature.as_bytes()); 8]);
        registry.script("GET /company.tar.gz", vec![Reply::with(200, &[], archive); 8]);
    };
    serve(&archive(7), &text);
    name(&bed, &url, &format!(", signed_by: [{{minisign: '{}'}}]", key.public()));
    bed.run(RUN).succeeds().prints("runs\n").silent();
    let asked = registry.connections();
    bed.run(RUN).succeeds().silent();
    assert_eq!(registry.connections(), asked, "{:?}", registry.lines());
    for (archive, signature, says) in [
        (archive(8), text.as_str(), "its signature is not one by that key"),
        (archive(6), &signature(&key, &archive(6)), "has version 6, and this machine has seen version 7"),
        (b"<html>".to_vec(), &text, "it is a web page"),
        (archive(8), "", "it is no minisign signature"),
    ] {
        serve(&archive, signature);
        grow_old(&bed);
        bed.run(RUN).succeeds().says(&[says, "version 7 stays in force"]);
    }
    serve(&archive(8), &signature(&key, &archive(8)));
    assert_eq!(version(&bed), 8);
}

#[test]
fn who_makes_a_set_elsewhere_has_to_be_said() {
    let bed = bed();
    let key = key().public();
    for (keys, says) in [
        ("source: 'oci://r.example/rules:1'", "nothing says who makes `oci://r.example/rules:1`"),
        ("source: 'https://r.example/rules.tar.gz'", "nothing says who makes `https://r.example/rules.tar.gz`"),
        ("source: 'oci://r.example/rules:1', signed_by: []", "is empty"),
        ("source: rules.tar.gz, signed_by: []", "is empty"),
        ("source: 'oci://r.example/Rules:1'", "a repository is lower-case"),
        ("source: 'oci://r.example/rules@sha256:00'", "behind @ is no sha256:"),
        ("source: 'https://r.example/rules.wasm'", "a file's name with .tar.gz"),
        ("source: 'http://r.example/rules.tar.gz'", "http:// only for localhost"),
        ("source: 'r.example/rules:1'", "an artefact in a registry is `oci://…`"),
        (
            &format!("source: 'oci://r.example/r', signed_by: [{{minisign: '{key}'}}], max_age: 1m"),
            "shorter than `refresh`",
        ),
        (
            &format!("source: 'oci://r.example/r', signed_by: [{{minisign: '{key}'}}], refresh: 9d"),
            "shorter than `refresh`",
        ),
        ("source: 'oci://r.example/r', signed: x", "unknown key `signed`"),
    ] {
        bed.configure(&format!("policy: {{policy_set: {{{keys}}}}}\n"));
        bed.run(RUN).refuses(1, &[says]);
    }
}
