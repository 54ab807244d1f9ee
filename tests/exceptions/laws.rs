//! The laws of exceptions: what is waived, and what none of them can do.

use proptest::prelude::*;

use crate::generated::NOON;
use crate::generated::Trust;
use crate::generated::effect_of;
use crate::generated::exception;
use crate::generated::exceptions;
use crate::generated::layers;
use crate::generated::policies;
use crate::generated::subjects;
use crate::generated::trusts;
use crate::generated::waived;
use smcp_decide::InForce;
use smcp_decide::Occasion;
use smcp_model::exception::Exception;
use smcp_model::exception::Extent;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;

/// The rule of the spec, section 3, word by word: whether an exception is for a finding of a policy.
fn fits(exception: &Exception, policy: &Evaluated, code: &Finding, subject: &Subject, trust: Trust) -> bool {
    let Exception { layer, package, policies, codes, until, .. } = exception;
    let same_name = subject.org == package.id.org.as_str() && subject.name == package.id.name.as_str();
    let (same_bundle, needs_trust) = match &package.extent {
        Extent::EveryVersion => (true, true),
        Extent::Version(version) => (version.as_str() == subject.version, true),
        Extent::Bundle(digest) => (Some(*digest) == subject.bundle_digest, false),
    };
    *layer == policy.layer()
        && same_name
        && same_bundle
        && (!needs_trust || trust.of(*layer))
        && until.to_string().as_str() >= "2027-01-15"
        && policies.contains(policy.name())
        && codes.as_ref().is_none_or(|codes| codes.contains(&code.code))
}

/// What the rule makes of one policy: each finding with the number of the exception among those of its layer.
fn expected(
    policy: &Evaluated,
    exceptions: &[Exception],
    subject: &Subject,
    trust: Trust,
) -> Vec<(Finding, Option<usize>)> {
    let own: Vec<_> = exceptions.iter().filter(|exception| exception.layer == policy.layer()).collect();
    let first = |finding: &Finding| own.iter().position(|exception| fits(exception, policy, finding, subject, trust));
    policy.outcome.violations().iter().map(|finding| (finding.clone(), first(finding))).collect()
}

/// The same, as it came out.
fn found(policy: &Evaluated) -> Vec<(Finding, Option<usize>)> {
    let standing = policy.outcome.violations().iter().map(|finding| (finding.clone(), None));
    let waived = policy.outcome.waived().iter();
    let waived = waived.map(|waived| (waived.finding.clone(), Some(waived.exception.at.as_str().parse().unwrap())));
    standing.chain(waived).collect()
}

fn sorted(mut findings: Vec<(Finding, Option<usize>)>) -> Vec<(Finding, Option<usize>)> {
    findings.sort_by(|(one, first), (other, second)| (&one.code, first).cmp(&(&other.code, second)));
    findings
}

fn effects(policies: &[Evaluated]) -> Vec<smcp_model::mode::Effect> {
    policies.iter().map(Evaluated::effect).collect()
}

proptest! {
    #[test]
    fn each_finding_takes_the_first_exception_that_fits_and_nothing_else_changes(
        before in policies(), exceptions in exceptions(), subject in subjects(), trust in trusts(),
    ) {
        for (before, after) in before.iter().zip(waived(&before, &exceptions, &subject, trust)) {
            prop_assert_eq!(sorted(found(&after)), sorted(expected(before, &exceptions, &subject, trust)));
            prop_assert_eq!(before.outcome.notices(), after.outcome.notices());
            match (&before.outcome, &after.outcome) {
                // All waived is `waived`; one that stands leaves a violation.
                (Outcome::Violation { .. }, Outcome::Violation { verdict, .. }) => prop_assert!(!verdict.violations.is_empty()),
                (Outcome::Violation { .. }, Outcome::Waived { waived, .. }) => prop_assert!(!waived.is_empty()),
                // A fault is never waived, a pass and a skipped policy stay what they are.
                (untouched, now) => prop_assert_eq!(untouched, now),
            }
            prop_assert!(after.effect() <= before.effect());
        }
    }

    #[test]
    fn an_exception_loosens_no_other_policy_package_or_layer(
        before in policies(), others in exceptions(), one in exception(), at in any::<prop::sample::Index>(),
        subject in subjects(), trust in trusts(),
    ) {
        let mut with = others.clone();
        with.insert(at.index(others.len() + 1), one.clone());
        let (without, with) = (waived(&before, &others, &subject, trust), waived(&before, &with, &subject, trust));
        for (without, with) in without.iter().zip(&with) {
            let concerns = one.layer == with.layer() && one.policies.contains(with.name()) && one.package.contains(&subject);
            if !concerns {
                // The numbers of the exceptions behind it move; what is waived does not.
                let codes = |policy: &Evaluated| found(policy).into_iter().map(|(finding, by)| (finding, by.is_some())).collect::<Vec<_>>();
                prop_assert_eq!(codes(without), codes(with));
            }
            // Without it, nothing is looser: removing an exception never loosens.
            prop_assert!(without.effect() >= with.effect());
        }
        prop_assert!(effect_of(&without) >= effect_of(&with));
    }

    #[test]
    fn an_exception_handed_to_another_layers_policies_does_nothing(
        before in policies(), exceptions in exceptions(), subject in subjects(), layer in layers(),
    ) {
        let foreign: Vec<_> = exceptions.iter().filter(|exception| exception.layer != layer).collect();
        let occasion = Occasion { subject: &subject, registry_trusted: true, seconds: NOON };
        let in_force = InForce::on(occasion, foreign);
        for policy in before.into_iter().filter(|policy| policy.layer() == layer) {
            let after = in_force.waive(policy.clone(), |_| SafeText::default());
            prop_assert_eq!(policy.outcome, after.outcome);
        }
    }

    #[test]
    fn an_exception_that_has_ended_is_as_if_it_were_absent(
        before in policies(), exceptions in exceptions(), subject in subjects(), trust in trusts(),
    ) {
        let alive: Vec<_> = exceptions.iter().filter(|exception| !exception.until.is_over(NOON)).cloned().collect();
        let (all, some) = (waived(&before, &exceptions, &subject, trust), waived(&before, &alive, &subject, trust));
        prop_assert_eq!(effects(&all), effects(&some));
        let what = |policies: &[Evaluated]| policies.iter().map(|policy| policy.outcome.violations().to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(what(&all), what(&some));
    }

    #[test]
    fn the_order_of_exceptions_changes_no_effect(
        before in policies(), exceptions in exceptions(), subject in subjects(), trust in trusts(), turn in any::<prop::sample::Index>(),
    ) {
        let mut turned = exceptions.clone();
        turned.reverse();
        if !turned.is_empty() {
            let by = turn.index(turned.len());
            turned.rotate_left(by);
        }
        let (one, other) = (waived(&before, &exceptions, &subject, trust), waived(&before, &turned, &subject, trust));
        prop_assert_eq!(effects(&one), effects(&other));
    }

    #[test]
    fn distrust_leaves_only_what_is_bound_to_bytes(
        before in policies(), exceptions in exceptions(), subject in subjects(),
    ) {
        let nobody = Trust { system: false, user: false };
        let bound: Vec<_> = exceptions.iter().filter(|exception| exception.package.is_bound_to_bytes()).cloned().collect();
        let all = waived(&before, &exceptions, &subject, nobody);
        prop_assert_eq!(effects(&all), effects(&waived(&before, &bound, &subject, nobody)));
        if subject.bundle_digest.is_none() {
            prop_assert_eq!(effects(&all), effects(&before));
        }
    }
}
