//! The tables, and the files of the repository that they use and name.

use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// The root of the repository.
fn repository() -> Dir {
    Dir::open_ambient_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."), ambient_authority()).unwrap()
}

/// Returns the text of a file, by its path from the root; `None` if it does not exist.
pub(crate) fn read(path: &str) -> Option<String> {
    repository().read_to_string(path).ok()
}

/// Returns the names of all tables, sorted.
pub(crate) fn tables() -> Vec<String> {
    let entries = repository().read_dir("tests/conformance").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut tables: Vec<_> = names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    tables.sort();
    tables
}
