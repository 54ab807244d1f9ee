//! Lists the cache, and what was removed from it: `smcp cache`.

use std::collections::HashSet;
use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::message;
use crate::style::Span;
use crate::style::Style;
use crate::table;
use smcp_model::cache::CacheEntry;
use smcp_model::cache::CacheRemoval;
use smcp_model::cache::CachedPackage;
use smcp_model::size::ByteSize;
use smcp_model::text::SafeText;
use smcp_model::time;

/// Writes the files as a table, and their total size below it.
///
/// # Errors
/// When the writer fails.
pub fn human(place: &str, entries: &[CacheEntry], now: u64, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let rows: Vec<Vec<Span>> = entries
        .iter()
        .map(|entry| {
            let mut packages: Vec<String> = entry.packages.iter().map(CachedPackage::label).collect();
            packages.dedup();
            vec![
                Span::plain(entry.digest.short()),
                Span::plain(entry.kind.as_str()),
                Span::plain(entry.size.to_string()),
                Span::new(ago(now, entry.last_used), style.palette.dim),
                Span::plain(if packages.is_empty() { "-".to_owned() } else { packages.join(", ") }),
            ]
        })
        .collect();
    table::table(out, style, &["DIGEST", "KIND", "SIZE", "LAST USED", "PACKAGE"], &rows)?;
    let count = entries.len();
    writeln!(out, "\n{count} {}, {} in {}", files(count), total(entries), SafeText::new(place))
}

/// The same as a document.
pub fn document(place: &str, entries: &[CacheEntry]) -> Value {
    json!({
        "schema": "smcp.cache/1",
        "directory": SafeText::new(place),
        "size": total(entries).0,
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// Writes what was removed, or what a dry run would remove.
///
/// # Errors
/// When the writer fails.
pub fn removal(removal: &CacheRemoval, dry_run: bool, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (count, freed) = (removal.removed.len(), removal.freed);
    let parts = [
        (count, files(count)),
        (removal.drafts, if removal.drafts == 1 { "unfinished download" } else { "unfinished downloads" }),
        (removal.answers, if removal.answers == 1 { "answer of a registry" } else { "answers of registries" }),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let message = match (removal.is_empty(), dry_run) {
        (true, _) => "there is nothing to remove".to_owned(),
        (false, false) => format!("removed {}; {freed} freed", parts.join(", ")),
        (false, true) => format!("would remove {}, and free {freed}", parts.join(", ")),
    };
    let rows: Vec<(&str, Span)> = removal
        .removed
        .iter()
        .map(|entry| (entry.kind.as_str(), Span::plain(format!("{}, {}", entry.digest, entry.size))))
        .collect();
    message::done(&message, &rows, out, style)?;
    // A bundle and its tree have one digest.
    let mut named = HashSet::new();
    removal.in_use.iter().filter(|entry| named.insert(entry.digest)).try_for_each(|entry| {
        message::notice(&format!("{} stays: a server that runs, or is about to, has it", entry.digest), out, style)
    })
}

/// The same as a document.
pub fn removal_document(removal: &CacheRemoval, dry_run: bool) -> Value {
    json!({
        "schema": "smcp.cache-removal/1",
        "dry_run": dry_run,
        "freed": removal.freed.0,
        "removed": removal.removed.iter().map(entry).collect::<Vec<_>>(),
        "in_use": removal.in_use.iter().map(entry).collect::<Vec<_>>(),
        "unfinished": removal.drafts,
        "answers": removal.answers,
    })
}

fn entry(entry: &CacheEntry) -> Value {
    let packages = entry.packages.iter().map(|package| {
        json!({
            "package": package.label(),
            "registry": SafeText::new(&package.registry.to_string()),
            "resolved_at": time::utc_of(package.resolved_at),
        })
    });
    json!({
        "digest": entry.digest,
        "kind": entry.kind.as_str(),
        "size": entry.size.0,
        "last_used": time::utc_of(entry.last_used),
        "packages": packages.collect::<Vec<_>>(),
    })
}

/// Returns how long ago `at` was, in the largest unit that is not zero.
pub(crate) fn ago(now: u64, at: u64) -> String {
    let seconds = now.saturating_sub(at);
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let (name, unit) = units.into_iter().find(|(_, unit)| seconds >= *unit).unwrap_or(("s", 1));
    format!("{}{name} ago", seconds / unit)
}

fn total(entries: &[CacheEntry]) -> ByteSize {
    ByteSize(entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.size.0)))
}

const fn files(count: usize) -> &'static str {
    if count == 1 { "file" } else { "files" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        for (seconds, expected) in
            [(0, "0s ago"), (59, "59s ago"), (60, "1m ago"), (7_199, "1h ago"), (172_800, "2d ago")]
        {
            assert_eq!(ago(1_000_000, 1_000_000 - seconds), expected);
        }
        assert_eq!(ago(5, 10), "0s ago", "a clock that was set back");
    }
}
