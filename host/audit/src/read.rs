//! Finds the newest records of a log, or the newest that match.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::AuditError;
use crate::LogFile;
use crate::glance;
use smcp_model::audit::FoundLine;

/// What a record is found by. Reading no more of a line than this is what makes a long log quick to search.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct RecordKey<'a> {
    /// Its number.
    pub seq: u64,
    /// The number of the first record of the same command.
    pub run: u64,
    /// `org/name@version`, as far as it was known.
    #[serde(borrow)]
    pub package: Cow<'a, str>,
}

impl<'a> RecordKey<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        glance::key(line).or_else(|| serde_json::from_slice(line).ok())
    }
}

/// Returns the newest records for which `wanted` is true, at most `most`, oldest first. A line that is not a record has
/// no key.
///
/// # Errors
/// [`AuditError::Io`] when the log can't be read.
pub fn newest(
    files: &mut [LogFile],
    most: usize,
    wanted: impl Fn(Option<&RecordKey<'_>>) -> bool,
) -> Result<Vec<FoundLine>, AuditError> {
    let mut all = VecDeque::new();
    for file in files.iter_mut().rev() {
        let room = most.saturating_sub(all.len());
        let mut found = VecDeque::new();
        file.lines(|line, text| {
            let key = RecordKey::of(text);
            if wanted(key.as_ref()) {
                found.push_back((line, text.to_vec()));
                if found.len() > room {
                    found.pop_front();
                }
            }
        })?;
        let of_the_file = |(line, text): (u64, Vec<u8>)| FoundLine {
            file: file.name.clone(),
            line,
            value: serde_json::from_slice(&text).unwrap_or_default(),
        };
        found.into_iter().rev().map(of_the_file).for_each(|one| all.push_front(one));
        if all.len() >= most {
            break;
        }
    }
    Ok(all.into())
}

/// Whether a line has a text somewhere, whatever that means there.
pub fn mentions(line: &[u8], text: &str) -> bool {
    memchr::memmem::find(line, text.as_bytes()).is_some()
}
