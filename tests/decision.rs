//! The laws of the decision (spec 3), and the mode table row by row.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use smcp_decide::Decision;
use smcp_decide::Refusal;
use smcp_decide::Ruled;
use smcp_decide::Ruling;
use smcp_decide::admit;
use smcp_model::decision::Consent;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::mode::effect;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::OutcomeKind;
use smcp_model::verdict::Verdict;

#[test]
fn the_mode_table_is_the_one_of_the_spec() {
    use Effect::Ask;
    use Effect::Block;
    use Effect::Pass;
    use Effect::Warn;
    use OutcomeKind as Kind;
    // Mode, then the effect of a violation or fault under notify and under confirm.
    for (mode, notify, confirm) in [(Mode::Strict, Block, Block), (Mode::Warn, Warn, Ask), (Mode::Disabled, Pass, Pass)]
    {
        for (on_warn, expected) in [(OnWarn::Notify, notify), (OnWarn::Confirm, confirm)] {
            for kind in [Kind::Violation, Kind::Fault] {
                assert_eq!(effect(mode, kind, on_warn), expected, "{mode:?} {kind:?} {on_warn:?}");
            }
            for kind in [Kind::Pass, Kind::Skipped, Kind::Waived] {
                assert_eq!(effect(mode, kind, on_warn), Pass, "{mode:?} {kind:?} {on_warn:?}");
            }
        }
    }
    assert!(Pass < Warn && Warn < Ask && Ask < Block, "the order of the effects is the AND");
}

fn finding() -> Finding {
    Finding {
        code: "planted".parse().unwrap(),
        message: SafeText::new("planted"),
        fact: None,
        remedy: None,
        extensions: Vec::new(),
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Pass { notices: Vec::new() }),
        Just(Outcome::Pass { notices: vec![finding()] }),
        Just(Outcome::from_verdict(Verdict { violations: vec![finding()], notices: Vec::new() })),
        proptest::sample::select(&FaultKind::ALL[..]).prop_map(|kind| Outcome::Fault(Fault::new(kind, "planted"))),
        Just(Outcome::Waived { waived: Vec::new(), notices: vec![finding()] }),
    ]
}

fn policies() -> impl Strategy<Value = Evaluated> {
    let modes = proptest::sample::select(&Mode::ALL[..]);
    let on_warns = proptest::sample::select(&OnWarn::ALL[..]);
    (outcomes(), modes, on_warns, any::<bool>()).prop_map(|(outcome, mode, on_warn, system)| Evaluated {
        spec: Arc::new(PolicySpec {
            mode,
            layer: if system { LayerName::System } else { LayerName::User },
            ..PolicySpec::built_in(BuiltIn::Score, json!({}))
        }),
        on_warn,
        digest: None,
        signer: None,
        version: None,
        outcome: if mode == Mode::Disabled { Outcome::Skipped } else { outcome },
        duration: Duration::ZERO,
        memory: 0,
    })
}

fn many() -> impl Strategy<Value = Vec<Evaluated>> {
    proptest::collection::vec(policies(), 1..8)
}

fn package() -> ResolvedPackage {
    let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    ResolvedPackage {
        id: "acme/tool".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        registry: Registry::Directory("/registry".into()),
        facts: Facts::default(),
        manifest_digest: digest,
        bundle_digest: digest,
        bundle_size: 0,
        manifest: Manifest {
            transport: Transport::Stdio,
            entrypoint: Entrypoint::default(),
            permissions: Some(Permissions::default()),
            variables: std::collections::BTreeMap::new(),
            workdir_writable: false,
            text: "{}".to_owned(),
        },
    }
}

/// Rules about the package with these policies.
fn rule(policies: &[Evaluated]) -> (Ruled<ResolvedPackage>, Ruling) {
    admit(package()).unwrap().rule(policies.to_vec()).unwrap()
}

fn effect_of(policies: &[Evaluated]) -> Effect {
    rule(policies).1.effect()
}

/// Whether the launch goes on, given the consent.
fn starts(policies: &[Evaluated], consent: Consent) -> bool {
    match rule(policies).0.apply() {
        Decision::Allow(_) => true,
        Decision::Ask(question) => question.answer(consent).is_ok(),
        Decision::Deny(_) => false,
    }
}

const ANSWERS: [Consent; 4] = [Consent::Trusted, Consent::Accepted, Consent::Declined, Consent::NobodyToAsk];

#[test]
fn without_a_policy_there_is_no_clearance() {
    let refusal = admit(package()).unwrap().rule(Vec::new()).unwrap_err();
    assert_eq!(refusal, Refusal::NoPolicies);
}

#[test]
fn without_a_status_that_may_run_there_is_nothing_to_rule_on() {
    for word in Status::KNOWN.into_iter().chain(["", "Published", "published ", "a new word"]) {
        let with = |status| ResolvedPackage { facts: Facts { status, ..Facts::default() }, ..package() };
        let admitted = admit(with(Some(Status::from_word(word))));
        assert_eq!(admitted.is_ok(), ["published", "deprecated"].contains(&word), "{word}");
        // A proof of admission can't be combined with another package.
        let swapped = admit(with(None)).unwrap().and_then(|_| Ok::<_, Refusal>(with(Some(Status::from_word(word)))));
        assert_eq!(swapped.is_ok(), admitted.is_ok(), "{word}");
    }
}

proptest! {
    #[test]
    fn adding_a_policy_never_loosens_a_decision(before in many(), more in policies(), at in any::<prop::sample::Index>()) {
        let mut after = before.clone();
        after.insert(at.index(before.len() + 1), more);
        prop_assert!(effect_of(&after) >= effect_of(&before));
        for answer in ANSWERS {
            prop_assert!(starts(&before, answer) || !starts(&after, answer));
        }
    }

    #[test]
    fn strict_never_passes_a_fault(mut policies in many(), mut broken in policies(), kind in proptest::sample::select(&FaultKind::ALL[..])) {
        broken.spec = Arc::new(PolicySpec { mode: Mode::Strict, ..PolicySpec::clone(&broken.spec) });
        broken.outcome = Outcome::Fault(Fault::new(kind, "planted"));
        policies.push(broken);
        prop_assert_eq!(effect_of(&policies), Effect::Block);
        for answer in ANSWERS {
            prop_assert!(!starts(&policies, answer));
        }
    }

    #[test]
    fn trust_never_changes_a_block(policies in many()) {
        if effect_of(&policies) == Effect::Block {
            prop_assert!(!starts(&policies, Consent::Trusted));
            prop_assert!(matches!(rule(&policies).0.apply(), Decision::Deny(Refusal::ByPolicy)));
        }
    }

    #[test]
    fn the_order_of_policies_never_changes_the_decision(policies in many().prop_shuffle(), turn in any::<prop::sample::Index>()) {
        let mut turned = policies.clone();
        turned.rotate_left(turn.index(policies.len()));
        let mut reversed = policies.clone();
        reversed.reverse();
        let effect = effect_of(&policies);
        prop_assert_eq!(effect_of(&turned), effect);
        prop_assert_eq!(effect_of(&reversed), effect);
    }

    #[test]
    fn only_a_yes_answers_a_question(policies in many()) {
        for answer in ANSWERS {
            let yes = matches!(answer, Consent::Trusted | Consent::Accepted);
            let expected = match effect_of(&policies) {
                Effect::Pass | Effect::Warn => true,
                Effect::Ask => yes,
                Effect::Block => false,
            };
            prop_assert_eq!(starts(&policies, answer), expected);
        }
    }
}
