//! What a registry puts in the place of a set.

use serde_json::Value;
use serde_json::json;

use crate::bed;
use crate::bed::TestBed;
use crate::component;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use crate::sets::KIND;
use crate::sets::RUN;
use crate::sets::archive;
use crate::sets::archive_of;
use crate::sets::by_tag;
use crate::sets::grow_old;
use crate::sets::key;
use crate::sets::push;
use crate::sets::signature;
use crate::sets::version;
use smcp_model::digest::Digest;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_signature::secret_key::SecretKey;

const MINISIGN: &str = "application/vnd.mcp-hub.minisign.v1";

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
