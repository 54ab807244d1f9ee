//! Lists, page by page.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::PackageError;
use crate::official::OfficialRegistry;
use crate::official::invalid;
use smcp_http::encoded;
use smcp_model::deadline::Deadline;
use smcp_model::limits::official;
use smcp_model::text::SafeText;

impl OfficialRegistry {
    /// Hands every entry of a list to `take`; returns whether there is such a list. `query` is what is asked for on each
    /// page, and `what` the server that the list is about, if it is about one.
    pub(super) fn pages(
        &self,
        path: &str,
        query: &str,
        what: Option<&str>,
        deadline: &Deadline,
        take: &mut dyn FnMut(&Value) -> Result<(), PackageError>,
    ) -> Result<bool, PackageError> {
        let invalid = |problem: &str| invalid(what, SafeText::new(problem));
        let (mut cursors, mut count) = (BTreeSet::new(), 0_usize);
        let mut address = format!("{path}?{query}&limit={}", official::LISTED_AT_ONCE);
        for _ in 0..official::PAGES {
            let Some(page) = self.document(&address, what, official::PAGE, deadline)? else {
                // A list that was there does not end so.
                return if cursors.is_empty() { Ok(false) } else { Err(invalid("a page of it is missing")) };
            };
            let servers = page.get("servers").and_then(Value::as_array);
            for entry in servers.ok_or_else(|| invalid("`servers` is missing, or no list"))? {
                count = count.saturating_add(1);
                if count > official::LISTED {
                    return Err(invalid(&format!(
                        "it has more than {} entries, the most that are read",
                        official::LISTED
                    )));
                }
                take(entry)?;
            }
            let cursor = match page.get("metadata").and_then(|metadata| metadata.get("nextCursor")) {
                None | Some(Value::Null) => return Ok(true),
                Some(Value::String(cursor)) if cursor.is_empty() => return Ok(true),
                Some(Value::String(cursor)) => cursor,
                Some(_) => return Err(invalid("`metadata.nextCursor` is no text")),
            };
            address = format!("{path}?{query}&limit={}&cursor={}", official::LISTED_AT_ONCE, encoded(cursor));
            if cursor.len() > official::CURSOR {
                return Err(invalid("`metadata.nextCursor` is too long"));
            }
            if !cursors.insert(cursor.clone()) {
                return Err(invalid("its pages lead in a circle"));
            }
        }
        Err(invalid(&format!("it has more than {} pages, the most that are read", official::PAGES)))
    }
}
