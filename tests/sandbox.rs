//! The sandbox: every hostile policy is contained, an honest one works.
//!
//! `tests/hostile` has the texts; the tables of the modules below name every one of them.

#[cfg(test)]
#[path = "support/guest.rs"]
mod guest;
#[cfg(test)]
#[path = "support/trial.rs"]
mod trial;

#[cfg(test)]
#[path = "sandbox/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "sandbox/files.rs"]
mod files;
#[cfg(test)]
#[path = "sandbox/interface.rs"]
mod interface;
#[cfg(test)]
#[path = "sandbox/isolation.rs"]
mod isolation;
#[cfg(test)]
#[path = "sandbox/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "sandbox/mutations.rs"]
mod mutations;

use std::collections::BTreeSet;

/// Checks that a table names every text: otherwise a hostile policy would not be tried.
#[test]
fn every_hostile_text_is_tried() {
    let entries = guest::folder().entries().unwrap().map(Result::unwrap);
    // The folder beside them has the hostile registries and archives.
    let texts = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let found: BTreeSet<String> = texts.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let named: BTreeSet<String> = [faults::files(), interface::files(), isolation::files(), limits::files()]
        .concat()
        .into_iter()
        .map(|file| format!("{file}.wat"))
        .collect();
    assert_eq!(found, named);
}
