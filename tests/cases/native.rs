//! The same files in the tests of the SDK: what an author reads there.

use std::panic::catch_unwind;

use crate::bed::TestBed;
use smcp_policy_score::ScorePolicy;
use smcp_policy_sdk::testing::Cases;
use smcp_policy_sdk::testing::assert_cases;

/// The message of a failing test, with its folder replaced.
fn fails(bed: &TestBed, path: &str) -> String {
    let path = bed.path(path);
    let panic = catch_unwind(|| assert_cases::<ScorePolicy>(&path)).unwrap_err();
    bed.redact(panic.downcast_ref::<String>().unwrap())
}

#[test]
fn a_failing_test_shows_every_case_that_fails_and_what_is_wrong() {
    let bed = TestBed::new();
    bed.write("cases/a.yaml", "cases:\n- {name: low, facts: {score: 10}, settings: {min_score: 50}, expect: allow}\n");
    bed.write("cases/b.yml", "cases:\n- {name: unknown, expect: allow}\n- {name: loops, expect: {fault: deadline}}\n- {name: x, settings: [], expect: allow}\n");
    bed.write("cases/c.txt", "no case file");
    insta::assert_snapshot!("native", fails(&bed, "cases"));
    bed.write("cases/c.yaml", "cases:\n- {nme: x, expect: allow, facts: {score: 101}}\n");
    insta::assert_snapshot!("native_wrong", fails(&bed, "cases"));
}

#[test]
fn no_case_is_no_success() {
    let bed = TestBed::new();
    std::fs::create_dir(bed.path("cases")).unwrap();
    assert!(fails(&bed, "cases").contains("has no file that ends with .yaml or .yml"));
    assert!(fails(&bed, "gone").contains("gone: No such file or directory"));
    bed.write("cases/a.yaml", "cases: []\n");
    assert!(fails(&bed, "cases").contains("`cases` has 0 cases"));
    bed.write("cases/a.yaml", "cases:\n- {name: a, expect: allow}\n");
    assert_cases::<ScorePolicy>(bed.path("cases"));
    assert_eq!(Cases::read(bed.path("cases/a.yaml")).unwrap().iter().count(), 1);
}
