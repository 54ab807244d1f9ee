//! The built-in policies and the example, as components and natively.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use smcp_cases::Tested;
use smcp_model::facts_document;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::text::SafeText;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::ComponentShape;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request;
use smcp_policy_cases::Case;
use smcp_policy_cases::Expectation;
use smcp_policy_cases::Limits;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::testing;

const CONTEXT: Context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };

/// The largest size of a built-in policy, bytes: it is in every binary, and every launch maps it.
const HEAVIEST: u64 = 96 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Returns the same facts without those that the host would not accept from a registry and never passes to a policy.
fn believable(subject: &Value) -> Value {
    let mut subject = subject.clone();
    for (fact, most) in [
        ("cert_level", 3),
        ("score", 100),
        ("security_score", 100),
        ("supply_chain_score", 100),
        ("maturity_score", 100),
    ] {
        let is_known = subject.get(fact).and_then(Value::as_u64).is_some_and(|number| number <= most);
        if !is_known && let Some(facts) = subject.as_object_mut() {
            facts.remove(fact);
        }
    }
    subject
}

/// Evaluates in the same way as every launch.
fn evaluate(host: &PolicyHost, component: Component, subject: &Value, settings: &Value) -> Outcome {
    let subject = believable(subject);
    let subject = facts_document::read(subject.to_string().as_bytes(), Path::new("/"), None).unwrap();
    let spec = PolicySpec {
        name: "case".parse().unwrap(),
        layer: LayerName::User,
        source: PolicySource::File("case.wasm".into()),
        pin: None,
        signed_by: None,
        mode: Mode::Strict,
        on_warn: None,
        settings: settings.clone(),
        settings_vouched: false,
        limits: PolicyLimits::DEFAULT,
        admin_contact: None,
    };
    let set = PolicySet::load(host, [Bound::new(spec, Ok(component)).unwrap()]);
    set.evaluate(&request::build(&subject, CONTEXT, true)).pop().unwrap().outcome
}

#[test]
fn every_case_of_the_built_ins_holds_inside_the_program_and_by_itself() {
    let host = PolicyHost::new().unwrap();
    for policy in BuiltIn::ALL {
        let name = policy.as_str();
        let file = format!("builtin-policies/{name}/cases/{name}.yaml");
        let cases = smcp_policy_cases::read(&fs::read(root().join(&file)).unwrap(), &Limits::DEFAULT).unwrap();
        assert!(cases.cases.len() > 10, "{name}: the table is there");
        // What `config validate` says about codes in exceptions depends on this list.
        let codes: BTreeSet<_> = cases.cases.iter().flat_map(violations).collect();
        assert_eq!(codes, policy.violation_codes().iter().copied().collect(), "{name}");
        let by_itself = Tested::file(Path::new(name), Component::new(alone(policy)));
        for tested in [Tested::built_in(policy), by_itself] {
            let run = smcp_cases::run(&host, &tested, &[(file.clone(), cases.clone())]).unwrap();
            let [file] = run.files.as_slice() else { panic!("{run:?}") };
            assert_eq!(file.cases.len(), cases.cases.len());
            for case in &file.cases {
                assert!(case.holds(), "{name}: {}: {:#?}", case.name, case.differences);
            }
        }
    }
}

/// The codes of the violations that a case expects.
fn violations(case: &Case) -> impl Iterator<Item = &str> {
    let expected = match &case.expect {
        Expectation::Verdict { violations, .. } => violations.as_slice(),
        Expectation::Problems(_) | Expectation::Fault(_) => &[],
    };
    expected.iter().map(|finding| finding.code.as_str())
}

#[test]
fn the_embedded_component_is_the_committed_one_small_and_without_capabilities() {
    let bytes = fs::read(root().join("builtin-policies/dist/built_ins.wasm")).unwrap();
    let shape = ComponentShape::of(&bytes, PolicyLimits::DEFAULT.component_size).unwrap();
    assert_eq!(shape.imports, ["smcp:policy/logging@0.1.0", "smcp:built-ins/selection@0.1.0"]);
    assert_eq!(shape.exports, ["smcp:policy/evaluator@0.1.0"]);
    assert!(bytes.len() as u64 <= HEAVIEST, "{} bytes", bytes.len());
    let digest = Component::new(bytes).digest();
    assert!(BuiltIn::ALL.into_iter().all(|policy| Component::built_in(policy).digest() == digest));
}

#[test]
fn each_built_in_is_a_component_by_itself_small_and_without_capabilities() {
    for policy in BuiltIn::ALL {
        let bytes = alone(policy);
        assert!(bytes.len() as u64 <= HEAVIEST, "{policy:?} has {} bytes", bytes.len());
        let shape = ComponentShape::of(&bytes, PolicyLimits::DEFAULT.component_size).unwrap();
        assert!(shape.imports.iter().all(|import| import == "smcp:policy/logging@0.1.0"), "{policy:?}: {shape:?}");
        assert_eq!(shape.exports, ["smcp:policy/evaluator@0.1.0"]);
    }
}

/// The program tells its own component which of its policies it is. One from elsewhere can't ask.
#[test]
fn a_component_from_elsewhere_can_not_be_a_built_in() {
    let host = PolicyHost::new().unwrap();
    let bytes = fs::read(root().join("builtin-policies/dist/built_ins.wasm")).unwrap();
    let outcome = evaluate(&host, Component::new(bytes), &json!({"score": 100}), &json!({}));
    let Outcome::Fault(fault) = outcome else { panic!("{outcome:?}") };
    assert_eq!(fault.kind, FaultKind::Interface);
    assert!(fault.message.as_str().contains("smcp:built-ins/selection@0.1.0"), "{fault:?}");
}

/// The component of one built-in policy by itself.
fn alone(policy: BuiltIn) -> Vec<u8> {
    fs::read(root().join(format!("builtin-policies/dist/{}.wasm", policy.as_str()))).unwrap()
}

#[test]
fn a_file_goes_the_way_of_the_built_ins() {
    let host = PolicyHost::new().unwrap();
    let settings = json!({"min_score": 80, "warning_threshold": 80});
    for subject in [json!({"score": 79}), json!({"score": 80}), json!({})] {
        let bytes = alone(BuiltIn::Score);
        let built_in = evaluate(&host, Component::built_in(BuiltIn::Score), &subject, &settings);
        assert_eq!(evaluate(&host, Component::new(bytes), &subject, &settings), built_in);
    }
}

#[test]
fn every_case_of_the_example_holds_for_its_component() {
    let bytes = fs::read(root().join("examples/policies/dist/no_network.wasm")).unwrap();
    let tested = Tested::file(Path::new("no_network.wasm"), Component::new(bytes));
    let file = "examples/policies/no-network/cases/no-network.yaml";
    let cases = smcp_policy_cases::read(&fs::read(root().join(file)).unwrap(), &Limits::DEFAULT).unwrap();
    let run = smcp_cases::run(&PolicyHost::new().unwrap(), &tested, &[(file.to_owned(), cases)]).unwrap();
    assert!(run.files[0].cases.len() > 9, "the table is there");
    for case in &run.files[0].cases {
        assert!(case.holds(), "{}: {:#?}", case.name, case.differences);
    }
}

/// Evaluates with the native build; a component must give the same.
fn natively<P: Policy>(subject: &Value, settings: &Value) -> Result<(Vec<String>, Vec<String>), FaultKind> {
    let subject = serde_json::from_value(subject.clone()).unwrap();
    let request = smcp_policy_sdk::Request { subject, ..Default::default() };
    let text = |finding: &smcp_policy_sdk::Finding| {
        let safe = |text: &str| SafeText::new(text);
        let (fact, remedy) = (finding.fact.as_deref().map(safe), finding.remedy.as_deref().map(safe));
        format!("{} {} {fact:?} {remedy:?}", finding.code, safe(&finding.message))
    };
    match testing::evaluate::<P>(&request, &settings.to_string()) {
        Ok(verdict) => Ok((verdict.violations.iter().map(text).collect(), verdict.notices.iter().map(text).collect())),
        Err(testing::Broken::Settings(_)) => Err(FaultKind::Settings),
        Err(testing::Broken::Rule(rule)) => panic!("the native build breaks a rule: {rule}"),
    }
}

fn as_component(
    host: &PolicyHost,
    policy: BuiltIn,
    subject: &Value,
    settings: &Value,
) -> Result<(Vec<String>, Vec<String>), FaultKind> {
    let text =
        |finding: &Finding| format!("{} {} {:?} {:?}", finding.code, finding.message, finding.fact, finding.remedy);
    let texts = |findings: &[Finding]| findings.iter().map(text).collect::<Vec<_>>();
    match evaluate(host, Component::built_in(policy), subject, settings) {
        Outcome::Pass { notices } => Ok((Vec::new(), texts(&notices))),
        Outcome::Violation { verdict, .. } => Ok((texts(&verdict.violations), texts(&verdict.notices))),
        Outcome::Fault(fault) => Err(fault.kind),
        other @ (Outcome::Skipped | Outcome::Waived { .. }) => panic!("{other:?}"),
    }
}

fn subjects() -> impl Strategy<Value = Value> {
    let origin = prop_oneof![
        proptest::sample::select(
            &["official", "verified", "community", " Official ", "VERIFIED", "offic", "", " \t"][..]
        )
        .prop_map(str::to_owned),
        ".{0,12}",
    ];
    let number = proptest::option::of(0_u8..=255);
    (proptest::option::of(origin), number.clone(), number)
        .prop_map(|(origin, cert_level, score)| json!({"origin": origin, "cert_level": cert_level, "score": score}))
}

fn settings_of(policy: BuiltIn) -> BoxedStrategy<Value> {
    let number =
        || prop_oneof![(0_i64..=100).prop_map(Value::from), any::<i8>().prop_map(Value::from), Just(json!("80"))];
    let origins = proptest::collection::vec(
        proptest::sample::select(&["official", "verified", "community", " Verified "][..]),
        0..4,
    );
    match policy {
        BuiltIn::Origin => proptest::option::of(origins).prop_map(|list| json!({"allowed_origins": list})).boxed(),
        BuiltIn::Certification => {
            let check = proptest::sample::select(&["notice", "enforce", "Notice"][..]);
            let level = prop_oneof![(0_i64..=3).prop_map(Value::from), number()];
            (level, check)
                .prop_map(|(level, check)| json!({"min_cert_level": level, "cert_score_check": check}))
                .boxed()
        }
        BuiltIn::Score => (number(), number())
            .prop_map(|(minimum, threshold)| json!({"min_score": minimum, "warning_threshold": threshold}))
            .boxed(),
    }
}

fn components_agree<P: Policy>(policy: BuiltIn) {
    let host = PolicyHost::new().unwrap();
    let cases = (subjects(), settings_of(policy));
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let run = |(subject, settings): (Value, Value)| {
        prop_assert_eq!(natively::<P>(&subject, &settings), as_component(&host, policy, &subject, &settings));
        Ok(())
    };
    proptest::test_runner::TestRunner::new(config).run(&cases, run).unwrap();
}

#[test]
fn origin_is_the_same_natively_and_as_a_component() {
    components_agree::<smcp_policy_origin::OriginPolicy>(BuiltIn::Origin);
}

#[test]
fn certification_is_the_same_natively_and_as_a_component() {
    components_agree::<smcp_policy_certification::CertificationPolicy>(BuiltIn::Certification);
}

#[test]
fn score_is_the_same_natively_and_as_a_component() {
    components_agree::<smcp_policy_score::ScorePolicy>(BuiltIn::Score);
}
