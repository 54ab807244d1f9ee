//! Every state of a statement, under every entry and mode.

use crate::world::DAY;
use crate::world::HOUR;
use crate::world::Said;
use crate::world::TOOL;
use crate::world::World;
use crate::world::signature;
use smcp_model::digest::Digest;
use smcp_model::statement::StatementTarget;
use smcp_signature::secret_key::SecretKey;

const PUBLISHED: Option<&str> = Some("published");

/// Exit codes: with `signed_by` alone, with `require`, and where all policies are disabled.
type Exits = (i32, i32, i32);

/// A state of the registry, and what follows from it.
struct State {
    name: &'static str,
    stage: fn(&World),
    exits: Exits,
    /// The code of the refusal with `signed_by` alone, and with `require`.
    codes: (&'static str, &'static str),
}

const UNSIGNED: &str = "status-unsigned";
const MISSING: &str = "statement-missing";

fn states() -> Vec<State> {
    let unknown = |name, stage| State { name, stage, exits: (4, 3, 4), codes: (UNSIGNED, MISSING) };
    let wrong = |name, stage, code| State { name, stage, exits: (3, 3, 4), codes: (code, code) };
    vec![
        unknown("there is none", |_| ()),
        unknown("a stranger's", |world| {
            world.sign_by(&SecretKey::generate().unwrap(), &Said::good().about(&world.target()));
        }),
        unknown("a damaged signature", |world| world.place(&Said::good().about(&world.target()), "X", "nonsense")),
        unknown("expired", |world| world.say(&Said { issued: -100, validity: 50, ..Said::good() })),
        unknown("of tomorrow", |world| world.say(&Said { issued: i64::try_from(DAY).unwrap(), ..Said::good() })),
        unknown("newer and expired, older and valid", |world| {
            world.say(&Said::good());
            world.say(&Said { issued: -100, validity: 50, sequence: 8, ..Said::good() });
        }),
        State {
            name: "without a status",
            stage: |world| world.say(&Said { status: None, ..Said::good() }),
            exits: (4, 4, 4),
            codes: (UNSIGNED, UNSIGNED),
        },
        State {
            name: "revoked",
            stage: |world| {
                world.say(&Said::good());
                world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
            },
            exits: (4, 4, 4),
            codes: ("status", "status"),
        },
        wrong(
            "a signature of something else",
            |world| {
                let key = &world.key;
                world.place(&Said::good().about(&world.target()), &key.public().number(), signature(key, b"other"));
            },
            "statement-forged",
        ),
        wrong(
            "edited afterwards",
            |world| {
                let text = String::from_utf8(Said::good().about(&world.target())).unwrap();
                let signed = signature(&world.key, text.as_bytes());
                world.place(text.replace("85", "99").as_bytes(), "X", signed);
            },
            "statement-forged",
        ),
        wrong(
            "a forged one beside a good one",
            |world| {
                world.say(&Said::good());
                world.place(b"{}", "X", signature(&world.key, b"other"));
            },
            "statement-forged",
        ),
        wrong(
            "of another package",
            |world| {
                let target = StatementTarget { package: "acme/other@1.0.0".to_owned(), ..world.target() };
                world.sign_by(&world.key, &Said::good().about(&target));
            },
            "statement-misplaced",
        ),
        wrong(
            "of another version",
            |world| {
                let target = StatementTarget { package: "acme/tool@0.9.0".to_owned(), ..world.target() };
                world.sign_by(&world.key, &Said::good().about(&target));
            },
            "statement-misplaced",
        ),
        wrong(
            "of another bundle",
            |world| {
                let target = StatementTarget { bundle: Digest::of(b"x"), ..world.target() };
                world.sign_by(&world.key, &Said::good().about(&target));
            },
            "statement-misplaced",
        ),
        wrong(
            "of another manifest",
            |world| {
                let target = StatementTarget { manifest: Digest::of(b"x"), ..world.target() };
                world.sign_by(&world.key, &Said::good().about(&target));
            },
            "statement-misplaced",
        ),
        wrong(
            "two of one number",
            |world| {
                world.say(&Said::good());
                world.say(&Said { score: 86, ..Said::good() });
            },
            "statement-ambiguous",
        ),
        wrong(
            "valid for more than a year",
            |world| {
                let text = String::from_utf8(Said::good().about(&world.target())).unwrap();
                let (before, after) = text.split_once("\"expires\": \"").unwrap();
                let text = format!("{before}\"expires\": \"9{}", &after[1..]);
                world.sign_by(&world.key, text.as_bytes());
            },
            "statement-unusable",
        ),
        wrong(
            "with a key that is not known",
            |world| {
                let text = String::from_utf8(Said::good().about(&world.target())).unwrap();
                let text = text.replace("\"sequence\"", "\"weight\": 1, \"sequence\"");
                world.sign_by(&world.key, text.as_bytes());
            },
            "statement-unusable",
        ),
        wrong("no statement at all", |world| world.sign_by(&world.key, b"good"), "statement-unusable"),
    ]
}

fn modes(mode: &str) -> String {
    format!("min_score: 80, cert_mode: {mode}, origin_mode: {mode}, score_mode: {mode}")
}

#[test]
fn a_state_of_the_registry_has_one_end() {
    for State { name, stage, exits, codes } in states() {
        for (more, mode, exit, code) in [
            ("", "strict", exits.0, codes.0),
            ("", "warn", exits.0, codes.0),
            (", require: true", "strict", exits.1, codes.1),
            (", require: true", "warn", exits.1, codes.1),
            ("", "disabled", exits.2, if exits.2 == exits.0 { codes.0 } else { UNSIGNED }),
            (", require: true", "disabled", exits.2, if exits.2 == exits.1 { codes.1 } else { UNSIGNED }),
        ] {
            let world = World::new();
            world.believe(more, &modes(mode));
            stage(&world);
            let found = world.check();
            assert_eq!(found.code, exit, "{name}{more} {mode}: {found}");
            assert_eq!(world.refuses(exit), code, "{name}{more} {mode}");
        }
    }
}

#[test]
fn policies_are_told_what_is_signed_and_never_what_the_registry_says() {
    // The registry says 95.
    for (score, minimum, mode, exit) in [
        (85, 80, "strict", 0),
        (85, 90, "strict", 4),
        (85, 90, "warn", 0),
        (85, 90, "disabled", 0),
        (30, 80, "strict", 4),
        (99, 99, "strict", 0),
    ] {
        let world = World::new();
        world.say(&Said { score, ..Said::good() });
        let policy = format!("min_score: {minimum}, cert_mode: {mode}, origin_mode: {mode}, score_mode: {mode}");
        world.believe("", &policy);
        let document = world.check().exits(exit).document();
        let stated = &document["statements"][0];
        assert_eq!((&stated["score"], &stated["sequence"]), (&score.into(), &7.into()), "{document}");
        assert_eq!(stated["signer"], format!("minisign {}", world.key.public()));
        assert_eq!(document["facts"]["score"], 95, "the registry's words are shown");
        assert_eq!(document["facts"]["believed_by"], serde_json::json!([]), "and nobody believes them");
        if mode != "disabled" && score < minimum {
            let said = format!("security score {score} is below minimum required score {minimum}");
            assert!(document.to_string().contains(&said), "{document}");
        }
    }
}

#[test]
fn what_is_not_stated_is_unknown() {
    let world = World::new();
    world.say(&Said::good());
    // The registry gives level 3; the statement has none.
    world.believe("", "min_cert_level: 1");
    let document = world.check().exits(4).document();
    assert!(document.to_string().contains("unknown"), "{document}");
    world.believe("", "allowed_origins: [official]");
    let document = world.check().exits(4).document();
    assert!(document.to_string().contains("origin \\\"verified\\\" is not allowed"), "{document}");
}

#[test]
fn a_statement_can_be_too_old_for_a_layer() {
    let world = World::new();
    world.say(&Said { issued: -i64::try_from(2 * HOUR).unwrap(), ..Said::good() });
    for (more, exit) in [
        ("", 0),
        (", max_age: 3h", 0),
        (", max_age: 1h", 4),
        (", max_age: 1h, require: true", 3),
        (", max_age: 3h, require: true", 0),
    ] {
        world.believe(more, "min_score: 80");
        world.check().exits(exit);
    }
}

#[test]
fn a_deprecated_version_starts_with_a_notice() {
    let world = World::new();
    world.say(&Said { status: Some("deprecated"), ..Said::good() });
    world.believe("", "");
    let document = world.check().succeeds().document();
    assert_eq!(document["notices"][0]["code"], "status-deprecated", "{document}");
    // What the registry itself refuses is refused, whatever is signed.
    world.say(&Said { status: PUBLISHED, sequence: 8, ..Said::good() });
    let package = crate::bed::Package::shell(crate::world::TOOL, "touch \"$HOME/proof/started\"").good();
    world.bed.publish(&package.option("--status", "quarantined"));
    assert_eq!(world.refuses(4), "status");
}

#[test]
fn a_decision_by_statements_is_explained_and_made_again_by_them() {
    let world = World::new();
    world.say(&Said::good());
    world.believe("", "min_score: 90");
    world.check().exits(4);
    world.bed.run("policy replay").exits(0);
    world.bed.run("policy replay --with .mcp/config.yaml").exits(0);
    let ran = world.bed.run(&format!("policy explain {TOOL}")).exits(0);
    for words in ["were told what was signed: published,", "would pass: score 90 (is 85)"] {
        assert!(ran.stdout.contains(words), "{words}: {ran}");
    }
    world.believe("", "min_score: 85");
    let document = world.bed.run("--json policy replay --with .mcp/config.yaml").exits(1).document();
    assert_eq!(document["summary"]["newly_allowed"], 1, "{document}");
}
