//! `policy bench`: what a policy costs, and what it is held against. No test here depends on how long anything takes.

use std::env::consts;
use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use serde_json::json;

use crate::alone::ASKS;
use crate::bed;
use crate::bed::TestBed;
use crate::guest::Twin;

/// A bed with the example policy, and figures of it in `base.json`.
fn measured() -> (TestBed, Value) {
    let bed = bed();
    bed.run("policy bench no_network.wasm --save base.json").succeeds().silent();
    let base = serde_json::from_str(&bed.read("base.json")).unwrap();
    (bed, base)
}

const TIMES: [&str; 3] = ["load", "first_call", "warm_call"];

/// Multiplies all times, so that those of the next measurement are surely below, or surely above.
fn scale(base: &mut Value, by: f64) {
    for name in TIMES {
        for part in ["minimum_ns", "median_ns", "p99_ns"] {
            let scaled = base[name][part].as_f64().unwrap() * by;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rough figure")]
            let scaled = scaled as u64;
            base[name][part] = scaled.into();
        }
    }
}

#[test]
fn figures_keep_their_laws() {
    let (bed, base) = measured();
    for name in TIMES {
        let part = |part: &str| base[name][part].as_u64().unwrap();
        assert!(part("count") >= 10, "{base}");
        assert!(0 < part("minimum_ns"), "{base}");
        assert!(part("minimum_ns") <= part("median_ns") && part("median_ns") <= part("p99_ns"), "{base}");
    }
    let number = |name: &str| base[name].as_u64().unwrap();
    assert!(0 < number("memory") && number("memory") <= number("memory_limit"), "{base}");
    assert_eq!(number("memory") % 65_536, 0, "memory is pages, and globals are rounded to them: {base}");
    assert_eq!(number("memory_limit"), 32 << 20);
    assert_eq!(number("component_size"), fs::metadata(bed.path("no_network.wasm")).unwrap().len());
    assert!(number("compiled_size") > 0);
    let inspected = bed.run("policy inspect no_network.wasm --json").succeeds().document();
    assert_eq!((&base["digest"], &base["policy"]), (&inspected["digest"], &inspected["name"]));
    assert_eq!(bed.list(".mcp"), ["cache", "compiled.key"], "nothing is recorded");
}

#[test]
fn people_and_programs_see_the_figures() {
    let bed = bed();
    let ran = bed.run("policy bench no_network.wasm --json").succeeds().silent();
    let architecture = format!("{}-{}", consts::ARCH, consts::OS);
    insta::assert_snapshot!("bench_json", ran.document_shown(&bed).replace(&architecture, "[ARCHITECTURE]"));
    bed.write("facts.json", ASKS);
    bed.write("settings.yaml", "allow: [a.com]\n");
    let line = "policy bench no_network.wasm --facts facts.json --settings settings.yaml --save base.json";
    let shown = bed.run(line).succeeds().silent().stdout;
    let rows: Vec<_> = shown.lines().filter_map(|line| line.split("  ").next()).filter(|it| !it.is_empty()).collect();
    let expected = [
        "✓ measured: no-network 0.1.0 (no_network.wasm)",
        "TIME",
        "load",
        "first call",
        "warm call",
        "SIZE",
        "memory of a call",
        "compiled code",
        "component",
        "→ kept in base.json",
    ];
    assert_eq!(rows, expected, "{shown}");
    assert!(shown.contains("\n  on facts that it allows\n"), "{shown}");
}

/// A policy of which each call takes one more page than it has at first, and one that fills its whole limit.
#[test]
fn the_memory_of_a_call_is_what_it_asked_for() {
    let bed = TestBed::new();
    let memory = |body: &str| {
        let evaluate = format!("(func $evaluate (param i32) (result i32) {body} (i32.const 0x70))");
        bed.write("a.wasm", Twin::honest().with(&evaluate).component());
        bed.run("policy bench a.wasm --json").succeeds().document()["memory"].as_u64().unwrap()
    };
    let least = memory("");
    assert!(least > 0);
    assert_eq!(memory("(drop (memory.grow (i32.const 1)))"), least + 65_536);
    let all = (32 << 20) - least;
    assert_eq!(memory(&format!("(drop (memory.grow (i32.const {})))", all / 65_536)), 32 << 20);
}

#[test]
fn only_what_is_beyond_the_tolerance_is_a_regression() {
    let (bed, base) = measured();
    // Times are far below those of the base; the others are exact.
    let sizes = ["memory", "compiled_size", "component_size"];
    for (percent, tolerance, regressed) in [(200, 0, false), (80, 25, false), (79, 25, true)] {
        let mut changed = base.clone();
        scale(&mut changed, 1_000.0);
        for name in sizes {
            changed[name] = (base[name].as_u64().unwrap() * percent).div_ceil(100).into();
        }
        bed.write("changed.json", changed.to_string());
        let line = format!("policy bench no_network.wasm --against changed.json --tolerance {tolerance} --json");
        let document = bed.run(&line).exits(i32::from(regressed)).document();
        let comparison = &document["comparison"];
        assert_eq!(
            (&document["exit_code"], &comparison["regressed"]),
            (&json!(i32::from(regressed)), &json!(regressed))
        );
        for figure in comparison["figures"].as_array().unwrap() {
            let expected = regressed && sizes.iter().any(|name| figure["figure"] == *name);
            assert_eq!(figure["regressed"], expected, "{figure}");
        }
    }
}

#[test]
fn what_regressed_is_not_kept() {
    let (bed, base) = measured();
    let mut fast = base.clone();
    scale(&mut fast, 0.001);
    let fast = fast.to_string();
    bed.write("fast.json", &fast);
    let ran = bed.run("policy bench no_network.wasm --against fast.json --save fast.json").exits(1);
    assert_eq!(bed.read("fast.json"), fast);
    assert!(ran.stdout.starts_with("✗ 3 figures are more than 25% above fast.json: no-network"), "{ran}");
    assert!(ran.stdout.ends_with("→ fast.json is left as it is: figures that regressed are not kept\n"), "{ran}");
    let mut slow = base;
    scale(&mut slow, 1_000.0);
    bed.write("slow.json", slow.to_string());
    let printed = bed.run("policy bench no_network.wasm --against slow.json --save slow.json --json").succeeds();
    assert_ne!(bed.read("slow.json"), slow.to_string(), "what did not regress is");
    // What `--json` prints is a base, too: it is read before the policy is.
    bed.write("printed.json", &printed.raw);
    bed.write("traps.wasm", Twin::of("unreachable").component());
    bed.run("policy bench traps.wasm --against printed.json").refuses(1, &["traps.wasm failed"]);
    let left = [".mcp", "base.json", "fast.json", "no_network.wasm", "printed.json", "slow.json", "traps.wasm"];
    assert_eq!(bed.list("."), left);
}

#[test]
fn figures_that_can_not_be_compared_are_an_error() {
    let (bed, base) = measured();
    let other = |pointer: &str, value: Value| {
        let mut changed = base.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let digest = format!("sha256:{}", "0".repeat(64));
    let text = base.to_string();
    for (base, says) in [
        (other("/conditions/smcp", json!("0.0.9")), "it was measured with smcp 0.0.9, and this is "),
        (other("/conditions/architecture", json!("z80-cpm")), "it was measured with z80-cpm, and this is "),
        (other("/conditions/engine", json!(digest)), "it was measured with another engine"),
        (other("/conditions/settings", json!(digest)), "it was measured with other settings"),
        (other("/conditions/facts", json!(digest)), "it was measured with other facts"),
        (other("/policy", json!("other")), "has the figures of the policy `other`, and this is `no-network`"),
        (other("/schema", json!("smcp.bench/2")), "its `schema` is \"smcp.bench/2\", and this is smcp.bench/1"),
        (other("/schema", json!(1)), "its `schema` is 1, and this is smcp.bench/1"),
        (other("/load/count", json!(0)), "times need a count"),
        (other("/load/minimum_ns", json!(u64::MAX)), "minimum_ns <= median_ns <= p99_ns"),
        (other("/load/minimum_ns", json!(-1)), "invalid value"),
        (other("/load/minimum_ns", json!(1.5)), "invalid type"),
        (other("/load", json!({"count": 1, "mean_ns": 1})), "unknown field `mean_ns`"),
        (other("/memory", json!("1 MiB")), "invalid type"),
        (other("/memory", json!(null)), "invalid type"),
        (text.replacen("\"memory\"", "\"memry\"", 1), "unknown field `memry`"),
        (text.replacen('{', "{\"memory\": 1,", 1), "the key `memory` stands twice"),
        (text[..text.len() / 2].to_owned(), "EOF"),
        (String::new(), "EOF"),
        ("{}".to_owned(), "it has no `schema`, which is smcp.bench/1"),
        ("[]".to_owned(), "it is no JSON object"),
        ("{\"schema\": \"smcp.bench/1\"}".to_owned(), "missing field"),
        ("{\"schema\": \"\u{1b}[2J\"}".to_owned(), "control character"),
        (format!("{text}{}", " ".repeat(64 * 1024)), "more than [SIZE] bytes"),
        ("[".repeat(60_000), "recursion limit"),
    ] {
        bed.write("other.json", &base);
        let ran = bed.run("policy bench no_network.wasm --against other.json --save saved.json");
        ran.refuses(1, &["other.json", says]);
    }
    bed.run("policy bench no_network.wasm --against gone.json").refuses(1, &["while reading gone.json"]);
    bed.write("settings.yaml", "allow: []\n");
    let line = "policy bench no_network.wasm --against base.json --settings settings.yaml";
    bed.run(line).refuses(1, &["it was measured with other settings", "→ measure again what it should be"]);
    let document = bed.run(&format!("{line} --json")).exits(1).document();
    assert_eq!(document["code"], "base");
    assert!(!bed.has("saved.json"));
}

#[test]
fn nothing_but_figures_is_replaced() {
    let bed = bed();
    bed.write("notes.txt", "mine");
    bed.write("other.json", r#"{"schema": "smcp.cases/1"}"#);
    bed.write("large.json", "x".repeat(100_000));
    bed.write("folder/x", "");
    symlink(bed.path("notes.txt"), bed.path("link.json")).unwrap();
    for (place, says) in [
        ("no_network.wasm", "no_network.wasm is no file of figures, and is not replaced"),
        ("notes.txt", "is no file of figures"),
        ("other.json", "is no file of figures"),
        ("large.json", "is no file of figures"),
        ("link.json", "is no file of figures"),
        ("folder", "while looking at folder"),
        ("gone/base.json", "while "),
    ] {
        let ran = bed.smcp("policy bench no_network.wasm --save").args(&[place]).run();
        ran.refuses(1, &[says]);
    }
    assert_eq!(bed.read("notes.txt"), "mine");
    bed.write("empty.json", "");
    symlink(bed.path("empty.json"), bed.path("link")).unwrap();
    bed.run("policy bench no_network.wasm --save link").succeeds();
    assert!(bed.read("empty.json").starts_with("{\n  \"schema\": \"smcp.bench/1\","), "a link is followed");
}

#[test]
fn a_policy_that_fails_has_no_figures() {
    let bed = TestBed::new();
    for (text, kind) in [
        ("unreachable", "trap"),
        ("evaluate-spins", "deadline"),
        ("memory-grows", "memory"),
        ("recursion", "stack"),
        ("log-flood", "limit"),
        ("message-empty", "output"),
        ("import-wasi", "interface"),
        ("settings-refused", "settings"),
    ] {
        bed.write(&format!("{text}.wasm"), Twin::of(text).component());
        let ran = bed.smcp("policy bench --save base.json").args(&[format!("{text}.wasm")]).run();
        ran.refuses(1, &[&format!("{text}.wasm failed, and has no figures ({kind}): ")]);
        assert!(!bed.has("base.json"), "{text}");
    }
    bed.write("broken.wasm", "(no component)");
    bed.run("policy bench broken.wasm").refuses(1, &["broken.wasm failed, and has no figures (load): "]);
    assert_eq!(bed.run("policy bench broken.wasm --json").exits(1).document()["code"], "fault");
}

#[test]
fn what_the_settings_and_the_facts_lack_is_said_where_it_is() {
    let bed = bed();
    bed.write("s.yaml", "allow:\n- a.com\n- 7\n");
    bed.write("f.json", r#"{"score": "high"}"#);
    for (options, says) in [
        ("--settings s.yaml", "s.yaml:3:3: `/allow/1`: found 7"),
        ("--facts f.json", "score"),
        ("--facts - --settings -", "standard input can't be both"),
        ("--settings gone.yaml", "while reading gone.yaml"),
        ("--facts gone.json", "while reading gone.json"),
        ("--tolerance 10", "--against"),
        ("--against base.json --tolerance=-1", "--tolerance"),
        ("--against base.json --tolerance 1001", "0..=1000"),
        ("--against base.json --tolerance ten", "--tolerance"),
        ("--config c.yaml", "--config c.yaml has no effect here"),
    ] {
        bed.run(&format!("policy bench no_network.wasm {options}")).refuses(1, &[says]);
    }
    bed.run("policy bench").refuses(1, &["FILE.wasm"]);
    bed.run("policy bench gone.wasm").refuses(1, &["while reading gone.wasm"]);
}

#[test]
fn code_that_can_not_be_kept_can_not_be_measured() {
    let bed = bed();
    bed.write("file", "");
    let ran = bed.run("--cache-dir file/cache policy bench no_network.wasm --save base.json");
    ran.refuses(1, &["no_network.wasm can't be measured: its compiled code can't be kept", "→ give smcp a home"]);
    assert!(!bed.has("base.json"));
}
