//! Finds the newest records of a log, or the newest that match.

use std::collections::VecDeque;

use serde_json::Value;

use crate::AuditError;
use crate::LogFile;
use smcp_model::text::SafeText;

/// A record and its position.
#[derive(Debug, Clone)]
pub struct FoundRecord {
    /// The name of its file.
    pub file: SafeText,
    /// The number of its line, from 1.
    pub line: u64,
    /// The record; null if the line is not JSON.
    pub record: Value,
}

/// Returns the newest records for which `wanted` is true, at most `most`, oldest first.
///
/// # Errors
/// [`AuditError::Io`] when the log can't be read.
pub fn newest(
    parts: &mut [LogFile],
    most: usize,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Vec<FoundRecord>, AuditError> {
    let mut all = VecDeque::new();
    for part in parts.iter_mut().rev() {
        let room = most.saturating_sub(all.len());
        let mut found = VecDeque::new();
        let file = part.name.clone();
        part.lines(|line, text| {
            let record = serde_json::from_slice(text).unwrap_or_default();
            if wanted(&record) {
                found.push_back(FoundRecord { file: file.clone(), line, record });
                if found.len() > room {
                    found.pop_front();
                }
            }
        })?;
        found.into_iter().rev().for_each(|one| all.push_front(one));
        if all.len() >= most {
            break;
        }
    }
    Ok(all.into())
}
