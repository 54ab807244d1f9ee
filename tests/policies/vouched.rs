//! Settings that a configuration's own keys make for the built-in policies: nobody asks whether they are accepted.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::bed::TestBed;
use crate::kept::EVAL;
use crate::kept::all_calls;
use smcp_config::Places;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;

/// Every policy of a configuration without policies of its own.
fn built_ins(keys: &str) -> Result<Vec<Bound>, String> {
    let places = Places { home: None, working_directory: "/".into(), system_folder: "/etc/mcp".into() };
    let text = format!("policy: {{{keys}}}\n");
    let config = smcp_config::parse(text.as_bytes(), Path::new("/c.yaml"), &places);
    let config = config.map_err(|error| format!("{error}\n{text}"))?;
    let policies = config.layers().iter().flat_map(|layer| layer.policies()).map(|spec| {
        let PolicySource::BuiltIn(which) = spec.source else { return Err(format!("{spec:?}")) };
        if !spec.settings_vouched {
            return Err(format!("`{}` is asked", spec.name));
        }
        let asked = PolicySpec { settings_vouched: false, ..PolicySpec::clone(spec) };
        Bound::new(asked, Ok(Component::built_in(which))).map_err(|error| error.to_string())
    });
    policies.collect()
}

/// The keys that make the settings of built-in policies, with values that a configuration takes.
fn keys() -> impl Strategy<Value = String> {
    let origins = proptest::sample::subsequence(&["official", "verified", "community"][..], 0..=3)
        .prop_map(|list| format!("allowed_origins: [{}]", list.join(", ")));
    let level = (0..=3).prop_map(|level| format!("min_cert_level: {level}"));
    let check = proptest::sample::select(&["cert_score_check: notice", "cert_score_check: enforce"][..]);
    let score = (0..=100).prop_map(|score| format!("min_score: {score}"));
    let threshold = (0..=100).prop_map(|score| format!("warning_threshold: {score}"));
    let key = |key: BoxedStrategy<String>| proptest::option::of(key);
    let check = check.prop_map(str::to_owned).boxed();
    let all = (key(origins.boxed()), key(level.boxed()), key(check), key(score.boxed()), key(threshold.boxed()));
    all.prop_map(|(a, b, c, d, e)| [a, b, c, d, e].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[test]
fn the_built_in_policies_accept_all_that_a_configuration_makes_for_them() {
    let host = PolicyHost::new().unwrap();
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let accepted = |keys: String| {
        let policies = built_ins(&keys).map_err(TestCaseError::fail)?;
        prop_assert_eq!(policies.len(), 3);
        let set = PolicySet::load(&host, policies);
        let faults: Vec<_> = set.policies().iter().filter_map(|policy| policy.fault()).collect();
        prop_assert!(faults.is_empty(), "{keys}: {faults:?}");
        Ok(())
    };
    TestRunner::new(config).run(&keys(), accepted).unwrap();
}

/// Settings that anybody wrote himself are asked for, whoever the policy is.
#[test]
fn a_built_in_policy_refuses_settings_of_others() {
    let spec = PolicySpec::built_in(smcp_model::policy::BuiltIn::Score, serde_json::json!({"min_score": 101}));
    let component = Component::built_in(smcp_model::policy::BuiltIn::Score);
    let bound = Bound::new(Arc::new(spec), Ok(component)).unwrap();
    let set = PolicySet::load(&PolicyHost::new().unwrap(), [bound]);
    let fault = set.policies()[0].fault().unwrap();
    assert_eq!(fault.kind, smcp_model::verdict::FaultKind::Settings);
}

/// A start with the built-in policies alone makes one call for each, and no store.
#[test]
fn the_built_in_policies_are_called_once() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 50}\n");
    bed.write("facts.json", r#"{"score": 60}"#);
    let ran = bed.smcp(EVAL).args(&["-vv"]).run().succeeds();
    assert_eq!(all_calls(&ran.stderr), ["evaluate"; 3]);
    assert!(![".mcp/cache", ".mcp/compiled.key"].iter().any(|it| bed.path(it).try_exists().unwrap()));
}
