//! The table of transitions, and what a changed package says.

use super::*;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::text::SafeText;

#[test]
fn a_transition_is_named_by_what_a_decision_becomes() {
    for from in Effect::ALL {
        for to in Effect::ALL {
            let expected = match to {
                _ if from == to => Transition::Unchanged,
                Effect::Pass => Transition::NewlyAllowed,
                Effect::Warn => Transition::NewlyWarned,
                Effect::Ask => Transition::NewlyAsked,
                Effect::Block => Transition::NewlyBlocked,
            };
            assert_eq!(Transition::between(from, to), expected, "{from:?} {to:?}");
        }
    }
}

fn judgement(policies: &[(&str, Effect, &[&str])]) -> Judgement {
    let each = |(name, effect, codes): &(&str, Effect, &[&str])| {
        let codes = codes.iter().map(|code| SafeText::new(code)).collect();
        (LayerName::User, name.parse::<PolicyName>().unwrap(), PolicyStanding { effect: *effect, codes })
    };
    let effect = policies.iter().map(|(_, effect, _)| *effect).max().unwrap();
    Judgement { effect, refusal: None, policies: policies.iter().map(each).collect() }
}

#[test]
fn a_change_names_the_policies_that_make_it_and_reads_back() {
    let from =
        judgement(&[("origin", Effect::Pass, &[]), ("score", Effect::Warn, &["low"]), ("old", Effect::Pass, &[])]);
    let to = judgement(&[("origin", Effect::Block, &["a", "b"]), ("score", Effect::Warn, &["low"])]);
    let mut changed = ChangedPackage::between(SafeText::new("acme/tool@1.0.0"), &from, &to).unwrap();
    let expected = r#"{"package":"acme/tool@1.0.0","from":"warn","to":"block","policies":[{"name":"origin","layer":"user","from":{"effect":"pass","codes":[]},"to":{"effect":"block","codes":["a","b"]}}]}"#;
    assert_eq!(changed.document().to_string(), expected);
    (changed.times, changed.last) = (Some(3), Some(SafeText::new("2026-01-01T00:00:00Z")));
    changed.refusals.0 = Some(SafeText::new("status"));
    assert_eq!(ChangedPackage::read(&changed.document()), Some(changed.clone()));
    assert_eq!(ChangedPackage::between(changed.package, &from, &from), None);
}

#[test]
fn totals_count_decisions_policies_and_codes_in_any_parts() {
    let (pass, block) = (judgement(&[("p", Effect::Pass, &[])]), judgement(&[("p", Effect::Block, &["x", "y"])]));
    let label = SafeText::new("a/b@1");
    let (stricter, milder) = (
        ChangedPackage::between(label.clone(), &pass, &block).unwrap(),
        ChangedPackage::between(label, &block, &pass).unwrap(),
    );
    let (mut first, mut second) = (Totals::default(), Totals::default());
    first.unchanged(Effect::Warn);
    first.changed(&stricter);
    assert!(!first.is_unchanged());
    second.changed(&stricter);
    second.changed(&milder);
    first.merge(&second);
    let expected = r#"{"schema":"smcp.diff/1","summary":{"packages":4,"newly_blocked":2,"newly_asked":0,"newly_warned":0,"newly_allowed":1,"unchanged":1},"transitions":[{"from":"pass","to":"block","packages":2},{"from":"warn","to":"warn","packages":1},{"from":"block","to":"pass","packages":1}],"policies":[{"name":"p","layer":"user","newly_blocked":2,"newly_asked":0,"newly_warned":0,"newly_allowed":1,"codes":[{"code":"x","gained":2,"kept":0,"lost":1},{"code":"y","gained":2,"kept":0,"lost":1}]}]}"#;
    assert_eq!(first.document().to_string(), expected);
}
