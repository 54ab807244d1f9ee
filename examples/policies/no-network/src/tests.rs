//! The policy, tested natively: no WebAssembly is needed.

use smcp_policy_sdk::testing;
use smcp_policy_sdk::testing::Permissions;
use smcp_policy_sdk::testing::RequestBuilder;

use super::*;

#[test]
fn every_case_holds() {
    testing::assert_cases::<NoNetwork>("cases");
}

/// The codes of the violations, for a server that asks for these hosts.
fn codes(asked: &[&str], settings: &str) -> Vec<String> {
    let network = asked.iter().map(|&host| host.to_owned()).collect();
    let request = RequestBuilder::new().permissions(Permissions { network, ..Permissions::default() }).build();
    let verdict = testing::evaluate::<NoNetwork>(&request, settings).unwrap();
    verdict.violations.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn only_listed_hosts_are_allowed() {
    let cases: [(&[&str], &str, bool); 22] = [
        (&[], "{}", true),
        (&[], r#"{"allow": []}"#, true),
        (&["a.com"], "{}", false),
        (&["a.com"], r#"{"allow": ["a.com"]}"#, true),
        (&["A.com."], r#"{"allow": ["a.COM"]}"#, true),
        (&["a.com "], r#"{"allow": ["a.com"]}"#, false),
        (&["a.com", "b.com"], r#"{"allow": ["a.com"]}"#, false),
        (&["a.com"], r#"{"allow": ["a.co"]}"#, false),
        (&["*"], "{}", false),
        (&["*"], r#"{"allow": ["a.com", "*.a.com"]}"#, false),
        (&["*"], r#"{"allow": ["*"]}"#, true),
        (&["sub.a.com", "deep.sub.a.com", "*.a.com", "*.sub.a.com"], r#"{"allow": ["*.a.com"]}"#, true),
        (&["a.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&["evila.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&["evil.com/x.a.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&["evil.com#.a.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&["*.*.a.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&[".a.com"], r#"{"allow": ["*.a.com"]}"#, false),
        (&["a.com:8080"], r#"{"allow": ["a.com"]}"#, false),
        (&[""], "{}", false),
        (&["a.com:8080"], r#"{"allow": ["a.com:8080"]}"#, true),
        (&["anything.com"], r#"{"allow": ["*"]}"#, true),
    ];
    for (asked, settings, allowed) in cases {
        let expected: &[&str] = if allowed { &[] } else { &["network-not-allowed"] };
        assert_eq!(codes(asked, settings), expected, "{asked:?} with {settings}");
    }
}

#[test]
fn unknown_permissions_are_a_violation_even_when_everything_is_allowed() {
    let verdict = testing::evaluate::<NoNetwork>(&RequestBuilder::new().build(), r#"{"allow": ["*"]}"#).unwrap();
    assert_eq!(verdict.violations[0].code, "network-unknown");
}

#[test]
fn the_message_names_what_was_asked_and_what_is_allowed() {
    let network = (0..12).map(|number| format!("h{number}.com")).collect();
    let request = RequestBuilder::new().permissions(Permissions { network, ..Permissions::default() }).build();
    let (verdict, lines) =
        testing::evaluate_logged::<NoNetwork>(&request, r#"{"allow": ["h0.com", "x.com"]}"#).unwrap();
    assert_eq!(
        verdict.violations[0].message,
        "the server asks for network hosts that are not allowed: h1.com h2.com h3.com h4.com h5.com h6.com h7.com \
         h8.com h9.com h10.com and 1 more (allowed hosts: [h0.com x.com])"
    );
    assert_eq!(lines, [(testing::Level::Debug, "12 hosts asked for, 2 allowed".to_owned())]);
}

#[test]
fn a_manifest_with_very_many_hosts_gets_a_verdict_and_not_a_fault() {
    let hosts = vec!["a.com"; 100_000];
    assert_eq!(codes(&hosts, "{}"), ["network-not-allowed"]);
}

#[test]
fn settings_are_checked() {
    assert_eq!(testing::check_settings::<NoNetwork>(r#"{"allow": ["a.com"]}"#), Ok(()));
    let problems = testing::check_settings::<NoNetwork>(r#"{"alow": [], "allow": ["a.com", 7, "a com"]}"#).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(places, ["/alow", "/allow/1", "/allow/2"]);
}

#[test]
fn it_describes_itself_by_the_rules() {
    let (description, schema) = testing::describe::<NoNetwork>().unwrap();
    assert_eq!(description.name, "no-network");
    assert!(schema.contains("\"allow\""));
}
