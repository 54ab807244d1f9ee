//! Policy sets that are elsewhere: shipped, signed, kept, and whatever a registry may do about them.

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::bed;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::component;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use smcp_model::digest::Digest;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const RUN: &str = "run acme/quiet@1.0.0";
const MINISIGN: &str = "application/vnd.mcp-hub.minisign.v1";
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
fn what_a_registry_puts_in_the_place_of_a_set_never_comes_into_force() {
    let (ours, theirs) = (key(), key());
    let of = |kind: &str, bytes: &[u8]| serde_json::to_value(Descriptor::of(kind, bytes)).unwrap();
    type Stage<'s> = Box<dyn Fn(&TestBed, &Registry) + 's>;
    let changed = |change: fn(&mut Value)| -> Stage<'static> {
        Box::new(move |_, registry| {
            let mut manifest = registry.manifest("1").unwrap();
            change(&mut manifest);
            registry.put_manifest("1", &manifest);
        })
    };
    let cases: Vec<(&str, Stage<'_>, &str)> = vec![
        (
            "unsigned",
            Box::new(|bed, registry| drop(push(bed, registry, None, &archive(9), "1"))),
            "it has no signature",
        ),
        (
            "by a foreign key",
            Box::new(|bed, registry| drop(push(bed, registry, Some(&theirs), &archive(9), "1"))),
            "it is by another minisign key",
        ),
        (
            "an older one, well signed",
            Box::new(|bed, registry| drop(push(bed, registry, Some(&ours), &archive(6), "1"))),
            "has version 6, and this machine has seen version 7",
        ),
        (
            "the same number with other rules",
            Box::new(|bed, registry| {
                let other = archive_of("version: 7\nexpires: 2199-12-31T00:00:00Z\npolicy: {}\n");
                drop(push(bed, registry, Some(&ours), &other, "1"));
            }),
            "another set with that version",
        ),
        (
            "one that is over",
            Box::new(|_, registry| {
                let over = archive_of("version: 9\nexpires: 2001-12-31T00:00:00Z\npolicy: {}\n");
                put(registry, &over, Some(&ours));
            }),
            "which expired at 2001-12-31",
        ),
        (
            "a signature of another archive",
            Box::new(|_, registry| {
                put(registry, &archive(9), None);
                refer(registry, &signature(&ours, &archive(7)));
            }),
            "its signature is not one by that key",
        ),
        (
            "a signature of the tag",
            Box::new(|_, registry| {
                put(registry, &archive(9), None);
                refer(registry, &signature(&ours, registry.oci("company/rules:1").as_bytes()));
            }),
            "its signature is not one by that key",
        ),
        (
            "a signed component",
            Box::new(|_, registry| {
                registry.put_component("1", &component());
                refer(registry, &signature(&ours, &component()));
            }),
            "it does not say of which kind it is",
        ),
        (
            "a signed component as the archive",
            Box::new(|_, registry| put(registry, &component(), Some(&ours))),
            "is not the archive of a set",
        ),
        (
            "half of an archive",
            Box::new(|_, registry| put(registry, &archive(9)[..500], Some(&ours))),
            "it is truncated or damaged",
        ),
        (
            "a shorter blob than its digest names",
            Box::new(|_, registry| {
                put(registry, &archive(9), Some(&ours));
                let line = format!("GET /v2/company/rules/blobs/{}", digest(&archive(9)));
                registry.script(&line, vec![Reply::with(200, &[], &archive(9)[..500]); 8]);
            }),
            "is not what its digest promises",
        ),
        (
            "an archive of another size",
            changed(|it| {
                it["layers"][0]["digest"] = json!(Digest::of(b"x"));
                it["layers"][0]["size"] = json!(70 << 20);
            }),
            "more than",
        ),
        ("two archives", changed(|it| it["layers"] = json!([it["layers"][0], it["layers"][0]])), "it has 2 layers"),
        ("another kind", changed(|it| it["artifactType"] = json!("application/vnd.x")), "`application/vnd.x`"),
        (
            "an index",
            Box::new(|_, registry| {
                let entry = of(IMAGE_MANIFEST, registry.manifest("1").unwrap().to_string().as_bytes());
                let kind = "application/vnd.oci.image.index.v1+json";
                registry.put_manifest("1", &json!({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}));
            }),
            "it is `application/vnd.oci.image.index.v1+json`",
        ),
    ];
    for (what, stage, says) in cases {
        let (bed, fresh) = (bed(), crate::bed());
        let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
        push(&bed, &registry, Some(&ours), &archive(7), "1");
        for machine in [&bed, &fresh] {
            by_tag(machine, &registry, &ours, "");
        }
        bed.run(RUN).succeeds();
        stage(&bed, &registry);
        grow_old(&bed);
        let ran = bed.run(RUN).succeeds().prints("runs\n").says(&[says, "version 7 stays in force, until"]);
        assert_eq!(ran.stderr.lines().count(), 1, "{what}: {ran}");
        let pulled = bed.run("policy set pull").exits(3);
        pulled.says(&[says, "version 7 stays in force, until"]);
        assert_eq!(version(&bed), 7, "{what}");
        // A machine that has seen none starts nothing, and keeps nothing.
        let refused = fresh.run(RUN);
        if !what.contains("older") && !what.contains("same number") {
            assert_eq!(refused.code, 3, "{what}: {refused}");
            assert!(refused.stderr.contains(says) && !refused.stdout.contains("runs"), "{what}: {refused}");
            assert!(!fresh.has(".mcp/seen.json") && !fresh.has(".mcp/sets"), "{what}");
        }
    }
}

/// Puts an archive there as nobody's tool would.
fn put(registry: &Registry, archive: &[u8], key: Option<&SecretKey>) {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST, "artifactType": KIND,
        "config": registry.put_blob("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [registry.put_blob("application/vnd.mcp-hub.policy-set.v1.tar+gzip", archive)],
    });
    registry.put_manifest("1", &manifest);
    key.into_iter().for_each(|key| refer(registry, &signature(key, archive)));
}

/// Puts a referrer to what the tag names there.
fn refer(registry: &Registry, signature: &str) {
    let manifest = registry.manifest("1").unwrap().to_string();
    let client = smcp_oci::OciClient::new(
        registry.oci("company/rules:1").parse::<smcp_model::oci::OciReference>().unwrap().repository(),
        smcp_http::HttpSettings::default(),
        Box::new(|| Ok(None)),
    );
    let subject = Descriptor::of(IMAGE_MANIFEST, manifest.as_bytes());
    client.push_referrer(&subject, MINISIGN, &[(MINISIGN, signature.as_bytes())], &crate::referrers::soon()).unwrap();
}

#[test]
fn a_registry_that_is_gone_leaves_the_last_good_set() {
    let (bed, fresh, key) = (bed(), crate::bed(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    push(&bed, &registry, Some(&key), &archive(7), "1");
    for machine in [&bed, &fresh] {
        by_tag(machine, &registry, &key, "");
    }
    bed.run(RUN).succeeds();
    let stays = "version 7 stays in force, until";
    let gone = [
        Reply::with(503, &[], "down"),
        Reply::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{".to_vec()),
        Reply::with(404, &[], ""),
        Reply::with(401, &[("www-authenticate", "Basic realm=\"r\"")], ""),
    ];
    for reply in gone {
        registry.script("GET /v2/company/rules/manifests/1", vec![reply.clone(); 64]);
        grow_old(&bed);
        bed.run(RUN).succeeds().prints("runs\n").says(&["can't be read: ", stays]);
        fresh
            .run(&format!("{RUN} --timeout 20s"))
            .refuses(2, &["can't be read: ", "nothing starts without a good set"]);
        bed.run("policy set pull").exits(2).says(&[stays]);
        registry.clear_scripts();
    }
    // One that says nothing is waited for as long as nobody notices.
    registry.script("GET /v2/company/rules/manifests/1", vec![Reply::Silence; 8]);
    grow_old(&bed);
    let began = Instant::now();
    bed.run(RUN).succeeds().prints("runs\n").says(&["it took longer than 2s", stays]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    registry.clear_scripts();
    bed.run(RUN).succeeds().silent();
}

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

/// A start that fails because of its set is recorded, as any other failure of what it was to start.
#[test]
fn what_is_wrong_with_a_set_is_in_the_audit_log() {
    let (ours, theirs) = (key(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    for (line, command) in [
        (RUN, "run"),
        ("run --dry-run acme/quiet@1.0.0", "run --dry-run"),
        ("policy check acme/quiet@1.0.0", "policy check"),
    ] {
        let bed = bed();
        name(&bed, "oci://127.0.0.1:1/company/rules:1", &format!(", signed_by: [{{minisign: '{}'}}]", ours.public()));
        bed.run(line).exits(2);
        push(&bed, &registry, Some(&theirs), &archive(7), "1");
        by_tag(&bed, &registry, &ours, "");
        bed.run(line).exits(3);
        by_tag(&bed, &registry, &theirs, "");
        bed.run(line).succeeds();
        let log = bed.read(".mcp/audit.jsonl");
        let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let refusals: Vec<_> = records.iter().filter(|it| it["decision"]["refusal"].is_object()).collect();
        let of = |it: &Value| (it["decision"]["refusal"]["code"].clone(), it["decision"]["exit_code"].clone());
        let found: Vec<_> = refusals.iter().map(|it| of(it)).collect();
        let expected = [(json!("set-unavailable"), json!(2)), (json!("set-signature-invalid"), json!(3))];
        assert_eq!(found, expected, "{log}");
        for record in refusals {
            assert_eq!((&record["command"], &record["asked"]), (&json!(command), &json!("acme/quiet@1.0.0")), "{log}");
            assert_eq!(record["package"], "acme/quiet@1.0.0");
            assert!(
                record["decision"]["refusal"]["message"].as_str().unwrap().contains("policy set of the user layer")
            );
        }
        bed.run("audit verify").succeeds();
    }
    // Where the log can't be written, the set is what ends it, and the user is told of both.
    let bed = bed();
    name(&bed, "oci://127.0.0.1:1/company/rules:1", &format!(", signed_by: [{{minisign: '{}'}}]", ours.public()));
    std::fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap();
    bed.run(RUN).exits(2).says(&["the audit log is not complete", "nothing starts without a good set"]);
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
