//! Mistakes of earlier tools, and promises of the manual, by row.

use super::bad;
use super::good;
use super::read;
use crate::ProblemCode;
use crate::keys;
use smcp_model::mode::Mode;

#[test]
fn what_was_ignored_is_refused() {
    let rows = [
        ("F1 malformed", "policy: {min_score: 80", ProblemCode::Syntax),
        ("F1 TOML", "[policy]\nmin_score = 80\n", ProblemCode::Syntax),
        ("F2 misspelt", "policy: {min_scor: 80}", ProblemCode::UnknownKey),
        ("F2 nested elsewhere", "policy: {policy: {min_score: 80}}", ProblemCode::UnknownKey),
        ("F3 unknown mode", "policy: {cert_mode: invalid}", ProblemCode::BadValue),
        ("F3 upper case", "policy: {cert_mode: Strict}", ProblemCode::BadValue),
        ("F4 level 5", "policy: {min_cert_level: 5}", ProblemCode::BadValue),
        ("F4 score 150", "policy: {min_score: 150}", ProblemCode::BadValue),
        ("F5 null", "policy: {allowed_origins: ~}", ProblemCode::BadValue),
        ("S-16 stric", "policy: {cert_mode: stric}", ProblemCode::BadValue),
        ("S-16 level 4", "policy: {min_cert_level: 4}", ProblemCode::BadValue),
        ("S-16 score high", "policy: {min_score: high}", ProblemCode::BadValue),
        ("3.4-7 disagreement", "policy: {cert_mode: warn, cert_level_mode: strict}", ProblemCode::Conflict),
        ("3.4-8 level 7", "policy: {min_cert_level: 7}", ProblemCode::BadValue),
        ("3.4-8 score 300", "policy: {min_score: 300}", ProblemCode::BadValue),
        ("3.4-8 block", "policy: {cert_mode: block}", ProblemCode::BadValue),
    ];
    for (row, text, code) in rows {
        let error = read(text).expect_err(row);
        let codes: Vec<_> = error.problems().iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [code], "{row}");
        assert!(error.problems()[0].position.is_some(), "{row}");
    }
}

#[test]
fn what_was_silent_is_decided() {
    let policies = |text: &str| good(text).layers()[0].policies().to_vec();
    let [origin, certification, score] = policies("policy: {allowed_origins: []}").try_into().unwrap();
    // 3.4-1 and F5: an empty list lets nothing run. 3.4-2: strict is the default.
    assert_eq!(origin.settings.to_string(), r#"{"allowed_origins":[]}"#);
    assert_eq!([origin.mode, certification.mode, score.mode], [Mode::Strict; 3]);
    // 3.4-3: disabled is about the certification only.
    let modes: Vec<_> = policies("policy: {cert_mode: disabled}").iter().map(|policy| policy.mode).collect();
    assert_eq!(modes, [Mode::Strict, Mode::Disabled, Mode::Strict]);
    // 3.4-5: a low minimum doesn't silence the warning.
    assert_eq!(score.settings.to_string(), r#"{"min_score":0,"warning_threshold":80}"#);
}

const MANUAL: &str = include_str!("../../../../docs/config.md");

#[test]
fn the_manual_knows_every_key_and_every_code() {
    for section in [
        &keys::ROOT,
        &keys::policy::SECTION,
        &keys::custom::SECTION,
        &keys::custom::limits::SECTION,
        &keys::policy_set::SECTION,
        &keys::policy_set::FILE_SECTION,
    ] {
        for name in section.keys.iter().map(|key| key.name()).chain(section.foreign.iter().copied()) {
            assert!(MANUAL.contains(&format!("`{name}`")) || MANUAL.contains(&format!("`policy.{name}`")), "{name}");
        }
    }
    let codes = [
        ProblemCode::Unreadable,
        ProblemCode::Syntax,
        ProblemCode::UnknownKey,
        ProblemCode::DuplicateKey,
        ProblemCode::MissingKey,
        ProblemCode::BadValue,
        ProblemCode::Conflict,
        ProblemCode::Limit,
        ProblemCode::Unsupported,
    ];
    for code in codes {
        let word = serde_json::to_value(code).unwrap();
        assert!(MANUAL.contains(&format!("| `{}` |", word.as_str().unwrap())), "{word}");
    }
}

#[test]
fn the_manuals_example_is_a_configuration_and_its_errors_are_real() {
    let (_, example) = MANUAL.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert_eq!(good(example).layers()[0].policies().len(), 4);
    let problems = bad("policy:\n\n\n  min_scor: 1\n  cert_mode: Strict\n  min_cert_level: 4\n");
    for problem in problems {
        let (beginning, _) = problem.split_once(" (allowed: ").unwrap();
        assert!(MANUAL.contains(&format!("~/.mcp/config.yaml:{beginning} (allowed: ")), "{problem}");
    }
}
