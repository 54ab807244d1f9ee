//! What people and programs see of a run, and what is run at all.

use std::fs;

use serde_json::json;

use crate::BAD;
use crate::GOOD;
use crate::bed;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::terminal::Terminal;

#[test]
fn people_see_what_came_of_it() {
    let bed = bed();
    bed.write("cases/good.yaml", GOOD);
    insta::assert_snapshot!("good", bed.run("policy test").succeeds().silent());
    bed.write("cases/bad.yaml", BAD);
    insta::assert_snapshot!("bad", bed.run("policy test no_network.wasm").exits(1).silent());
    bed.write("cases/wrong.yaml", "cases:\n- name: a\n  form: x\n  facts: {score: high}\n  expect: alow\n");
    bed.write("cases/empty.yml", "");
    insta::assert_snapshot!("wrong", bed.run("policy test no_network.wasm").exits(1));
}

#[test]
fn programs_get_one_document() {
    let bed = bed();
    bed.write("cases/a.yaml", GOOD);
    bed.write("cases/b.yaml", BAD);
    let ran = bed.run("policy test --json").exits(1).silent();
    insta::assert_snapshot!("json", ran.document_shown(&bed));
    let document = ran.document();
    assert_eq!(document["schema"], "smcp.cases/1");
    assert_eq!(document["summary"], json!({"cases": 9, "held": 4, "failed": 5, "updated": 0}));
    bed.write("cases/c.yaml", "cases:\n- {name: a, expct: allow}\n");
    insta::assert_snapshot!("wrong_json", bed.run("policy test --json").exits(1).document_shown(&bed));
}

#[test]
fn colours_are_for_terminals() {
    let bed = bed();
    bed.write("cases/bad.yaml", BAD);
    let piped = bed.run("policy test").exits(1).raw;
    assert!(!piped.contains('\u{1b}'), "{piped}");
    let mut terminal = Terminal::of_width(80);
    let mut invocation = bed.smcp("policy test").env("TERM", "xterm");
    invocation.command.stdin(terminal.stream()).stdout(terminal.stream()).stderr(terminal.stream());
    let mut child = invocation.command.spawn().unwrap();
    terminal.shows("5 of 5 fail");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // Its streams are handles of the terminal.
    drop(invocation);
    let screen = terminal.end();
    assert!(screen.contains("\u{1b}["), "{screen:?}");
}

#[test]
fn a_long_list_is_cut_unless_all_is_asked_for() {
    let bed = bed();
    let cases: String = (0..25).map(|number| format!("- {{name: c{number}, expect: allow}}\n")).collect();
    bed.write("cases/a.yaml", format!("cases:\n{cases}"));
    let shown = bed.run("policy test").exits(1).stdout;
    assert!(shown.starts_with("✗ 25 of 25 cases fail: no-network 0.1.0 (no_network.wasm)\n"), "{shown}");
    assert_eq!(shown.matches("✗ cases/a.yaml:").count(), 6, "{shown}");
    assert!(shown.lines().count() < 24, "it fits a screen: {shown}");
    assert!(shown.contains("\nand 19 more; `-v` shows all\n"), "{shown}");
    let whole = bed.run("policy test -v").exits(1).stdout;
    assert_eq!(whole.matches("✗ cases/a.yaml:").count(), 25, "{whole}");
}

#[test]
fn the_cases_of_the_built_ins_are_run_by_this_command_too() {
    let bed = TestBed::new();
    for name in ["origin", "certification", "score"] {
        let cases = format!("{ROOT}/builtin-policies/{name}/cases");
        let ran = bed.smcp("policy test --built-in").args(&[name, "--cases", &cases]).run().succeeds().silent();
        assert!(ran.stdout.starts_with("✓ all ") && ran.stdout.contains(&format!(" cases hold: {name} ")), "{ran}");
    }
    for (line, says) in [
        ("policy test --built-in score", "--cases"),
        ("policy test --built-in scores --cases .", "[possible values: origin, certification, score]"),
        ("policy test x.wasm --built-in score --cases .", "cannot be used with"),
    ] {
        bed.run(line).refuses(1, &[says]);
    }
}

#[test]
fn a_folder_has_one_component_and_its_cases() {
    let bed = bed();
    bed.write("cases/b.yml", "cases:\n- {name: b, expect: {violations: [network-unknown]}}\n");
    bed.write("cases/a.yaml", "cases:\n- {name: a, expect: {violations: [network-unknown]}}\n");
    // None of these is a case file, and none a component.
    for other in ["cases/.#a.yaml", "cases/notes.md", "cases/yaml", ".hidden.wasm", "wasm"] {
        bed.write(other, "no");
    }
    bed.write("deeper/other.wasm", "no");
    let order = |line: &str| {
        let document = bed.run(line).succeeds().document();
        document["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["file"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(order("policy test --json"), ["cases/a.yaml", "cases/b.yml"]);
    assert_eq!(order("policy test --json no_network.wasm"), ["cases/a.yaml", "cases/b.yml"]);
    assert_eq!(order("policy test --json ./no_network.wasm --cases cases/b.yml"), ["cases/b.yml"]);
    fs::create_dir(bed.path("project")).unwrap();
    fs::rename(bed.path("no_network.wasm"), bed.path("project/n.wasm")).unwrap();
    fs::rename(bed.path("cases"), bed.path("project/cases")).unwrap();
    assert_eq!(order("policy test --json project"), ["project/cases/a.yaml", "project/cases/b.yml"]);
    assert_eq!(order("policy test --json project/n.wasm"), ["project/cases/a.yaml", "project/cases/b.yml"]);
}

#[test]
fn nothing_that_may_be_meant_as_a_case_is_passed_over_in_silence() {
    let bed = bed();
    bed.write("cases/A.YAML", "cases:\n- {name: a, expect: {violations: [network-unknown]}}\n");
    bed.write("cases/b.json", "{}");
    bed.write("cases/deeper/c.yaml", "cases: []");
    let ran = bed.run("policy test").succeeds();
    assert!(ran.stdout.contains("cases/A.YAML  1 case"), "{ran}");
    let ran = ran.says(&["note: cases/b.json: it is not run: ", "note: cases/deeper: files in it are not run: "]);
    assert_eq!(ran.stderr.lines().count(), 2, "{ran}");
    bed.run("policy test -q").succeeds().silent();
    smcp_policy_sdk::testing::Cases::read(bed.path("cases")).unwrap();
}

#[test]
fn what_can_not_be_tested_is_told_by_name() {
    let bed = TestBed::new();
    bed.run("policy test").refuses(1, &[". has no component: a `.wasm` file at its top", "build the policy"]);
    bed.run("policy test gone.wasm").refuses(1, &["gone.wasm"]);
    bed.run("policy test gone").refuses(1, &["gone"]);
    bed.write("a.wasm", "no");
    bed.run("policy test").refuses(1, &["there are no cases: cases does not exist"]);
    fs::create_dir(bed.path("cases")).unwrap();
    bed.run("policy test").refuses(1, &["there are no cases: cases has no case file", ".yaml or .yml"]);
    bed.run("policy test --cases gone").refuses(1, &["gone"]);
    bed.write("cases/a.yaml", "cases:\n- {name: a, expect: allow}\n");
    for name in ["b.wasm", "c.wasm", "d.wasm", "e.wasm", "f.wasm"] {
        bed.write(name, "no");
    }
    bed.run("policy test").refuses(1, &[". has 6 components: ", "b.wasm", ", …", "name the one to test"]);
    bed.run("--config x policy test a.wasm").refuses(1, &["--config x has no effect here"]);
}

#[test]
fn no_configuration_is_read_and_nothing_is_recorded() {
    let bed = bed();
    bed.write("cases/a.yaml", GOOD);
    bed.write(".mcp/config.yaml", "no: configuration\n");
    let system = bed.path("system.yaml").to_str().unwrap().to_owned();
    bed.write("system.yaml", "neither: this\n");
    bed.smcp("policy test").env("SMCP_CONFIG", "gone").env("SMCP_SYSTEM_CONFIG", system).run().succeeds().silent();
    assert_eq!(bed.list(".mcp"), ["cache", "compiled.key", "config.yaml"], "no audit log");
    let kept = bed.list(".mcp/cache/compiled");
    assert!(!kept.is_empty(), "its code is kept for the next run");
    bed.run("policy test --cache-dir elsewhere").succeeds();
    assert!(!bed.list("elsewhere/compiled").is_empty());
}
