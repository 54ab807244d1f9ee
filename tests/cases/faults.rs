//! Cases run in the sandbox of every launch: each kind of fault can be expected, and none does harm.

use crate::bed::TestBed;
use crate::guest::Twin;

#[test]
fn every_fault_of_a_component_can_be_expected() {
    let cases = [
        ("unreachable", "trap"),
        ("evaluate-spins", "deadline"),
        ("memory-grows", "memory"),
        ("recursion", "stack"),
        ("log-flood", "limit"),
        ("message-empty", "output"),
        ("import-wasi", "interface"),
        ("settings-refused-without-reason", "output"),
    ];
    let bed = TestBed::new();
    for (text, kind) in cases {
        bed.write(&format!("{text}.wasm"), Twin::of(text).component());
        bed.write("one.yaml", format!("cases:\n- {{name: it breaks, expect: {{fault: {kind}}}}}\n"));
        let ran = bed.smcp("policy test --cases one.yaml").args(&[format!("{text}.wasm")]).run();
        assert_eq!(ran.code, 0, "{text}: {ran}");
        bed.write("one.yaml", "cases:\n- {name: it works, expect: allow}\n");
        let ran = bed.smcp("policy test --cases one.yaml").args(&[format!("{text}.wasm")]).run().exits(1);
        let told = if kind == "interface" { "the policy can't be used (interface): " } else { "expected allow\n" };
        assert!(ran.stdout.contains(told), "{ran}");
        let ran = bed.smcp("policy test -v --cases one.yaml").args(&[format!("{text}.wasm")]).run().exits(1);
        assert!(ran.stdout.contains(&format!("found    the fault `{kind}`: ")), "{ran}");
    }
}

#[test]
fn settings_that_are_refused_are_problems_and_a_fault() {
    let bed = TestBed::new();
    bed.write("a.wasm", Twin::of("settings-refused").component());
    let document = {
        bed.write("one.yaml", "cases:\n- {name: a, expect: allow}\n");
        bed.run("policy test a.wasm --cases one.yaml --json").exits(1).document()
    };
    let problem = &document["files"][0]["cases"][0]["found"]["problems"][0];
    let (path, message) = (problem["path"].as_str().unwrap(), problem["message"].as_str().unwrap());
    for expect in [
        "{fault: settings}".to_owned(),
        format!("{{problems: [\"{path}\"]}}"),
        format!("{{problems: [{{path: \"{path}\", message: \"{message}\"}}]}}"),
    ] {
        bed.write("one.yaml", format!("cases:\n- {{name: a, expect: {expect}}}\n"));
        bed.run("policy test a.wasm --cases one.yaml").succeeds();
    }
}

#[test]
fn nothing_of_one_case_is_there_for_the_next() {
    let bed = TestBed::new();
    bed.write("a.wasm", Twin::honest().component());
    let cases: String = (0..300).map(|number| format!("- {{name: c{number}, expect: allow}}\n")).collect();
    bed.write("one.yaml", format!("cases:\n{cases}"));
    let ran = bed.run("policy test a.wasm --cases one.yaml").succeeds();
    assert!(ran.stdout.starts_with("✓ all 300 cases hold"), "{ran}");
}
