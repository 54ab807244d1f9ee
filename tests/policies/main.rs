//! Policies: the built-ins as promised, decisions made again, and every hostile one contained.
//!
//! One binary for all that runs components, because each that does carries the whole runtime. `tests/hostile` holds the
//! hostile policies as texts; the tables of the modules below name every one of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, and reads the tree")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/bombs.rs"]
mod bombs;
#[path = "../support/guest.rs"]
mod guest;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/trial.rs"]
mod trial;

mod again;
mod built_ins;
mod compared;
mod compiler;
mod configured;
mod corpus;
mod explain;
mod faults;
mod files;
#[cfg(target_os = "linux")]
mod forked;
mod interface;
mod isolation;
mod kept;
mod limits;
mod many;
mod mutations;
mod pooled;
mod program;
mod replay;
mod replay_log;
mod replayed;
mod same;
mod session;
mod stub;
mod vouched;

use std::collections::BTreeSet;

/// A text that no table names would be a hostile policy that nobody tries.
#[test]
fn every_hostile_text_is_tried() {
    let entries = guest::folder().entries().unwrap().map(Result::unwrap);
    // The folder beside them has the hostile registries and archives.
    let texts = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let found: BTreeSet<String> = texts.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let named: BTreeSet<String> = [corpus::files(), isolation::files(), limits::files()]
        .concat()
        .into_iter()
        .map(|file| format!("{file}.wat"))
        .collect();
    assert_eq!(found, named);
}
