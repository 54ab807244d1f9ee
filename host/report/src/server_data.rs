//! Lists what servers keep, and what was removed of it: `smcp data`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::cache;
use crate::message;
use crate::style::Span;
use crate::style::Style;
use crate::table;
use smcp_model::server_data::DataRemoval;
use smcp_model::server_data::ServerData;
use smcp_model::size::ByteSize;
use smcp_model::time;

/// Writes what every server keeps as a table, and the total size below it.
///
/// # Errors
/// When the writer fails.
pub fn human(entries: &[ServerData], now: u64, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let row = |entry: &ServerData| {
        vec![
            Span::plain(entry.package.to_string()),
            Span::plain(size(entry)),
            Span::plain(entry.measure.files.to_string()),
            Span::new(cache::ago(now, entry.measure.changed), style.palette.dim),
            Span::plain(entry.registry()),
        ]
    };
    if !entries.is_empty() {
        let rows: Vec<Vec<Span>> = entries.iter().map(row).collect();
        table::table(out, style, &["PACKAGE", "SIZE", "FILES", "CHANGED", "REGISTRY"], &rows)?;
        writeln!(out)?;
    }
    writeln!(out, "{}, {} in ~/.mcp/data", packages(entries.len()), total(entries))
}

/// The same as a document.
pub fn document(entries: &[ServerData]) -> Value {
    json!({
        "schema": "smcp.data/1",
        "size": total(entries).0,
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// Writes what was removed.
///
/// # Errors
/// When the writer fails.
pub fn removal(removal: &DataRemoval, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (count, freed) = (removal.removed.len(), total(&removal.removed));
    let message = match count {
        0 => "nothing was removed".to_owned(),
        _ => format!("removed what the servers of {} kept; {freed} freed", packages(count)),
    };
    let labels: Vec<String> = removal.removed.iter().map(|entry| entry.package.to_string()).collect();
    let texts = removal.removed.iter().map(|entry| Span::plain(format!("{}, {}", size(entry), entry.registry())));
    let rows: Vec<(&str, Span)> = labels.iter().map(String::as_str).zip(texts).collect();
    message::done(&message, &rows, out, style)?;
    removal
        .in_use
        .iter()
        .try_for_each(|entry| message::notice(&format!("that of {} stays: its server runs", entry.package), out, style))
}

/// The same as a document.
pub fn removal_document(removal: &DataRemoval) -> Value {
    json!({
        "schema": "smcp.data-removal/1",
        "freed": total(&removal.removed).0,
        "removed": removal.removed.iter().map(entry).collect::<Vec<_>>(),
        "in_use": removal.in_use.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn entry(entry: &ServerData) -> Value {
    json!({
        "package": entry.package.to_string(),
        "registry": entry.registry,
        "folder": format!("~/.mcp/data/{}/{}", entry.folder, entry.package),
        "size": entry.measure.size.0,
        "files": entry.measure.files,
        "partial": entry.measure.is_partial,
        "changed": (entry.measure.changed > 0).then(|| time::utc_of(entry.measure.changed)),
        "in_use": entry.in_use,
    })
}

fn size(entry: &ServerData) -> String {
    let more = if entry.measure.is_partial { " or more" } else { "" };
    format!("{}{more}", entry.measure.size)
}

fn total(entries: &[ServerData]) -> ByteSize {
    ByteSize(entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.measure.size.0)))
}

fn packages(count: usize) -> String {
    format!("{count} {}", if count == 1 { "package" } else { "packages" })
}
