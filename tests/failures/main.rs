//! Checks every row of the table in `docs/failure-behaviour.md`.
//!
//! A test reads the table. For each of its rows, one of `ROWS` provokes the failure with the real binary, in every
//! mode, and compares: the code for machines, the exit code, the effects in strict, warn and disabled, and each thing
//! that the message must have. A row without a provocation fails the test, and so does a provocation without a row.
//!
//! To add a row, write it into the document, and add a `Row` with the text of its first column to the module of its
//! subject.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, the registry and the file system")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/bombs.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bombs;
#[path = "../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../hostile/registry/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
#[path = "../support/shifted.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod shifted;
#[path = "../support/terminal.rs"]
mod terminal;

mod before;
mod bytes;
mod launch;
mod places;
mod policies;
mod registries;
mod scene;
mod sets;
mod start;
mod statements;
mod table;
mod trial;
mod verdicts;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Mutex;

use crate::table::Promise;
use crate::trial::Trial;

/// How to provoke a row of the document.
pub(crate) struct Row {
    /// The first column, word for word.
    pub(crate) what: &'static str,
    /// The items of the last column in order, each with words of the message that show it.
    pub(crate) holds: &'static [(&'static str, &'static str)],
    /// Provokes the failure.
    pub(crate) provoke: fn(&Trial<'_>),
}

/// The number of rows tried at once: some of them wait for a deadline.
const AT_ONCE: usize = 4;

fn rows() -> Vec<&'static Row> {
    [
        before::ROWS,
        sets::ROWS,
        statements::ROWS,
        places::ROWS,
        registries::ROWS,
        bytes::ROWS,
        policies::ROWS,
        verdicts::ROWS,
        launch::ROWS,
        start::ROWS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_row_of_the_document_is_provoked_and_nothing_else() {
    let mut promised: Vec<_> = table::read().into_iter().map(|promise| promise.what).collect();
    let mut provoked: Vec<_> = rows().into_iter().map(|row| row.what.to_owned()).collect();
    promised.sort();
    provoked.sort();
    assert_eq!(promised, provoked, "left: rows of docs/failure-behaviour.md; right: rows of tests/failures");
}

#[test]
fn every_row_of_the_document_is_true() {
    let promises: BTreeMap<String, Promise> =
        table::read().into_iter().map(|promise| (promise.what.clone(), promise)).collect();
    let only = std::env::var("SMCP_ROW").unwrap_or_default();
    let todo = Mutex::new(rows().into_iter().filter(|row| row.what.contains(&only)));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().next();
                    let Some(row) = next else { break };
                    // The other test reports a provocation without a row.
                    let Some(promise) = promises.get(row.what) else { continue };
                    let tried = catch_unwind(AssertUnwindSafe(|| Trial::new(promise, row.holds).of(row.provoke)));
                    if tried.is_err() {
                        wrong.lock().unwrap().push(row.what);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "not as docs/failure-behaviour.md says (above is why): {wrong:#?}");
}
