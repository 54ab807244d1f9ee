//! The limits of a configuration, through the program: exact, listed, recorded.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::guest::Twin;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::record::Body;
use smcp_model::record::Record;

/// Memories of one page in instances of their own, beside that of the honest twin.
fn with_memories(more: usize) -> Twin {
    let instances = "(core instance (instantiate $memory))".repeat(more);
    Twin::honest().with(&format!("(component (core module $memory (memory 1)) {instances})"))
}

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good());
    bed
}

fn run(bed: &TestBed, component: &[u8], limits: &str) -> Ran {
    bed.write(".mcp/guest.wasm", component);
    bed.configure(&format!("policy:\n  custom:\n    - {{name: guest, source: guest.wasm, limits: {{{limits}}}}}\n"));
    bed.run("run acme/tool@1.0.0")
}

#[test]
fn a_limit_of_the_configuration_is_exact() {
    let bed = bed();
    let honest = Twin::honest().component();
    let (size, pages) = (honest.len(), |count| Twin::counting("limit-memory", count).component());
    // The component that fits; the one that doesn't; the limits; the fault.
    let table = [
        (with_memories(7).component(), with_memories(8).component(), String::new(), "fault: limit"),
        (with_memories(8).component(), with_memories(9).component(), "memories: 9".to_owned(), "fault: limit"),
        (pages(512), pages(513), String::new(), "fault: memory"),
        (pages(1024), pages(1025), "memory: 64MiB".to_owned(), "fault: memory"),
        (pages(2), pages(3), "memory: 128KiB".to_owned(), "fault: memory"),
        (honest.clone(), with_memories(1).component(), format!("component_size: {size}B"), "fault: load"),
        (honest.clone(), Twin::of("evaluate-spins").component(), "time: 3s".to_owned(), "fault: deadline"),
    ];
    for (fits, exceeds, limits, fault) in table {
        run(&bed, &fits, &limits).succeeds().silent().prints("runs\n");
        run(&bed, &exceeds, &limits).refuses(4, &[&format!("{fault} → block")]);
    }
}

#[test]
fn the_same_component_runs_or_not_by_its_limits() {
    let bed = bed();
    let honest = Twin::honest().component();
    let size = honest.len();
    for (limits, above, says) in [
        ("instances: 3", "instances: 2", "more than 2 core instances"),
        ("memory: 128KiB", "memory: 127KiB", "and a policy may have 130048"),
        ("output: 1KiB", "output: 1B", "too much data"),
        (&format!("component_size: {size}B"), &format!("component_size: {}B", size - 1), "and a component may have"),
        ("memories: 1, time: 10s", "memories: 1, instances: 1", "more than 1 core instances"),
    ] {
        run(&bed, &honest, limits).succeeds().silent().prints("runs\n");
        run(&bed, &honest, above).refuses(4, &["→ block", says]);
    }
    // One copy that may have nine memories does not let the other have them.
    bed.write(".mcp/guest.wasm", with_memories(8).component());
    let wide = "{name: wide, source: guest.wasm, limits: {memories: 9}}";
    let narrow = "{name: narrow, source: guest.wasm}";
    for (first, second) in [(wide, narrow), (narrow, wide)] {
        bed.configure(&format!("policy: {{custom: [{first}, {second}]}}"));
        bed.run("run acme/tool@1.0.0").refuses(4, &["it has 9 linear memories", "and a policy may have 8"]);
    }
}

/// Nothing starts by a configuration whose limits are not understood, whatever the component would do.
#[test]
fn limits_that_are_not_understood_start_nothing() {
    let bed = bed();
    let honest = Twin::honest().component();
    for (limits, says) in [
        (
            "time: 11s",
            "~/.mcp/config.yaml:4:56: `policy.custom[0].limits.time` is the text `11s` (allowed: a duration from 1ms to 10s",
        ),
        ("memory: 64", "`policy.custom[0].limits.memory` is the number 64 (allowed: a size from 64KiB to 512MiB"),
        ("memories: 65", "`policy.custom[0].limits.memories` is the number 65 (allowed: a whole number from 1 to 64)"),
        ("tables: 9", "unknown key `tables` in `limits` of a policy"),
    ] {
        run(&bed, &honest, limits).refuses(1, &[says]);
    }
    let entry = |number| format!("{{name: p{number}, source: guest.wasm, limits: {{time: 10s}}}}");
    bed.configure(&format!("policy: {{custom: [{}]}}", (0..6).map(entry).collect::<Vec<_>>().join(", ")));
    bed.run("run acme/tool@1.0.0").refuses(1, &["the policies may take 1m 1s 500ms together"]);
}

#[test]
fn limits_are_listed_recorded_and_read_back() {
    let bed = bed();
    run(&bed, &Twin::honest().component(), "time: 2s, memories: 9").succeeds();
    let listed = bed.run("policy list").succeeds();
    assert!(listed.stdout.contains("guest: limits: time 2s, memories 9\n"), "{listed}");
    let document = bed.run("policy list --json").document();
    let own: Vec<_> =
        document["policies"].as_array().unwrap().iter().map(|policy| policy["limits"].to_string()).collect();
    assert_eq!(
        own[3],
        r#"{"time":"2s","memory":"32MiB","memories":9,"instances":64,"component_size":"32MiB","output":"1MiB"}"#
    );
    assert!(own[0].starts_with(r#"{"time":"500ms""#), "{own:?}");
    let shown = bed.run("config show").succeeds();
    assert!(shown.stdout.contains(r#""limits":{"time":"2s","memory":"32MiB","memories":9"#), "{shown}");

    let mut record: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().next().unwrap()).unwrap();
    let limits_of = |record: &Value| {
        let Body::Decision(decision) = Record::read(record).unwrap().body else { panic!("{record}") };
        decision.policies.last().unwrap().spec().limits
    };
    let configured = PolicyLimits { time: Duration::from_secs(2), memories: 9, ..PolicyLimits::DEFAULT };
    assert_eq!(limits_of(&record), configured);
    // A record from before there was a number of memories: there could be one.
    for policy in record["policies"].as_array_mut().unwrap() {
        assert!(policy["limits"].as_object_mut().unwrap().remove("memories").is_some());
    }
    assert_eq!(limits_of(&record), PolicyLimits { memories: 1, ..configured });
}

/// As much address space as smcp says that it needs is enough for all memories that a policy has by default.
#[test]
fn eight_memories_fit_into_the_address_space_that_is_asked_for() {
    let bed = bed();
    run(&bed, &with_memories(7).component(), "").succeeds();
    let line = format!("ulimit -v {} && exec \"$0\" run acme/tool@1.0.0", limits::ADDRESS_SPACE / 1024);
    let shell = Command::new("sh").args(["-c", &line, env!("CARGO_BIN_EXE_smcp")]).env("HOME", bed.path("")).output();
    let output = shell.unwrap();
    assert!(output.status.success(), "{output:?}");
}
