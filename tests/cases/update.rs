//! `--update`: what was found becomes what is expected, and all else stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;

use crate::BAD;
use crate::GOOD;
use crate::bed;

#[test]
fn an_update_makes_failing_cases_hold() {
    let bed = bed();
    let text = BAD.replace("expect: allow\n", "expect: allow   # a comment\n");
    bed.write("cases/a.yaml", &text);
    bed.write("cases/good.yaml", GOOD);
    insta::assert_snapshot!("updated", bed.run("policy test --update").succeeds().silent());
    insta::assert_snapshot!("updated_file", bed.read("cases/a.yaml"));
    assert_eq!(bed.read("cases/good.yaml"), GOOD, "nothing was to be done");
    let ran = bed.run("policy test").succeeds();
    assert!(ran.stdout.starts_with("✓ all 9 cases hold"), "{ran}");
    let once = bed.read("cases/a.yaml");
    bed.run("policy test --update").succeeds();
    assert_eq!(bed.read("cases/a.yaml"), once);
}

#[test]
fn a_file_that_can_not_be_updated_is_left_as_it_is_and_the_others_are_not() {
    let bed = bed();
    let anchored = "cases:\n- name: x\n  expect: &e allow\n- {name: y, settings: {allow: []}, expect: *e}\n";
    bed.write("cases/a.yaml", anchored);
    bed.write("cases/b.yaml", "cases:\n- {name: x, expect: allow}\n");
    let ran = bed.run("policy test --update").exits(1);
    insta::assert_snapshot!("partly_updated", ran);
    assert_eq!(bed.read("cases/a.yaml"), anchored);
    assert_eq!(bed.read("cases/b.yaml"), "cases:\n- {name: x, expect: {violations: [network-unknown]}}\n");
    bed.write("cases/b.yaml", "cases:\n- {name: x, expect: allow}\n");
    let document = bed.run("policy test --update --json").exits(1).document();
    let states: Vec<_> = document["files"].as_array().unwrap().iter().map(|file| &file["cases"][0]["state"]).collect();
    assert_eq!(states, ["failed", "updated"]);
    assert_eq!(document["files"][0]["not_updated"]["case"], "x");
}

#[test]
fn a_broken_policy_is_never_what_is_expected() {
    let bed = bed();
    bed.write("broken.wasm", "(no component)");
    bed.write("cases/a.yaml", "cases:\n- {name: x, expect: allow}\n");
    insta::assert_snapshot!("broken", bed.run("policy test --update broken.wasm").exits(1));
    let ran = bed.run("policy test -v --update broken.wasm").exits(1);
    assert!(ran.stdout.contains("the fault `load` is never written as expected"), "{ran}");
    assert_eq!(bed.read("cases/a.yaml"), "cases:\n- {name: x, expect: allow}\n");
}

#[test]
fn a_link_stays_a_link_and_a_mode_a_mode() {
    let bed = bed();
    bed.write("elsewhere/real.yaml", "cases:\n- {name: x, expect: allow}\n");
    fs::set_permissions(bed.path("elsewhere/real.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(bed.path("cases")).unwrap();
    symlink("../elsewhere/real.yaml", bed.path("cases/a.yaml")).unwrap();
    bed.run("policy test --update").succeeds();
    assert!(bed.path("cases/a.yaml").is_symlink());
    assert!(bed.read("elsewhere/real.yaml").contains("network-unknown"));
    let mode = fs::metadata(bed.path("elsewhere/real.yaml")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    assert_eq!(bed.list("elsewhere"), ["real.yaml"], "nothing is left beside it");
}
