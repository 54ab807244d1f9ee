//! What a policy may use, and how many there may be: in force, and refused.

use std::time::Duration;

use super::bad;
use super::good;
use crate::Config;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;

/// A configuration with one policy that has these limits; they begin in column 37 of line 3.
fn with(limits: &str) -> String {
    format!("policy:\n  custom:\n    - {{name: a, source: a, limits: {{{limits}}}}}\n")
}

fn in_force(config: &Config) -> PolicyLimits {
    config.layers()[0].policies().last().unwrap().limits
}

#[test]
fn every_limit_is_read_from_its_least_to_its_ceiling() {
    assert_eq!(in_force(&good(&with(""))), PolicyLimits::DEFAULT);
    let least = "time: 1ms, memory: 64KiB, memories: 1, instances: 1, component_size: 1B, output: 1B";
    assert_eq!(in_force(&good(&with(least))), PolicyLimits::LEAST);
    let most = "time: 10s, memory: 512MiB, memories: 64, instances: 512, component_size: 64MiB, output: 8MiB";
    assert_eq!(in_force(&good(&with(most))), PolicyLimits::CEILING);
    // The line of the contract.
    let line = "time: 100ms, memory: 64MiB, memories: 8, instances: 64, component_size: 32MiB, output: 1MiB";
    let read = in_force(&good(&with(line)));
    assert_eq!((read.time.as_millis(), read.memory), (100, 64 << 20));
    assert_eq!(PolicyLimits { time: PolicyLimits::DEFAULT.time, memory: 32 << 20, ..read }, PolicyLimits::DEFAULT);
}

#[test]
fn a_limit_changes_itself_alone() {
    let of = |text: &str| in_force(&good(&with(text)));
    let default = PolicyLimits::DEFAULT;
    assert_eq!(of("time: 2s"), PolicyLimits { time: Duration::from_secs(2), ..default });
    assert_eq!(of("memory: 1 MB"), PolicyLimits { memory: 1_000_000, ..default });
    assert_eq!(of("memories: 9"), PolicyLimits { memories: 9, ..default });
    assert_eq!(of("instances: 0x41"), PolicyLimits { instances: 65, ..default });
    assert_eq!(of("component_size: 33mib"), PolicyLimits { component_size: 33 << 20, ..default });
    assert_eq!(of("output: 2MiB"), PolicyLimits { output: 2 << 20, ..default });
}

#[test]
fn what_is_out_of_range_or_has_another_unit_is_refused_with_what_is_allowed() {
    let (time, memory) =
        ("a duration from 1ms to 10s, such as `100ms`", "a size from 64KiB to 512MiB, such as `64MiB`");
    let size = "a size above zero and at most 64MiB, such as `32MiB`";
    let output = "a size above zero and at most 8MiB, such as `1MiB`";
    let (memories, instances) = ("a whole number from 1 to 64", "a whole number from 1 to 512");
    let overflow = "18446744073709551615";
    let table = [
        ("time", time, vec!["10s 1ns", "10001ms", "999us", "0s", "100", "~", "1MiB", "forever", "-1s", "[1s]", "\"\""]),
        (
            "memory",
            memory,
            vec!["536870913B", "513MiB", "65535B", "0B", "64", "64M", "1s", "~", "-1MiB", "1.5MiB", "1TiB"],
        ),
        ("memory", memory, vec!["99999999999GiB", "18446744073709551616B", "true", "{}", "\"64\""]),
        ("memories", memories, vec!["65", "0", "-1", "8.0", "\"8\"", "8B", "~", "[]", overflow]),
        ("instances", instances, vec!["513", "0", "-1", "1MiB", "~", overflow]),
        ("component_size", size, vec!["67108865B", "65MiB", "0B", "32", "~"]),
        ("output", output, vec!["8388609B", "9MiB", "0B", "1", "unlimited"]),
    ];
    for (key, allowed, wrong) in table {
        for value in wrong {
            let [problem] = bad(&with(&format!("{key}: {value}"))).try_into().unwrap();
            let place = format!("3:{}: `policy.custom[0].limits.{key}` ", 37 + key.len() + 2);
            assert!(problem.starts_with(&place), "{key}: {value}: {problem}");
            assert!(problem.ends_with(&format!("(allowed: {allowed})")), "{key}: {value}: {problem}");
        }
    }
}

#[test]
fn what_limits_are_not_is_refused() {
    const KEYS: &str = "time, memory, memories, instances, component_size, output";
    let whole = |text: &str| format!("policy:\n  custom:\n    - {{name: a, source: a, limits: {text}}}\n");
    for (text, says) in [
        ("~", "has no value"),
        ("64MiB", "is the text `64MiB`"),
        ("[]", "is a list"),
        ("false", "is the boolean `false`"),
    ] {
        let said = format!("3:36: `policy.custom[0].limits` {says} (allowed: a mapping of {KEYS})");
        assert_eq!(bad(&whole(text)), [said], "{text}");
    }
    for (key, meant) in [
        ("timeout", "time"),
        ("tyme", "time"),
        ("memry", "memory"),
        ("max_memory", "memory"),
        ("size", "component_size"),
    ] {
        let said =
            format!("3:37: unknown key `{key}` in `limits` of a policy; did you mean `{meant}`? (allowed: {KEYS})");
        assert_eq!(bad(&with(&format!("{key}: 1"))), [said]);
    }
    for key in ["tables", "handles", "fuel", "mode"] {
        assert!(bad(&with(&format!("{key}: 1")))[0].contains(&format!("unknown key `{key}`")), "{key}");
    }
    let twice = "3:48: duplicate key `time` in `limits` of a policy, first in line 3 (allowed: each key once)";
    assert_eq!(bad(&with("time: 1ms, time: 2ms")), [twice]);
    assert_eq!(bad(&with("time: 11s, memory: 1, fuel: 3")).len(), 3, "all at once");
    // The built-in policies have none, and neither has a layer.
    for text in ["policy: {limits: {time: 1s}}", "limits: {time: 1s}"] {
        assert!(bad(text)[0].contains("unknown key `limits`"), "{text}");
    }
}

#[test]
fn the_times_of_a_layer_are_sixty_seconds_together() {
    let entry = |number: usize, time: &str| format!("\n    - {{name: p{number}, source: x, limits: {{time: {time}}}}}");
    let five: String = (0..5).map(|number| entry(number, "10s")).collect();
    // The built-in policies have half a second each.
    good(&format!("policy:\n  custom:{five}{}", entry(5, "8500ms")));
    let said = "3:5: the policies may take 1m 1ms together (allowed: 1m for all enabled policies of a layer; each has 500ms, \
                or what its `limits: {time: …}` says)";
    assert_eq!(bad(&format!("policy:\n  custom:{five}{}", entry(5, "8501ms"))), [said]);
    // What is disabled takes no time.
    good(&format!("policy:\n  score_mode: disabled\n  custom:{five}{}", entry(5, "9s")));
}

#[test]
fn a_layer_has_so_many_policies_and_may_have_more() {
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("\n    - {{name: p{number}, source: x, limits: {{time: 50ms}}}}"))
            .collect::<String>()
    };
    let whole = |keys: &str, count| format!("policy:\n{keys}  custom:{}", many(count));
    good(&whole("", limits::POLICIES - 3));
    let said = "3:5: 257 policies are too many for one layer (allowed: 256 policies, the three built-in ones included; \
                `policy.max_policies` raises that to at most 1024)";
    assert_eq!(bad(&whole("", limits::POLICIES - 2)), [said]);
    let raised = "  max_policies: 1024\n";
    good(&whole(raised, limits::POLICIES_CEILING - 3));
    let said =
        "4:5: 1025 policies are too many for one layer (allowed: 1024 policies, the three built-in ones included)";
    assert_eq!(bad(&whole(raised, limits::POLICIES_CEILING - 2)), [said]);
    for wrong in ["1025", "255", "0", "-1", "~", "\"300\"", "300.0", "many"] {
        let [problem] = bad(&format!("policy: {{max_policies: {wrong}}}")).try_into().unwrap();
        assert!(problem.starts_with("1:24: `policy.max_policies` "), "{problem}");
        assert!(problem.ends_with("(allowed: a whole number from 256 to 1024)"), "{problem}");
    }
    // Too many with too much time are two problems.
    let slow: String = (0..254).map(|number| format!("\n    - {{name: p{number}, source: x}}")).collect();
    assert_eq!(bad(&format!("policy:\n  custom:{slow}")).len(), 2);
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    let text = with("time: 1500ms, memory: 100KB, memories: 3, component_size: 3MiB, output: 17B");
    let shown = good(&text).view().to_string();
    let limits = r#""limits":{"time":"1s500ms","memory":"100000B","memories":3,"instances":64,"component_size":"3MiB","output":"17B"}"#;
    assert!(shown.contains(limits), "{shown}");
    assert_eq!(in_force(&good(&shown)), in_force(&good(&text)));
    assert!(shown.contains("\n  max_policies: 256  # default\n"), "{shown}");
    assert!(
        good("policy: {max_policies: 300}")
            .view()
            .to_string()
            .contains("\n  max_policies: 300  # ~/.mcp/config.yaml:1:24\n")
    );
}
