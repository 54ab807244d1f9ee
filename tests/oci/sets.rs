//! Policy sets that are elsewhere: shipped, signed, kept, and whatever a registry may do about them.

mod audited;
mod hostile;
mod names;
mod outages;

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::bed;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::component;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use smcp_oci::IMAGE_MANIFEST;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const RUN: &str = "run acme/quiet@1.0.0";
const KIND: &str = "application/vnd.mcp-hub.policy-set.v1";

fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

/// The archive of a set with one component; the package of the bed meets its rules.
pub(crate) fn archive(version: u64) -> Vec<u8> {
    archive_of(&format!("version: {version}\nexpires: 2199-12-31T00:00:00Z\npolicy: {{min_score: 80}}\n"))
}

fn archive_of(text: &str) -> Vec<u8> {
    let files = [("set.yaml", text.as_bytes().to_vec()), ("policies.d/no-network.wasm", component())];
    smcp_bundle::set::pack_set(&files.map(|(name, bytes)| (name.to_owned(), bytes)).into()).unwrap()
}

fn signature(key: &SecretKey, bytes: &[u8]) -> String {
    minisign::sign(key, bytes, "timestamp:1")
}

/// Writes an archive and its signature into files, and pushes both under a tag.
fn push(bed: &TestBed, registry: &Registry, key: Option<&SecretKey>, archive: &[u8], tag: &str) -> Value {
    bed.write("company.tar.gz", archive);
    drop(std::fs::remove_file(bed.path("company.tar.gz.minisig")));
    if let Some(key) = key {
        bed.write("company.tar.gz.minisig", signature(key, archive));
    }
    let reference = registry.oci(&format!("company/rules:{tag}"));
    bed.run(&format!("--json policy set push company.tar.gz {reference}")).succeeds().document()
}

fn name(bed: &TestBed, source: &str, more: &str) {
    bed.configure(&format!("policy: {{policy_set: {{source: '{source}'{more}}}}}\n"));
}

/// Names the set under the tag, signed by the key.
fn by_tag(bed: &TestBed, registry: &Registry, key: &SecretKey, more: &str) {
    let rule = format!(", signed_by: [{{minisign: '{}'}}]{more}", key.public());
    name(bed, &registry.oci("company/rules:1"), &rule);
}

/// Makes the last look at every set two hours older, as a test can't wait for that.
fn grow_old(bed: &TestBed) {
    let mut seen: Value = serde_json::from_str(&bed.read(".mcp/seen.json")).unwrap();
    for set in seen["sets"].as_array_mut().unwrap() {
        let at = humantime::parse_rfc3339(set["looked_at"].as_str().unwrap()).unwrap();
        let earlier = at - Duration::from_secs(2 * 60 * 60);
        set["looked_at"] = humantime::format_rfc3339_seconds(earlier).to_string().into();
    }
    bed.write(".mcp/seen.json", seen.to_string());
}

/// The version of the set in force.
fn version(bed: &TestBed) -> u64 {
    let shown = bed.run("--json policy set show").succeeds().document();
    shown["sets"][0]["version"].as_u64().unwrap()
}
#[test]
fn a_set_is_pushed_with_its_signature_and_in_force_by_it() {
    for referrers in [true, false] {
        let (bed, key) = (bed(), key());
        let registry = Registry::start(Habits { referrers, ..Habits::default() });
        let pushed = push(&bed, &registry, Some(&key), &archive(7), "1");
        assert_eq!((&pushed["version"], &pushed["signatures"]), (&json!(7), &json!(["company.tar.gz.minisig"])));
        let manifest = registry.manifest("1").unwrap();
        assert_eq!((&manifest["artifactType"], &manifest["mediaType"]), (&json!(KIND), &json!(IMAGE_MANIFEST)));
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
        let layers = manifest["layers"].as_array().unwrap();
        let kind = json!("application/vnd.mcp-hub.policy-set.v1.tar+gzip");
        assert_eq!((layers.len(), &layers[0]["mediaType"], &layers[0]["digest"]), (1, &kind, &pushed["digest"]));
        let again = push(&bed, &registry, Some(&key), &archive(7), "1");
        assert_eq!((&again["manifest"], &again["sent"]), (&pushed["manifest"], &json!(false)));
        by_tag(&bed, &registry, &key, "");
        bed.run(RUN).succeeds().prints("runs\n").silent();
        // Everything is fresh: nothing is opened, whatever is done.
        let asked = registry.connections();
        for line in
            [RUN, "policy list", "config validate", "config show", "doctor", "policy set show", "policy compile"]
        {
            bed.run(line).succeeds();
        }
        let document = bed.run("--json policy check acme/quiet@1.0.0").succeeds().document();
        assert!(document["policies"].as_array().unwrap().iter().any(|it| it["layer"] == "user/set"), "{document}");
        // The cache is not where sets are.
        bed.run("cache rm --all").succeeds();
        bed.run(RUN).succeeds().prints("runs\n").silent();
        assert_eq!(registry.connections(), asked, "{:?}", registry.lines());
        let shown = bed.run("--json policy set show").succeeds().document();
        let signer = format!("minisign {}", key.public());
        assert_eq!((&shown["sets"][0]["signer"], &shown["sets"][0]["version"]), (&json!(signer), &json!(7)));
        let record: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().last().unwrap()).unwrap();
        let decision = bed.run(&format!("--json audit show {}", record["run"])).succeeds().document();
        assert_eq!(decision["records"][0]["record"]["sets"][0]["signer"], json!(signer), "{decision}");
        // A component of it has its path below the address.
        let listed = bed.run("--json policy list").succeeds().document();
        let source = registry.oci("company/rules:1/policies.d/no-network.wasm");
        assert!(listed["policies"].as_array().unwrap().iter().any(|it| it["source"] == source), "{listed}");
        assert_eq!(listed["sets"][0]["source"], registry.oci("company/rules:1"));
        let doctor = bed.run("doctor");
        assert!(doctor.stdout.contains("user/set layer: version 7 of oci://"), "{doctor}");
    }
}

#[test]
fn an_old_look_is_renewed_by_one_question() {
    let (bed, key) = (bed(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    push(&bed, &registry, Some(&key), &archive(7), "1");
    by_tag(&bed, &registry, &key, "");
    bed.run(RUN).succeeds();
    grow_old(&bed);
    let before = registry.requests().len();
    bed.run(RUN).succeeds().silent();
    // What the tag points to is the same, and its signature is here.
    assert_eq!(registry.lines()[before..], ["GET /v2/company/rules/manifests/1"]);
    bed.run(RUN).succeeds().silent();
    assert_eq!(registry.requests().len(), before + 1);
    push(&bed, &registry, Some(&key), &archive(8), "1");
    assert_eq!(version(&bed), 7, "nobody is asked before its time");
    grow_old(&bed);
    assert_eq!(version(&bed), 8);
    // Ahead of any time.
    push(&bed, &registry, Some(&key), &archive(9), "1");
    let pulled = bed.run("--json policy set pull").succeeds().document();
    assert_eq!((&pulled["sets"][0]["version"], &pulled["sets"][0]["new"]), (&json!(9), &json!(true)));
    assert_eq!(version(&bed), 9);
    assert_eq!(bed.run("--json policy set pull").succeeds().document()["sets"][0]["new"], false);
}

#[test]
fn a_policy_of_a_set_may_be_elsewhere_itself() {
    let (bed, key, registry) = (bed(), key(), Registry::start(Habits::default()));
    registry.put_component("policy", &component());
    registry.put_blob("application/wasm", &component());
    let set = |keys: &str| {
        let source = registry.oci("policies/a:policy");
        let text = format!(
            "version: 1\nexpires: 2199-12-31T00:00:00Z\npolicy: {{custom: [{{name: far, source: '{source}'{keys}}}]}}\n"
        );
        smcp_bundle::set::pack_set(&[("set.yaml".to_owned(), text.into_bytes())].into()).unwrap()
    };
    let pin = format!(", digest: '{}'", digest(&component()));
    push(&bed, &registry, Some(&key), &set(&pin), "1");
    by_tag(&bed, &registry, &key, "");
    bed.run(RUN).succeeds().prints("runs\n").silent();
    let asked = registry.connections();
    bed.run(RUN).succeeds().silent();
    assert_eq!(registry.connections(), asked);
    let shown = bed.run("--json policy set show company.tar.gz").succeeds().document();
    let far = shown["policies"].as_array().unwrap().iter().find(|it| it["name"] == "far").unwrap();
    assert_eq!(
        (&far["digest"], &far["source"]),
        (&json!(digest(&component())), &json!(registry.oci("policies/a:policy")))
    );
    // What the set says of it holds.
    let other = format!(", digest: '{}'", digest(b"other"));
    bed.write("company.tar.gz", set(&other));
    name(&bed, "../company.tar.gz", "");
    bed.run(RUN).exits(3).says(&["but the configuration pins sha256:"]);
    let signed = format!(", signed_by: [{{minisign: '{}'}}]", key.public());
    bed.write("company.tar.gz", set(&signed));
    std::fs::remove_dir_all(bed.path(".mcp/sets")).unwrap();
    std::fs::remove_file(bed.path(".mcp/seen.json")).unwrap();
    bed.run(RUN).exits(3).says(&["it has no signature"]);
    for (keys, says) in [
        ("", "nothing says which bytes of"),
        (", signed_by: [{key: release.pem}]", "names a file, and a policy set has no keys in it"),
    ] {
        bed.write("company.tar.gz", set(keys));
        bed.run("policy set show company.tar.gz").refuses(3, &[says]);
    }
}

/// An air gap: the set and its signatures are files.
#[test]
fn a_set_is_carried_over_an_air_gap_with_its_signatures() {
    let (bed, inside, key) = (bed(), crate::bed(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    push(&bed, &registry, Some(&key), &archive(7), "1");
    let source = registry.oci("company/rules:1");
    let ran = bed.run(&format!("policy set pull {source} --output out.tar.gz")).succeeds();
    ran.says(&["is a policy set, whoever has signed it", "written to  ", "out.tar.gz.minisig"]);
    assert_eq!(std::fs::read(bed.path("out.tar.gz")).unwrap(), archive(7));
    assert!(!bed.has(".mcp/seen.json"), "it is nobody's set by that");
    for file in ["out.tar.gz", "out.tar.gz.minisig"] {
        inside.write(file, std::fs::read(bed.path(file)).unwrap());
    }
    name(&inside, "../out.tar.gz", &format!(", signed_by: [{{minisign: '{}'}}]", key.public()));
    let verified = inside.run("policy verify out.tar.gz").succeeds();
    assert!(verified.stdout.contains("policy set  user/set"), "{verified}");
    inside.run(RUN).succeeds().prints("runs\n").silent();
    let document = bed.run(&format!("--json policy set pull {source}")).succeeds().document();
    assert_eq!((&document["version"], &document["digest"]), (&json!(7), &json!(digest(&archive(7)))));
    bed.run("policy set pull oci://r.example/A").refuses(1, &["a repository is lower-case letters"]);
    bed.run("policy set pull").succeeds().says(&["the configuration names no policy set"]);
}

#[test]
fn only_a_good_set_is_pushed_and_only_to_a_tag() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let to = |reference: &str| -> Ran { bed.run(&format!("policy set push company.tar.gz {reference}")) };
    bed.write("company.tar.gz", archive(1));
    to(&format!("{}@{}", registry.oci("company/rules"), digest(b"x"))).refuses(1, &["name a tag"]);
    for (archive, code, says) in [
        (b"text".to_vec(), 3, "is not the archive of a set"),
        (component(), 3, "is not the archive of a set"),
        (archive_of("version: 1\nexpires: 2199-12-31T00:00:00Z\npolicy: {min_scor: 1}\n"), 3, "unknown key `min_scor`"),
        (archive_of("version: 1\nexpires: 2001-12-31T00:00:00Z\npolicy: {}\n"), 1, "its time is over"),
    ] {
        bed.write("company.tar.gz", archive);
        to(&registry.oci("company/rules:1")).refuses(code, &[says]);
    }
    assert_eq!(registry.lines(), [""; 0]);
    // A machine whose own set is broken can ship the one that mends it.
    bed.write("company.tar.gz", archive(1));
    by_tag(&bed, &registry, &key(), "");
    let ran = to(&registry.oci("company/rules:1")).succeeds();
    ran.says(&["signatures  none beside it", "under `policy_set` of a configuration: `source: oci://", "@sha256:"]);
    bed.run(RUN).exits(3);
    bed.write("no_network.wasm", component());
    bed.run(&format!("policy push no_network.wasm {}", registry.oci("policies/a:1"))).succeeds();
    bed.run(&format!("policy pull {}", registry.oci("policies/a:1"))).succeeds();
}
