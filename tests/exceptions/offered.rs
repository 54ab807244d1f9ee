//! The entry that a refusal prints: it can be read, and waives exactly that.

use std::path::Path;

use proptest::prelude::*;

use crate::generated::NOON;
use crate::generated::effect_of;
use crate::generated::finding;
use crate::generated::policies;
use crate::generated::policy;
use crate::generated::subjects;
use smcp_config::Config;
use smcp_config::Places;
use smcp_decide::Conclusion;
use smcp_decide::ExceptionFile;
use smcp_decide::InForce;
use smcp_decide::Lift;
use smcp_decide::Occasion;
use smcp_decide::Ruling;
use smcp_decide::lifting;
use smcp_model::decision::Consent;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;
use smcp_report::Purpose;
use smcp_report::Report;
use smcp_report::human;
use smcp_report::style::Style;

fn files(trusted: bool) -> Vec<ExceptionFile> {
    let file = |layer: LayerName| ExceptionFile {
        layer,
        file: SafeText::new(layer.as_str()),
        has_exceptions: false,
        registry_trusted: trusted,
    };
    LayerName::ALL.map(file).to_vec()
}

/// Returns what a person sees of a refusal.
fn shown(policies: &[Evaluated], subject: &Subject, lifts: &[Lift]) -> String {
    let ruling = Ruling::of(policies.to_vec()).unwrap();
    let report = Report {
        subject,
        conclusion: Conclusion::Ruled(&ruling),
        notices: &[],
        lifts,
        consent: (ruling.effect() == Effect::Ask).then_some(Consent::NobodyToAsk),
        start: None,
        brief: false,
        purpose: Purpose::Check,
        exit: ExitKind::Refused,
    };
    let mut out = Vec::new();
    human::decision(&report, &mut out, &Style { width: Some(40), ..Style::default() }).unwrap();
    String::from_utf8(out).unwrap()
}

/// Returns the lines of the printed entries, as they are copied, with reason and last day filled in.
fn filled_in(shown: &str) -> String {
    let lines = shown.lines().skip_while(|line| *line != "  exceptions:");
    let filled = lines.map(|line| match line.trim() {
        "reason:  # why" => line.replace("# why", "'it: # must'"),
        "until:  # YYYY-MM-DD" => line.replace("# YYYY-MM-DD", "2027-01-15"),
        _ => line.to_owned(),
    });
    filled.map(|line| format!("{line}\n")).collect()
}

/// Reads entries below the policies that they name.
fn read(names: &[&str], entries: &str) -> Result<Config, String> {
    let custom: String = names.iter().map(|name| format!("    - {{name: \"{name}\", source: a.wasm}}\n")).collect();
    let places = Places { home: None, working_directory: "/".into(), system_folder: "/etc/mcp".into() };
    let text = format!("policy:\n  custom:\n{custom}{entries}");
    smcp_config::parse(text.as_bytes(), Path::new("/c.yaml"), &places).map_err(|error| format!("{error}\n{text}"))
}

/// Names and codes that something could take for another value than text.
const WORDS: [&str; 18] = [
    "null",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "1",
    "0x1f",
    "0o7",
    "1e5",
    "-",
    "--",
    "-1",
    "a-",
    "2027-01-31",
];

/// Such words, and any others that a name can be.
fn slugs() -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(&WORDS[..]).prop_map(str::to_owned), "[a-z0-9-]{1,64}"]
}

fn violating(name: &str, codes: &[String]) -> Evaluated {
    let violations = codes.iter().map(|code| finding(code)).collect();
    let outcome = Outcome::from_verdict(Verdict { violations, notices: Vec::new() });
    policy(name, LayerName::User, Mode::Strict, OnWarn::Notify, outcome)
}

proptest! {
    /// Whatever a package, a policy and a code are called, what is printed is read back as them.
    #[test]
    fn every_name_is_written_so_that_it_is_read_back(
        names in prop::collection::btree_set(slugs(), 1..4), codes in prop::collection::btree_set(slugs(), 1..4),
        id in "[A-Za-z0-9][A-Za-z0-9._-]{0,20}/[A-Za-z0-9][A-Za-z0-9._-]{0,20}", version in "[A-Za-z0-9][A-Za-z0-9.+_-]{0,20}",
        bytes in prop::option::of(any::<u8>()),
    ) {
        let (org, name) = id.split_once('/').unwrap();
        prop_assume!(version != "latest");
        let bundle_digest = bytes.map(crate::generated::digest);
        let subject = Subject { org: org.to_owned(), name: name.to_owned(), version, bundle_digest, ..Subject::default() };
        let built_in = ["origin", "certification", "score"];
        let names: Vec<_> = names.iter().map(String::as_str).filter(|name| !built_in.contains(name)).collect();
        prop_assume!(!names.is_empty());
        let codes: Vec<_> = codes.into_iter().collect();
        let policies: Vec<_> = names.iter().map(|name| violating(name, &codes)).collect();
        let ruling = Ruling::of(policies.clone()).unwrap();
        let lifts = lifting(&ruling, &subject, false, &files(true));
        let config = read(&names, &filled_in(&shown(&policies, &subject, &lifts))).map_err(TestCaseError::fail)?;
        let read: Vec<_> = config.layers().iter().flat_map(|layer| layer.exceptions()).collect();
        prop_assert_eq!(read.len(), lifts.len());
        for (exception, lift) in read.iter().zip(&lifts) {
            prop_assert_eq!(&exception.package, &lift.package);
            prop_assert_eq!(&exception.policies, &lift.policies);
            prop_assert_eq!(exception.codes.as_ref(), Some(&lift.codes));
            prop_assert_eq!(exception.reason.as_str(), "it: # must");
        }
        // As it is printed, without reason and day, it is refused.
        let bare = shown(&policies, &subject, &lifts);
        let bare: String = bare.lines().skip_while(|line| *line != "  exceptions:").map(|line| format!("{line}\n")).collect();
        prop_assert!(self::read(&names, &bare).is_err());
    }

    /// What is offered lifts the refusal, waives nothing that does not refuse, and is not offered where it could not.
    #[test]
    fn what_is_offered_lifts_exactly_the_refusal(
        before in policies(), subject in subjects(), trusted in any::<bool>(), consented in any::<bool>(),
    ) {
        let lightest = if consented { Effect::Block } else { Effect::Ask };
        let refuses = |policy: &Evaluated| policy.effect() >= lightest;
        let ruling = Ruling::of(before.clone()).unwrap();
        let lifts = lifting(&ruling, &subject, consented, &files(trusted));
        let hopeless = before.iter().any(|policy| refuses(policy) && matches!(policy.outcome, Outcome::Fault(_)))
            || !trusted && subject.bundle_digest.is_none();
        prop_assert_eq!(lifts.is_empty(), hopeless || !before.iter().any(refuses));
        let exceptions: Vec<_> = lifts.iter().map(exception_of).collect();
        let occasion = Occasion { subject: &subject, registry_trusted: trusted, seconds: NOON };
        let in_force = InForce::on(occasion, &exceptions);
        let after: Vec<_> = before.iter().map(|policy| in_force.waive(policy.clone(), |_| SafeText::default())).collect();
        for (before, after) in before.iter().zip(&after) {
            let lifted = refuses(before) && !lifts.is_empty();
            prop_assert_eq!(after.outcome.waived().is_empty(), !lifted);
            prop_assert!(lifted || before.outcome == after.outcome);
        }
        prop_assert!(lifts.is_empty() || effect_of(&after) < lightest);
    }
}

fn exception_of(lift: &Lift) -> smcp_model::exception::Exception {
    smcp_model::exception::Exception {
        layer: lift.file.layer,
        package: lift.package.clone(),
        policies: lift.policies.clone(),
        codes: Some(lift.codes.clone()),
        reason: SafeText::new("x"),
        approved_by: None,
        until: "2027-01-15".parse().unwrap(),
    }
}

#[test]
fn one_entry_is_for_many_policies_only_if_it_waives_no_more_than_many_entries() {
    let subject = Subject { org: "a".into(), name: "x".into(), version: "1".into(), ..Subject::default() };
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    let entries = |policies: &[Evaluated]| {
        let ruling = Ruling::of(policies.to_vec()).unwrap();
        let lifts = lifting(&ruling, &subject, false, &files(true));
        let entry = |lift: &Lift| {
            let names: Vec<_> = lift.policies.iter().map(|name| name.as_str()).collect();
            let codes: Vec<_> = lift.codes.iter().map(|code| code.as_str()).collect();
            format!("{}: {}", names.join(" "), codes.join(" "))
        };
        lifts.iter().map(entry).collect::<Vec<_>>()
    };
    // What the built-in ones report is known, and a custom policy might report anything.
    let built_in = |which: smcp_model::policy::BuiltIn, found: &[&str]| {
        let custom = violating(which.as_str(), &codes(found));
        let spec = smcp_model::policy::PolicySpec::built_in(which, serde_json::json!({}));
        Evaluated { spec: spec.into(), ..custom }
    };
    let score = built_in(smcp_model::policy::BuiltIn::Score, &["score-unknown"]);
    let level = built_in(smcp_model::policy::BuiltIn::Certification, &["cert-level-unknown"]);
    let mine = |found: &[&str]| violating("mine", &codes(found));
    let yours = |found: &[&str]| violating("yours", &codes(found));
    assert_eq!(entries(&[level.clone(), score.clone()]), ["certification score: cert-level-unknown score-unknown"]);
    assert_eq!(entries(&[mine(&["x"]), yours(&["x", "x"])]), ["mine yours: x"]);
    assert_eq!(entries(&[mine(&["x"]), yours(&["y"])]), ["mine: x", "yours: y"]);
    assert_eq!(
        entries(&[score, mine(&["x"]), level]),
        ["score certification: score-unknown cert-level-unknown", "mine: x"]
    );
}

#[test]
fn a_package_that_no_exception_can_name_is_offered_none() {
    for (org, name, version) in
        [("a b", "x", "1"), ("a", "x/y", "1"), ("", "", ""), ("a", "x", "latest"), ("a", "x\n", "1")]
    {
        let subject = Subject { org: org.into(), name: name.into(), version: version.into(), ..Subject::default() };
        let ruling = Ruling::of(vec![violating("mine", &["x".to_owned()])]).unwrap();
        assert_eq!(lifting(&ruling, &subject, false, &files(true)), [], "{subject:?}");
    }
}
