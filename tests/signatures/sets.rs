//! Policy sets that somebody must have signed: what starts, and what `policy sign` and `policy verify` say of them.

use rcgen::KeyPair;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::sigstore::Wish;
use crate::sigstore::World;

const TOOL: &str = "acme/tool@1.0.0";

fn archive(version: u64) -> Vec<u8> {
    let text = format!("version: {version}\nexpires: 2199-12-31T00:00:00Z\npolicy: {{min_score: 80}}\n");
    smcp_bundle::set::pack_set(&[("set.yaml".to_owned(), text.into_bytes())].into()).unwrap()
}

/// A home with a package and a set that is not signed.
fn home() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
    bed.write("company.tar.gz", archive(3));
    bed
}

fn signed_by(bed: &TestBed, rule: &str) {
    bed.configure(&format!("policy: {{policy_set: {{source: ../company.tar.gz, signed_by: {rule}}}}}\n"));
}

#[test]
fn a_set_is_signed_verified_and_in_force() {
    let bed = home();
    bed.run("policy sign --new-key release --no-password").succeeds();
    let key = bed.read(".mcp/keys/release.pub").lines().nth(1).unwrap().to_owned();
    signed_by(&bed, &format!("[{{minisign: '{key}'}}]"));
    let missing = "found: no signature beside it (looked for company.tar.gz.minisig)";
    bed.run(&format!("run {TOOL}")).refuses(3, &["is not signed as the configuration says", missing, &key]);
    // What is wrong can be looked into.
    let verified = bed.run("policy verify company.tar.gz").exits(3);
    assert!(format!("{}{}", verified.stdout, verified.stderr).contains("no signature beside it"), "{verified}");
    let signed = bed.run("policy sign company.tar.gz").succeeds();
    for said in
        ["company.tar.gz is signed", "under `policy_set`:", &format!("    signed_by: [{{ minisign: \"{key}\" }}]")]
    {
        assert!(signed.stdout.contains(said), "{said}: {signed}");
    }
    let verified = bed.run("policy verify company.tar.gz").succeeds();
    assert!(verified.stdout.contains("policy set  user/set"), "{verified}");
    let document = bed.run("--json policy verify company.tar.gz").succeeds().document();
    let rule = &document["rules"][0];
    assert_eq!((&rule["layer"], &rule["policy"]), (&json!("user/set"), &Value::Null), "{document}");
    assert_eq!(rule["signer"], format!("minisign {key}"));
    bed.run(&format!("policy verify company.tar.gz --signed-by {key}")).succeeds();
    bed.run(&format!("run {TOOL}")).succeeds().silent();
    assert!(bed.has("proof/started"));
    let record: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().next_back().unwrap()).unwrap();
    assert_eq!(record["run"], 2, "the refusal is a record of its own");
    let decision: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().nth(1).unwrap()).unwrap();
    assert_eq!(decision["sets"][0]["signer"], format!("minisign {key}"));
    for line in ["policy list", "config validate", "policy set show", "doctor"] {
        let ran = bed.run(line);
        let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!("minisign {key}")), "{line}: {ran}");
    }
    // A set that uses nobody's rule asks for one.
    bed.configure("policy: {policy_set: {source: ../company.tar.gz}}\n");
    bed.run("policy verify company.tar.gz").refuses(1, &["no layer of the configuration that names this set"]);
    bed.write("text", "text");
    bed.run("policy sign text").refuses(1, &["is no WebAssembly, and no archive of a set"]);
}

#[test]
fn sets_are_taken_by_keys_in_files_and_by_identities() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let wish = || Wish::of("dev@acme.test", "https://issuer.test");
    let keyless =
        |identity: &str| format!("[{{issuer: 'https://issuer.test', identity: {identity}, trusted_root: root.json}}]");
    let by_key = "[{key: key.pem}]".to_owned();
    for (what, rule, bundle, says) in [
        ("by key", by_key.clone(), world.sign_with(&key, &archive(3), false), None),
        (
            "by key, of another",
            by_key.clone(),
            world.sign_with(&key, &archive(4), false),
            Some("found: company.tar.gz.sigstore.json"),
        ),
        (
            "by another key",
            by_key,
            world.sign_with(&KeyPair::generate().unwrap(), &archive(3), false),
            Some("found: company.tar.gz.sigstore.json"),
        ),
        ("keyless", keyless("dev@acme.test"), world.sign(&wish(), &archive(3)), None),
        (
            "an identity that begins so",
            keyless("dev@acme.tes"),
            world.sign(&wish(), &archive(3)),
            Some("found: company.tar.gz.sigstore.json"),
        ),
        (
            "out of the certificate's time",
            keyless("dev@acme.test"),
            world.sign(&Wish { signs_after: 700, ..wish() }, &archive(3)),
            Some("found: company.tar.gz.sigstore.json"),
        ),
    ] {
        let bed = home();
        bed.write(".mcp/key.pem", key.public_key_pem());
        bed.write(".mcp/root.json", world.root().to_string());
        bed.write("company.tar.gz.sigstore.json", bundle.to_string());
        signed_by(&bed, &rule);
        let ran = bed.run(&format!("run {TOOL}"));
        match says {
            None => assert_eq!((ran.code, bed.has("proof/started")), (0, true), "{what}: {ran}"),
            Some(says) => {
                assert_eq!((ran.code, bed.has("proof/started")), (3, false), "{what}: {ran}");
                assert!(ran.stderr.contains(says), "{what}: {ran}");
            }
        }
    }
}

/// Both have to sign: one by minisign, the other one by a bundle.
#[test]
fn two_people_sign_one_set() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let bed = home();
    bed.run("policy sign --new-key one --no-password").succeeds();
    let minisign = bed.read(".mcp/keys/one.pub").lines().nth(1).unwrap().to_owned();
    bed.write(".mcp/key.pem", key.public_key_pem());
    signed_by(&bed, &format!("[{{all_of: [{{minisign: '{minisign}'}}, {{key: key.pem}}]}}]"));
    let run = format!("run {TOOL}");
    bed.run("policy sign company.tar.gz").succeeds();
    bed.run(&run).refuses(3, &["it is by one of several that are required, and another is missing"]);
    bed.write("company.tar.gz.sigstore.json", world.sign_with(&key, &archive(3), false).to_string());
    bed.run(&run).succeeds();
    // The copy has kept both.
    for file in ["company.tar.gz", "company.tar.gz.minisig", "company.tar.gz.sigstore.json"] {
        std::fs::remove_file(bed.path(file)).unwrap();
    }
    bed.run(&run).succeeds().says(&["version 3 stays in force"]);
    bed.write(".mcp/key.pem", KeyPair::generate().unwrap().public_key_pem());
    bed.run(&run).refuses(2, &["version 3 was the last good one, but it is not signed as the configuration says"]);
}

#[test]
fn what_is_in_force_reads_well() {
    let bed = home();
    bed.run("policy sign --new-key team --no-password").succeeds();
    let public = bed.read(".mcp/keys/team.pub");
    let (number, key) = (public.lines().next().unwrap().rsplit(' ').next().unwrap(), public.lines().nth(1).unwrap());
    signed_by(&bed, &format!("[{{minisign: '{key}'}}]"));
    let hidden = |text: &str| bed.redact(text).replace(key, "[KEY]").replace(number, "[NUMBER]");
    let refused = bed.run(&format!("run {TOOL}")).exits(3);
    insta::assert_snapshot!("set_refused", hidden(&refused.stderr));
    let signed = bed.run("policy sign company.tar.gz").succeeds();
    insta::assert_snapshot!("set_signed", hidden(&signed.stdout));
    let verified = bed.run("policy verify company.tar.gz").succeeds();
    insta::assert_snapshot!("set_verified", hidden(&verified.stdout));
    let pulled = bed.run("policy set pull").succeeds();
    insta::assert_snapshot!("set_pulled", hidden(&pulled.stderr));
    let mut shown = bed.run("--json policy set show").succeeds().document();
    assert!(shown["sets"][0]["looked_at"].take().is_string(), "{shown}");
    insta::assert_snapshot!("sets_in_force_json", hidden(&format!("{shown:#}")));
    // The other commands have the same, under the same name.
    for line in ["--json policy list", "--json config validate"] {
        let mut listed = bed.run(line).succeeds().document();
        listed["sets"][0]["looked_at"].take();
        assert_eq!(listed["sets"], shown["sets"], "{line}");
    }
    let doctor = bed.run("doctor");
    let line = doctor.stdout.lines().find(|line| line.contains("policy set")).unwrap();
    insta::assert_snapshot!("set_in_doctor", hidden(line));
    bed.write("company.tar.gz", archive(2));
    bed.run("policy sign company.tar.gz").succeeds();
    let stays = bed.run(&format!("run {TOOL}")).succeeds();
    let (last, end) = stays.stderr.lines().last().unwrap().rsplit_once("until ").unwrap();
    assert!(end.starts_with("20") && end.ends_with('Z'), "{end}");
    insta::assert_snapshot!("set_stays", hidden(&format!("{last}until [TIME]")));
}
