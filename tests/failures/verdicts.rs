//! Policies that do not allow a package: by their rules, by a pin, or for want of consent.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::Row;
use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::before::with_tool;
use crate::guest::Twin;
use crate::policies::put;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "a component is not the pinned one",
        holds: &[("both digests", "has the digest sha256:[DIGEST], but the configuration pins sha256:[DIGEST]")],
        provoke: pinned,
    },
    Row {
        what: "a component is not signed as `signed_by` says",
        holds: &[
            ("what was found", "found: no signature beside it (looked for guest.wasm.minisig)"),
            ("who was expected", "expected: the minisign key "),
            ("what to do", "sign the component (`smcp policy sign`)"),
        ],
        provoke: unsigned,
    },
    Row {
        what: "a file that `signed_by` names can't be used",
        holds: &[
            ("the file", "[HOME]/team.pem, which `signed_by` names, can't be used"),
            ("the reason", "No such file"),
        ],
        provoke: without_its_key,
    },
    Row {
        what: "a policy is violated",
        holds: &[
            ("each finding", "asks for network hosts that are not allowed: *"),
            ("its remedy", "→ "),
            ("the exception that would lift it", "      codes: [network-not-allowed]"),
        ],
        provoke: violated,
    },
    Row {
        what: "the same, and the exception for it has ended, or is for another package, policy, code or registry",
        holds: &[
            ("each finding", "asks for network hosts that are not allowed: *"),
            ("that it has ended", "the exception for `acme/tool` ended on 2020-01-01 and is ignored"),
        ],
        provoke: unwaived,
    },
    Row { what: "a fact that a rule needs is unknown", holds: &[("that it is unknown", "unknown")], provoke: unknown },
    Row {
        what: "consent is needed, the answer is not yes",
        holds: &[("that it was not started", "not started")],
        provoke: |trial| trial.answers("no\n", asking),
    },
    Row {
        what: "consent is needed, nobody can be asked",
        holds: &[("`--trust`", "--trust")],
        provoke: |trial| {
            let bed = TestBed::new();
            let told = asking(&bed).told(&bed);
            trial.exit(told.code, &told);
            assert!(!bed.has("proof/started") && told.stdout.is_empty(), "{told}");
            trial.message(&told.stderr);
            trial.recorded(&bed);
        },
    },
];

/// The mode has no effect, except for `disabled`.
fn pinned(trial: &Trial<'_>) {
    refuses(trial, &format!("digest: 'sha256:{}'", "0".repeat(64)), "sha256:");
}

fn unsigned(trial: &Trial<'_>) {
    signed_by(trial, "minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3");
}

/// The key is not there.
fn without_its_key(trial: &Trial<'_>) {
    signed_by(trial, "key: ~/team.pem");
}

/// As for a pin.
fn signed_by(trial: &Trial<'_>, signer: &str) {
    refuses(trial, &format!("signed_by: [{{{signer}}}]"), "");
}

/// Nothing runs beside an entry with these keys, in no mode but `disabled`; what is told has these words.
fn refuses(trial: &Trial<'_>, keys: &str, says: &str) {
    for mode in ["strict", "warn", "disabled"] {
        let bed = TestBed::new();
        with_tool(&bed);
        put(&bed, &Twin::honest());
        bed.configure(&format!("policy: {{custom: [{{name: guest, source: ~/guest.wasm, {keys}, mode: {mode}}}]}}\n"));
        let told = bed.run(&format!("run --trust {TOOL}"));
        if mode == "disabled" {
            told.succeeds();
            trial.column(2, "skip");
            continue;
        }
        trial.exit(told.code, &told);
        trial.column(usize::from(mode == "warn"), "refuse");
        assert!(!bed.has("proof/started") && told.stderr.contains(says), "{told}");
        trial.message(&told.stderr);
        trial.refused(&bed.run(&format!("--json policy check --trust {TOOL}")));
    }
}

fn violated(trial: &Trial<'_>) {
    trial.judges(|bed| {
        violating(bed);
        String::new()
    });
}

/// Publishes a package, and installs a policy that it violates.
fn violating(bed: &TestBed) {
    let wants = |manifest: &mut Value| manifest["permissions"]["network"]["outbound"] = json!(["*"]);
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").manifest(wants).good());
    bed.write("guest.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
}

fn unwaived(trial: &Trial<'_>) {
    let digest = format!("sha256:{}", "0".repeat(64));
    for exception in [
        "package: acme/tool, policies: [guest], reason: x, until: 2020-01-01",
        "package: acme/other, policies: [guest], reason: x, until: 9999-12-31",
        "package: acme/tool@2.0.0, policies: [guest], reason: x, until: 9999-12-31",
        &format!("package: 'acme/tool@{digest}', policies: [guest], reason: x, until: 9999-12-31"),
        "package: acme/tool, policies: [score], reason: x, until: 9999-12-31",
        "package: acme/tool, policies: [guest], codes: [other], reason: x, until: 9999-12-31",
    ] {
        trial.judges(|bed| {
            violating(bed);
            // The entry of the policy ends here, and what follows closes the exception.
            format!("}}], exceptions: [{{{exception}")
        });
    }
}

/// Of the built-in policies, `origin` reports it and `score` asks.
fn unknown(trial: &Trial<'_>) {
    let bed = TestBed::new();
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\""));
    let rules = |mode: &str| {
        bed.configure(&format!(
            "policy: {{allowed_origins: [official], min_cert_level: 1, min_score: 1, cert_mode: {mode}, \
             origin_mode: {mode}, score_mode: {mode}}}\n"
        ));
    };
    rules("strict");
    let told = bed.run(&format!("run --trust {TOOL}"));
    trial.exit(told.code, &told);
    assert!(!bed.has("proof/started") && told.stderr.matches("unknown").count() >= 3, "{told}");
    trial.message(&told.stderr);
    let check = || bed.run(&format!("--json policy check {TOOL}"));
    for (mode, column, exit) in [("strict", 0, 4), ("warn", 1, 4), ("disabled", 2, 0)] {
        rules(mode);
        let ran = check().exits(exit);
        for policy in ["origin", "certification", "score"] {
            trial.effect(&ran, policy, column);
        }
    }
}

/// A package with a low score, and a policy that asks.
fn asking(bed: &TestBed) -> Scene {
    bed.configure("policy: {min_score: 80, score_mode: warn}\n");
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").facts("official", 3, 20));
    Scene::run()
}
