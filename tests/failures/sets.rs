//! Failures of policy sets: nothing came, or what came is not right.

use std::fs;

use crate::Row;
use crate::bed::TestBed;
use crate::scene::Scene;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "a policy set can't be read, and no good one was seen, or it is too old",
        holds: &[
            ("whose set", "the policy set of the added layer"),
            ("where", "[HOME]/set.tar.gz, can't be read"),
            ("why", "No such file"),
        ],
        provoke: |trial| trial.refuses(named),
    },
    Row {
        what: "what came as a policy set is damaged, incomplete or not understood, and there is no good one",
        holds: &[
            ("where", "[HOME]/set.tar.gz, is not the archive of a set"),
            ("each problem", "it is truncated or damaged"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.write("set.tar.gz", "damaged");
                named(bed)
            });
        },
    },
    Row {
        what: "a policy set is not signed as its `signed_by` says, and there is no good one",
        holds: &[
            ("whose set", "the policy set of the added layer"),
            ("what was found", "found: no signature beside it (looked for set.tar.gz.minisig)"),
            ("who was expected", "expected: the minisign key RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                build(bed, 3, "2199-01-01T00:00:00Z");
                let rule = "signed_by: [{minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}]";
                named_with(bed, rule)
            });
        },
    },
    Row {
        what: "a policy set is below `minimum`, and there is no good one",
        holds: &[("both versions", "has version 2, and the configuration accepts none before 3 (`minimum`)")],
        provoke: |trial| {
            trial.refuses(|bed| {
                build(bed, 2, "2199-01-01T00:00:00Z");
                named(bed)
            });
        },
    },
    Row {
        what: "a policy set is older than one that was seen, or another one with its version, and there is no good one",
        holds: &[
            ("both versions", "has version 4, and this machine has seen version 5 of it"),
            ("why the last good one does not count", "version 5 was the last good one, but its copy can't be read"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                build(bed, 5, "2199-01-01T00:00:00Z");
                let scene = named(bed);
                bed.smcp("policy list").env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml")).run().succeeds();
                build(bed, 4, "2199-01-01T00:00:00Z");
                fs::remove_dir_all(bed.path(".mcp/sets")).unwrap();
                scene
            });
        },
    },
    Row {
        what: "a policy set has expired, and there is no good one",
        holds: &[("its version", "has version 6, which"), ("since when", "expired at 2001-01-01T00:00:00Z")],
        provoke: |trial| {
            trial.refuses(|bed| {
                // smcp makes none that is over.
                let text = "version: 6\nexpires: 2001-01-01T00:00:00Z\npolicy: {}\n";
                let files = [("set.yaml".to_owned(), text.as_bytes().to_vec())].into();
                bed.write("set.tar.gz", smcp_bundle::set::pack_set(&files).unwrap());
                named(bed)
            });
        },
    },
];

/// A run under a layer that names the set.
fn named(bed: &TestBed) -> Scene {
    named_with(bed, "minimum: 3")
}

fn named_with(bed: &TestBed, keys: &str) -> Scene {
    let set = format!("policy: {{policy_set: {{source: set.tar.gz, {keys}}}}}");
    bed.write("added.yaml", format!("registry_url: registry\n{set}\n"));
    Scene::run().env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml").to_str().unwrap())
}

fn build(bed: &TestBed, version: u64, expires: &str) {
    bed.write("company/set.yaml", format!("version: {version}\nexpires: {expires}\npolicy: {{}}\n"));
    bed.run("policy set build company -o set.tar.gz").succeeds();
}
