//! Rows that are not run here: they name their tests, or give a reason.

use crate::files;
use crate::table::Row;

/// Returns the problem with the place that a row names.
pub(crate) fn misses(row: &Row, place: &str) -> Vec<String> {
    let problem = if row.is_runnable() {
        Some("a row is run here or elsewhere, not both".to_owned())
    } else if place == "later" {
        row.because.is_none().then(|| "a row for later says why".to_owned())
    } else {
        place.split_whitespace().find_map(missing)
    };
    problem.into_iter().map(|problem| format!("{}: {problem}", row.id)).collect()
}

/// Returns a problem if `FILE#TEST` does not exist. The name of the test is required: a file alone proves nothing.
fn missing(place: &str) -> Option<String> {
    let Some((file, test)) = place.split_once('#') else {
        return Some(format!("`{place}` names no test; expected FILE#TEST or `later`"));
    };
    let Some(text) = files::read(file) else { return Some(format!("there is no file {file}")) };
    let head = format!("fn {test}(");
    let mut after_attribute = text.split("#[test]").skip(1);
    let found = after_attribute.any(|code| code.find("fn ").is_some_and(|at| code[at..].starts_with(&head)));
    (!found).then(|| format!("{file} has no test `{test}`"))
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    let here = "tests/conformance/elsewhere.rs";
    assert_eq!(missing(&format!("{here}#a_test_that_is_not_there_is_missed")), None);
    for place in [here.to_owned(), format!("{here}#missing"), format!("{here}#a_test"), "tests/none.rs#a".to_owned()] {
        assert!(missing(&place).is_some(), "{place}");
    }
}
