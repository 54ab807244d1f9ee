//! Bad documents and the messages about them, with line and column.

use std::path::Path;

use super::bad;
use super::good;
use super::places;
use super::read;
use crate::ProblemCode;
use crate::parse;
use smcp_model::limits;

const ROOT: &str = "registry_url, trusted_registries, registries, admin_contact, ca_file, cache_dir, runtime_dir, start_timeout, max_facts_age, audit, confinement, audit_head, audit_log, policy";
const POLICY: &str = "allowed_origins, min_cert_level, min_score, cert_mode, cert_level_mode, origin_mode, \
                      score_mode, cert_score_check, warning_threshold, max_policies, custom, \
                      exceptions, policy_set";
const CUSTOM: &str = "name, source, digest, signed_by, refresh, max_age, mode, on_warn, settings, limits";
const MODES: &str = "strict, warn, disabled";

/// Every line of `expected` is a problem, in this order; `$ROOT` and so on are lists of keys.
#[track_caller]
fn says(text: &str, expected: &[&str]) {
    let lists = [("$ROOT", ROOT), ("$POLICY", POLICY), ("$CUSTOM", CUSTOM), ("$MODES", MODES)];
    let full = |line: &&str| lists.iter().fold((*line).to_owned(), |line, (name, list)| line.replace(name, list));
    assert_eq!(bad(text), expected.iter().map(full).collect::<Vec<_>>(), "{text}");
}

#[test]
fn a_text_that_is_not_one_document_is_refused() {
    says(
        "policy: {min_score: [1\n",
        &["2:1: did not find expected ',' or ']', while parsing a flow sequence at line 1 column 21"],
    );
    says("policy:\n\tmin_score: 1\n", &["2:1: found a tab where YAML allows only spaces"]);
    says("@x", &["1:1: found character that cannot start any token, while scanning for the next token"]);
    says("a: 1\n}\n", &["2:1: did not find expected key, while parsing a block mapping"]);
    says("# é\na: \u{1b}[31m\n", &["2:4: the character `\\u{1b}` is not allowed in YAML"]);
    says("policy: {}\n---\npolicy: {}\n", &["3:1: a second document begins here; a configuration is one document"]);
    says("policy: {}\n--- [\n", &["3:1: did not find expected node content, while parsing a flow node"]);
    says("policy: *x\n", &["1:9: unknown anchor"]);
}

#[test]
fn an_anchor_has_one_meaning() {
    let quoted = "{\"policy\":{\"min_score\":&a 1, \"x\":&a 2, \"y\":*a}}";
    says(quoted, &["1:34: the anchor `&a` is defined twice; give every anchor a name of its own"]);
    let twice = "policy:\n  custom:\n    - &a {name: a, source: a}\n    - &a {name: b, source: b}\n    - &b {name: c, source: c}\n    - *a\n";
    says(twice, &["4:7: the anchor `&a` is defined twice; give every anchor a name of its own"]);
    assert!(read("policy: {min_score: &low 10, warning_threshold: *low}").is_ok());
}

#[test]
fn a_text_that_is_not_utf_8_is_refused_with_its_place() {
    let error = parse(b"policy:\n  caf\xe9: 1\n", Path::new("c.yaml"), &places()).unwrap_err();
    assert_eq!(error.to_string(), "c.yaml:2:6: this is not UTF-8 (allowed: UTF-8 text)");
    let utf_16 = parse(b"\xff\xfep\0o\0", Path::new("c.yaml"), &places()).unwrap_err();
    assert_eq!(utf_16.problems()[0].code, ProblemCode::Unreadable);
    assert!(utf_16.to_string().starts_with("c.yaml: this is UTF-16; save it as UTF-8"), "{utf_16}");
    // UTF-16 is also recognized without its mark, because every other byte is NUL.
    let unmarked = parse(b"p\0o\0l\0", Path::new("c.yaml"), &places()).unwrap_err();
    assert_eq!(unmarked, utf_16);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    for text in ["policy: {min_score: 1}", "registry_url: /srv/r\npolicy:\n  min_score: 80\n", "# words\npolicy: {}\n"]
    {
        assert_eq!(good(&format!("\u{feff}{text}")).view().to_string(), good(text).view().to_string());
    }
    says(
        "\u{feff}polcy: {}\n",
        &["1:1: unknown key `polcy` in the configuration; did you mean `policy`? (allowed: $ROOT)"],
    );
    assert!(bad("a: 1\n\u{feff}b: 2\n")[0].starts_with("2:1: the character `\\u{feff}` is not allowed"));
}

#[test]
fn a_file_has_a_largest_size() {
    let comment = |size| format!("#{}", "x".repeat(size - 1));
    assert!(read(&comment(limits::CONFIG_FILE)).is_ok());
    let error = read(&comment(limits::CONFIG_FILE + 1)).unwrap_err();
    assert_eq!(error.to_string(), "~/.mcp/config.yaml: the file has 1048577 bytes (allowed: at most 1048576 bytes)");
}

#[test]
fn the_wrong_kind_of_value_is_refused() {
    says("[1]", &["1:1: the configuration is a list (allowed: a mapping of $ROOT)"]);
    says("yes", &["1:1: the configuration is the text `yes` (allowed: a mapping of $ROOT)"]);
    says("policy:\n", &["1:8: `policy` has no value (allowed: a mapping of $POLICY)"]);
    says("policy: ~\n", &["1:9: `policy` has no value (allowed: a mapping of $POLICY)"]);
    says("policy: strict\n", &["1:9: `policy` is the text `strict` (allowed: a mapping of $POLICY)"]);
    says(
        "registry_url: [a]\n",
        &[
            "1:15: `registry_url` is a list (allowed: an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or a directory)",
        ],
    );
    says(
        "registry_url: http://r.example\n",
        &[
            "1:15: `registry_url` is the text `http://r.example` (allowed: an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or a directory)",
        ],
    );
    says("policy:\n  custom: {name: a}\n", &["2:11: `policy.custom` is a mapping (allowed: a list of mappings)"]);
    says("policy:\n  custom: [a]\n", &["2:12: `policy.custom[0]` is the text `a` (allowed: a mapping of $CUSTOM)"]);
    says(
        "policy: {min_score: !secret 80}\n",
        &["1:21: `policy.min_score` has the tag `!secret` (allowed: a whole number from 0 to 100)"],
    );
}

#[test]
fn numbers_are_whole_and_in_range() {
    for (value, found) in [
        ("4", "is the number 4"),
        ("-1", "is the number -1"),
        ("259", "is the number 259"),
        ("99999999999999999999999", "is the number 99999999999999999999999"),
        ("2.0", "is the fractional number 2"),
        ("2.5", "is the fractional number 2.5"),
        ("\"2\"", "is the text `2`"),
        ("02", "is the text `02`"),
        ("high", "is the text `high`"),
        ("true", "is the boolean `true`"),
        ("~", "has no value"),
        ("[2]", "is a list"),
    ] {
        says(
            &format!("policy:\n  min_cert_level: {value}\n"),
            &[&format!("2:19: `policy.min_cert_level` {found} (allowed: a whole number from 0 to 3)")],
        );
    }
    let huge = u128::MAX;
    says(
        &format!("policy: {{min_score: {huge}}}"),
        &[&format!("1:21: policy.min_score: the number {huge} is too large")],
    );
    for key in ["min_score", "warning_threshold"] {
        assert!(read(&format!("policy: {{{key}: 100}}")).is_ok());
        for value in ["101", "150", "300", "-10", "high", "72.5"] {
            assert_eq!(bad(&format!("policy: {{{key}: {value}}}")).len(), 1, "{key}: {value}");
        }
    }
}

#[test]
fn words_are_exact() {
    let modes = ["cert_mode", "cert_level_mode", "origin_mode", "score_mode"];
    for key in modes {
        for (word, near) in [("stric", "strict"), ("Strict", "strict"), ("WARN", "warn"), ("disable", "disabled")] {
            let problem = format!("`policy.{key}` is the text `{word}`; did you mean `{near}`? (allowed: $MODES)");
            says(&format!("policy: {{{key}: {word}}}"), &[&format!("1:{}: {problem}", 12 + key.len())]);
        }
        for word in ["block", "\"\"", "off", "1", "true", "~", "\" strict\""] {
            assert_eq!(bad(&format!("policy: {{{key}: {word}}}")).len(), 1, "{key}: {word}");
        }
    }
    says("audit: off\n", &["1:8: `audit` is the text `off` (allowed: required, best-effort)"]);
    says(
        "audit: best_effort\n",
        &["1:8: `audit` is the text `best_effort`; did you mean `best-effort`? (allowed: required, best-effort)"],
    );
    says(
        "policy: {cert_score_check: enforced}\n",
        &["1:28: `policy.cert_score_check` is the text `enforced`; did you mean `enforce`? (allowed: notice, enforce)"],
    );
}

#[test]
fn origins_are_the_three_known_ones() {
    says(
        "policy:\n  allowed_origins:\n",
        &[
            "2:19: `policy.allowed_origins` has no value (allowed: a list of official, verified, community; without the key, any origin)",
        ],
    );
    says(
        "policy:\n  allowed_origins: official\n",
        &[
            "2:20: `policy.allowed_origins` is the text `official` (allowed: a list of official, verified, community; without the key, any origin)",
        ],
    );
    says(
        "policy:\n  allowed_origins:\n    - offical\n    - verified\n    - ~\n    - \"\"\n",
        &[
            "3:7: `policy.allowed_origins[0]` is the text `offical`; did you mean `official`? (allowed: official, verified, community)",
            "5:7: `policy.allowed_origins[2]` has no value (allowed: official, verified, community)",
            "6:7: `policy.allowed_origins[3]` is the text `` (allowed: official, verified, community)",
        ],
    );
}

#[test]
fn keys_are_known_and_stand_once() {
    says(
        "policy:\n  min_scor: 80\n",
        &["2:3: unknown key `min_scor` in `policy`; did you mean `min_score`? (allowed: $POLICY)"],
    );
    says("Policy: {}\n", &["1:1: unknown key `Policy` in the configuration; did you mean `policy`? (allowed: $ROOT)"]);
    says(
        "policy: {cert-mode: warn}\n",
        &["1:10: unknown key `cert-mode` in `policy`; did you mean `cert_mode`? (allowed: $POLICY)"],
    );
    says(
        "min_score: 80\n",
        &["1:1: unknown key `min_score` in the configuration; did you mean `policy.min_score`? (allowed: $ROOT)"],
    );
    says("policy: {registry: x}\n", &["1:10: unknown key `registry` in `policy` (allowed: $POLICY)"]);
    says("policy: {environments: {}}\n", &["1:10: unknown key `environments` in `policy` (allowed: $POLICY)"]);
    says(
        "1: x\n? [a]\n: y\n",
        &[
            "1:1: unknown key that is the number 1 in the configuration (allowed: $ROOT)",
            "2:3: unknown key that is a list in the configuration (allowed: $ROOT)",
        ],
    );
    says(
        "policy:\n  min_score: 80\n  cert_mode: warn\n  'min_score': 0\n  min_score: 1\n",
        &[
            "4:3: duplicate key `min_score` in `policy`, first in line 2 (allowed: each key once)",
            "5:3: duplicate key `min_score` in `policy`, first in line 2 (allowed: each key once)",
        ],
    );
    says(
        "timeout: 1\ntimeout: 2\nx: 1\nx: 2\n",
        &[
            "2:1: duplicate key `timeout` in the configuration, first in line 1 (allowed: each key once)",
            "3:1: unknown key `x` in the configuration (allowed: $ROOT)",
            "4:1: duplicate key `x` in the configuration, first in line 3 (allowed: each key once)",
        ],
    );
    says(
        "base: &b {min_score: 1}\npolicy: {<<: *b}\n",
        &[
            "1:1: unknown key `base` in the configuration (allowed: $ROOT)",
            "2:10: unknown key `<<` in `policy` (allowed: $POLICY)",
        ],
    );
}

#[test]
fn two_names_of_one_mode_agree() {
    says(
        "policy:\n  cert_level_mode: warn\n  cert_mode: strict\n",
        &[
            "2:20: `policy.cert_level_mode` is `warn`, but `policy.cert_mode` is `strict` (allowed: one of the two names, or the same word under both)",
        ],
    );
    good("policy: {cert_level_mode: warn, cert_mode: warn}");
}

#[test]
fn custom_policies_are_complete_and_named_once() {
    says(
        "policy:\n  custom:\n    - mode: strict\n",
        &[
            "3:7: an entry of `policy.custom` is missing `name` (allowed: $CUSTOM)",
            "3:7: an entry of `policy.custom` is missing `source` (allowed: $CUSTOM)",
        ],
    );
    for name in ["score", "origin", "certification", "No", "a_b", "\"\"", "../x", "1"] {
        assert_eq!(bad(&format!("policy: {{custom: [{{name: {name}, source: x}}]}}")).len(), 1, "{name}");
    }
    says(
        "policy:\n  custom:\n    - {name: a, source: x}\n    - {name: b, source: x}\n    - {name: a}\n",
        &[
            "5:7: an entry of `policy.custom` is missing `source` (allowed: $CUSTOM)",
            "5:14: another policy of this file has the name `a` too, first in line 3 (allowed: each name once)",
        ],
    );
    for source in ["\"\"", "~", "~you/x.wasm", "https://x.example/p.wasm", "[x]", "\"a\\0b\""] {
        assert_eq!(bad(&format!("policy: {{custom: [{{name: a, source: {source}}}]}}")).len(), 1, "{source}");
    }
    let upper = format!("sha256:{}", "A".repeat(64));
    for digest in ["abc", "sha256:", "~", "12", &upper] {
        assert_eq!(
            bad(&format!("policy: {{custom: [{{name: a, source: x, digest: {digest}}}]}}")).len(),
            1,
            "{digest}"
        );
    }
    says(
        "policy: {custom: [{name: a, source: x, on_warn: ask}]}\n",
        &["1:49: `policy.custom[0].on_warn` is the text `ask`; did you mean `confirm`? (allowed: notify, confirm)"],
    );
}

#[test]
fn settings_are_what_json_can_say() {
    let settings = |text: &str| format!("policy:\n  custom:\n    - name: a\n      source: a\n      settings: {text}\n");
    says(
        &settings(""),
        &[
            "5:16: `policy.custom[0].settings` has no value (allowed: any YAML value; without the key, the settings are `{}`)",
        ],
    );
    says(
        &settings("{1: 2, a: [1, .nan], a: !b c, <<: {d: -.inf}}"),
        &[
            "5:18: `policy.custom[0].settings.?` has a key that is the number 1 (allowed: keys that are text)",
            "5:31: `policy.custom[0].settings.a[1]` is the fractional number NaN (allowed: a value that JSON can express)",
            "5:38: `policy.custom[0].settings.a` is given a second time (allowed: each key once)",
            "5:41: `policy.custom[0].settings.a` has the tag `!b` (allowed: a value that JSON can express)",
            "5:47: `policy.custom[0].settings.<<` is a merge key (allowed: keys written out; merge keys are not supported)",
            "5:55: `policy.custom[0].settings.<<.d` is the fractional number -inf (allowed: a value that JSON can express)",
        ],
    );
    good(&settings(&"x".repeat(limits::SETTINGS - 2)));
    says(
        &settings(&"x".repeat(limits::SETTINGS - 1)),
        &["5:17: `policy.custom[0].settings` has 262145 bytes as JSON (allowed: at most 262144 bytes)"],
    );
}

#[test]
fn durations_have_a_unit_and_bounds() {
    for good_one in ["60s", "1h", "500ms", "1m 30s", "1s"] {
        good(&format!("start_timeout: {good_one}"));
    }
    let overflow = "18446744073709551615s1000ms";
    for wrong in ["0s", "60", "0", "1h 1s", "-1s", "1 fortnight", "~", "\"\"", "1e3s", overflow, "1.0000000000s"] {
        let text = format!("start_timeout: {wrong}");
        let [problem] = bad(&text).try_into().unwrap();
        assert!(problem.ends_with("(allowed: a duration above zero and at most 1h, such as `60s`)"), "{problem}");
    }
    good("max_facts_age: 365d");
    assert_eq!(bad("max_facts_age: 366d").len(), 1);
}

#[test]
fn everything_wrong_is_said_at_once() {
    says(
        "registry_url: ftp://x\naudit: no\npolicy:\n  min_scor: 80\n  cert_mode: Strict\n  min_cert_level: 4\n  custom:\n    - name: A\n",
        &[
            "1:15: `registry_url` is the text `ftp://x` (allowed: an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or a directory)",
            "2:8: `audit` is the text `no` (allowed: required, best-effort)",
            "4:3: unknown key `min_scor` in `policy`; did you mean `min_score`? (allowed: $POLICY)",
            "5:14: `policy.cert_mode` is the text `Strict`; did you mean `strict`? (allowed: $MODES)",
            "6:19: `policy.min_cert_level` is the number 4 (allowed: a whole number from 0 to 3)",
            "8:7: an entry of `policy.custom` is missing `source` (allowed: $CUSTOM)",
            "8:13: `policy.custom[0].name` is the text `A`; did you mean `a`? (allowed: 1 to 64 characters of a-z, 0-9 and -; not origin, certification or score)",
        ],
    );
}

#[test]
fn a_problem_is_data_too() {
    let error = read("policy:\n  min_scor: 80\n").unwrap_err();
    let json = serde_json::to_value(&error).unwrap();
    let problem = serde_json::json!({
        "code": "unknown-key", "file": "~/.mcp/config.yaml", "line": 2, "column": 3, "path": "policy.min_scor",
        "message": "unknown key `min_scor` in `policy`", "allowed": POLICY, "suggestion": "min_score",
    });
    assert_eq!(json, serde_json::json!({ "problems": [problem], "more": 0 }));
}
