//! The names in an archive: each is one place, for readers and file systems.

use std::collections::BTreeMap;

use crate::mcpb::McpbError;
use crate::mcpb::zip::about;
use smcp_model::limits;

/// The places that are taken, by their names in small letters.
#[derive(Debug, Default)]
pub(super) struct EntryNames {
    taken: BTreeMap<String, TakenName>,
}

/// A place.
#[derive(Debug)]
struct TakenName {
    /// As it is written.
    name: String,
    is_folder: bool,
    /// Whether an entry is for it, and not only for what lies in it.
    has_entry: bool,
}

impl EntryNames {
    /// Takes the name of an entry. Returns its path, and whether it is a folder's.
    pub(super) fn take(&mut self, bytes: &[u8], is_utf8: bool) -> Result<(String, bool), McpbError> {
        let about = |problem| about(bytes, problem);
        let text = str::from_utf8(bytes).map_err(|_| about("has a name that is not UTF-8"))?;
        if !is_utf8 && !text.is_ascii() {
            return Err(about("has a name of letters that readers read in two ways"));
        }
        if text.chars().any(|letter| letter.is_control() || letter == '\\') {
            return Err(about("has a control character or a backslash in its name"));
        }
        let (path, is_folder) = text.strip_suffix('/').map_or((text, false), |path| (path, true));
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(about("has a name that leads elsewhere"));
        }
        if parts.iter().any(|part| part.ends_with(['.', ' '])) {
            return Err(about("has a name that ends with a dot or a space, which some systems leave out"));
        }
        if parts.first().is_some_and(|first| first.get(1..2) == Some(":")) {
            return Err(about("has the name of a drive"));
        }
        let too_long = parts.iter().any(|part| part.len() > limits::BUNDLE_NAME) || parts.len() > limits::BUNDLE_DEPTH;
        if too_long || path.len() > limits::BUNDLE_PATH {
            return Err(about("has a name that is too long"));
        }
        let mut above = String::new();
        for (depth, part) in parts.iter().enumerate() {
            if depth > 0 {
                above.push('/');
            }
            above.push_str(part);
            let is_last = depth.saturating_add(1) == parts.len();
            self.place(&above, !is_last || is_folder, is_last).map_err(about)?;
        }
        Ok((path.to_owned(), is_folder))
    }

    fn place(&mut self, name: &str, is_folder: bool, has_entry: bool) -> Result<(), &'static str> {
        let small: String = name.chars().flat_map(char::to_lowercase).collect();
        let taken =
            self.taken.entry(small).or_insert_with(|| TakenName { name: name.to_owned(), is_folder, has_entry: false });
        if taken.name != name {
            return Err("differs from another one only in its capital letters");
        }
        if taken.is_folder != is_folder {
            return Err("is a file and a folder");
        }
        if taken.has_entry && has_entry {
            return Err("stands there twice");
        }
        taken.has_entry |= has_entry;
        Ok(())
    }
}
