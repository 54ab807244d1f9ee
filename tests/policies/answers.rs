//! Answers of the built-in policies, kept from one start to the next.

use std::fs;

use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::kept::COMPILED;
use crate::kept::EVAL;
use crate::kept::all_calls;
use crate::kept::bed;
use crate::kept::file;
use crate::kept::verdict;

/// Answers of the built-in policies are asked for again where they can't be used, and never make a store by themselves.
#[test]
fn answers_of_the_built_in_policies_are_kept_beside_the_code() {
    let alone = TestBed::new();
    alone.configure("policy: {min_score: 50}\n");
    alone.write("facts.json", r#"{"score": 60}"#);
    for _ in 0..2 {
        let ran = alone.smcp(EVAL).args(&["-vv"]).run().succeeds();
        assert_eq!(all_calls(&ran.stderr), [["check-settings"; 3], ["evaluate"; 3]].concat());
    }
    assert!(![".mcp/cache", ".mcp/compiled.key"].iter().any(|it| alone.path(it).try_exists().unwrap()));

    let bed = bed();
    bed.run(EVAL).exits(4);
    let answers = bed.list(COMPILED).into_iter().map(|name| bed.path(COMPILED).join(name));
    let answers = answers.into_iter().find(|path| *path != file(&bed)).unwrap();
    let expected = verdict(&bed.run(EVAL).exits(4));
    type Damage<'a> = (&'a str, &'a dyn Fn());
    let damages: [Damage<'_>; 3] = [
        ("changed", &|| corrupt(&answers)),
        ("empty", &|| fs::write(&answers, "").unwrap()),
        ("removed", &|| fs::remove_file(&answers).unwrap()),
    ];
    for (damage, make) in damages {
        make();
        let ran = bed.smcp(EVAL).args(&["-vv"]).run().exits(4);
        assert_eq!(verdict(&ran), expected, "{damage}");
        assert_eq!(all_calls(&ran.stderr).len(), 3 + 4, "{damage}: {ran}");
        assert_eq!(all_calls(&bed.smcp(EVAL).args(&["-vv"]).run().exits(4).stderr), ["evaluate"; 4], "{damage}");
    }
    // Other settings are other answers; those that are known stay.
    let policies = "custom: [{name: no-network, source: ~/rules.wasm, settings: {allow: [a.example.com]}}]";
    for (settings, checks) in [("min_score: 95, ", 1), ("", 0), ("min_score: 95, ", 0)] {
        bed.configure(&format!("policy: {{{settings}{policies}}}\n"));
        let ran = bed.smcp(EVAL).args(&["-vv"]).run().exits(4);
        assert_eq!(all_calls(&ran.stderr).len(), checks + 4, "{settings}: {ran}");
    }
}
