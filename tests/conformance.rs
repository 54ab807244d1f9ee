//! The conformance list: what smcp promises to users, as rows of tables.
//!
//! A row of `tests/conformance/*.yaml` is run twice, through the library and through the built binary. Both must give
//! the one expected answer. A row that is not run names the tests that cover it, or says why a later version will.
//! Where today's smcp is unsafe the row has the safe answer, and `because` gives the reason.

#[cfg(test)]
#[path = "conformance/bed.rs"]
mod bed;
#[cfg(test)]
#[path = "conformance/binary.rs"]
mod binary;
#[cfg(test)]
#[path = "conformance/elsewhere.rs"]
mod elsewhere;
#[cfg(test)]
#[path = "conformance/expect.rs"]
mod expect;
#[cfg(test)]
#[path = "conformance/files.rs"]
mod files;
#[cfg(test)]
#[path = "conformance/library.rs"]
mod library;
#[cfg(test)]
#[path = "conformance/table.rs"]
mod table;

use crate::bed::Bed;
use crate::expect::Observed;
use crate::table::Case;
use crate::table::Row;
use crate::table::Table;

/// Every row of the list, and its number of inputs; 0 if it is tested elsewhere or later. Part of the contract: a row
/// that is lost, or loses an input, fails.
const ROWS: [(&str, usize); 75] = [
    ("CL-N1", 4),
    ("CL-N2", 1),
    ("CL-N3", 2),
    ("CL-D", 4),
    ("CL-0", 7),
    ("CL-S1", 3),
    ("CL-S2", 3),
    ("CL-S3", 2),
    ("CL-S4", 1),
    ("CL-W", 2),
    ("CL-E", 3),
    ("CL-M", 1),
    ("CL-T", 5),
    ("SC-N1", 4),
    ("SC-N2", 1),
    ("SC-N3", 2),
    ("SC-S1", 7),
    ("SC-S2", 5),
    ("SC-C", 2),
    ("SC-W", 8),
    ("OR-1", 11),
    ("OR-2", 5),
    ("OR-3", 4),
    ("OR-4", 6),
    ("OR-5", 6),
    ("OR-6", 5),
    ("CO-1", 2),
    ("CO-2", 3),
    ("CO-3", 3),
    ("CO-4", 4),
    ("LI-1", 0),
    ("LI-2", 0),
    ("LI-3", 0),
    ("EN-1", 0),
    ("NE-1", 0),
    ("PE-1", 0),
    ("PE-2", 0),
    ("WA-1", 8),
    ("WA-2", 6),
    ("WA-3", 0),
    ("WA-4", 0),
    ("WA-5", 0),
    ("PX-1", 0),
    ("PX-2", 0),
    ("PX-3", 0),
    ("PX-4", 0),
    ("PX-5", 0),
    ("PX-6", 0),
    ("RG-1", 3),
    ("RG-2", 0),
    ("RG-3", 0),
    ("RG-4", 0),
    ("RG-5", 0),
    ("DG-1", 6),
    ("BU-1", 0),
    ("BU-2", 0),
    ("MF-1", 0),
    ("MF-2", 0),
    ("S-1", 1),
    ("S-2", 1),
    ("S-3", 1),
    ("S-4", 1),
    ("S-5", 1),
    ("S-6", 1),
    ("S-7", 2),
    ("S-8", 4),
    ("S-9", 1),
    ("S-10", 1),
    ("S-11", 0),
    ("S-12", 1),
    ("S-13", 1),
    ("S-14", 3),
    ("S-15", 4),
    ("S-16", 4),
    ("S-17", 3),
];

/// The rows in which today's smcp is unsafe; each says why its answer differs.
const UNSAFE: [&str; 10] = ["CL-N2", "CL-N3", "CL-S3", "SC-N2", "SC-N3", "SC-C", "OR-1", "CO-4", "EN-1", "PX-3"];

/// Makes a test for each table, and the list of all tables.
macro_rules! tables {
    ($($table:ident),+ $(,)?) => {
        const TABLES: &[&str] = &[$(stringify!($table)),+];

        $(
            #[test]
            fn $table() {
                hold(stringify!($table));
            }
        )+
    };
}

tables! {
    certification,
    combined,
    environment,
    origin,
    package,
    proxy,
    published,
    registry,
    sandbox,
    score,
    warnings,
}

/// Fails with every difference between one table and the results.
#[cfg(test)]
fn hold(name: &str) {
    let table = Table::load(name);
    let wrong: Vec<String> = table.rows.iter().flat_map(|row| row_misses(&table, row)).collect();
    assert!(wrong.is_empty(), "{name}.yaml:\n{}", wrong.join("\n"));
}

#[cfg(test)]
fn row_misses(table: &Table, row: &Row) -> Vec<String> {
    match &row.r#where {
        Some(place) => elsewhere::misses(row, place),
        None => row.cases(table).iter().flat_map(case_misses).collect(),
    }
}

/// Returns the differences for one input: of the library, of the binary, and between the two.
#[cfg(test)]
fn case_misses(case: &Case) -> Vec<String> {
    let bed = Bed::of(case);
    let (library, binary) = (library::observe(case, &bed), binary::observe(case, &bed));
    let by =
        |way, misses: Vec<String>| misses.into_iter().map(move |miss| format!("{} by the {way}: {miss}", case.name));
    let mut misses: Vec<_> = by("library", case.expect.misses(&library)).collect();
    misses.extend(by("binary", case.expect.misses(&binary)));
    if library != binary {
        misses.push(format!("{}: the library gives {library:#?}\nbut the binary {binary:#?}", case.name));
    }
    let texts = case.expect.shown();
    if !texts.is_empty() {
        misses.extend(by("binary", expect::unsaid(&texts, &binary::shown(case, &bed))));
    }
    misses
}

#[test]
fn every_row_of_the_list_is_there_once_with_all_its_inputs() {
    let mut found = Vec::new();
    for table in TABLES.iter().map(|name| Table::load(name)) {
        for row in &table.rows {
            let inputs = if row.r#where.is_some() { 0 } else { row.cases(&table).len() };
            found.push((row.id.clone(), inputs));
        }
    }
    let mut listed: Vec<_> = ROWS.iter().map(|(id, inputs)| ((*id).to_owned(), *inputs)).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

#[test]
fn every_answer_that_differs_has_its_reason() {
    let tables: Vec<_> = TABLES.iter().map(|name| Table::load(name)).collect();
    let rows: Vec<_> = tables.iter().flat_map(|table| &table.rows).collect();
    for id in UNSAFE {
        assert!(rows.iter().any(|row| row.id == id && row.because.is_some()), "{id} has no `because`");
    }
}

#[test]
fn every_table_is_run() {
    assert_eq!(files::tables(), TABLES);
}

#[test]
fn a_wrong_answer_is_noticed() {
    let table = Table::load("published");
    let row = table.rows.iter().find(|row| row.id == "S-2").unwrap();
    let case = row.cases(&table).remove(0);
    let right = library::observe(&case, &Bed::of(&case));
    assert_eq!(case.expect.misses(&right), Vec::<String>::new());
    let wrong = [
        Observed { exit: 0, ..right.clone() },
        Observed { decision: Some("warn".into()), ..right.clone() },
        Observed { decision: None, ..right.clone() },
        Observed { policies: right.policies[..2].to_vec(), ..right.clone() },
        Observed { violations: Vec::new(), ..right.clone() },
        Observed { violations: vec!["score-unknown".into()], ..right.clone() },
        Observed { says: Vec::new(), ..right },
    ];
    for seen in wrong {
        assert_eq!(case.expect.misses(&seen).len(), 1, "{seen:#?}");
    }
}
