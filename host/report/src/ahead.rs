//! Lists what was compiled ahead: `smcp policy compile`.

use std::io;
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::style::Span;
use crate::style::Style;
use crate::table;
use crate::wrap::paragraph;
use smcp_model::digest::Digest;
use smcp_model::examination::AheadState;
use smcp_model::examination::CompiledAhead;
use smcp_model::text::SafeText;

/// Writes the components as a table, their problems below it, and where the code is.
///
/// # Errors
/// When the writer fails.
pub fn human(rows: &[CompiledAhead], folder: Option<&Path>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    if rows.is_empty() {
        return writeln!(out, "there is nothing to compile: no policy of the configuration has a component of its own");
    }
    let cells: Vec<Vec<Span>> = rows
        .iter()
        .map(|row| {
            let state = match row.state {
                AheadState::Compiled | AheadState::Kept => Span::new(row.state.as_str(), palette.good),
                AheadState::Faulty(_) | AheadState::NotKept(_) => Span::new(row.state.as_str(), palette.bad),
            };
            let digest = row.digest.as_ref().map_or_else(|| "-".to_owned(), Digest::short);
            vec![state, Span::new(digest, palette.dim), Span::plain(row.file.to_string())]
        })
        .collect();
    table::table(out, style, &["STATE", "DIGEST", "FILE"], &cells)?;
    for (file, (message, remedy)) in rows.iter().filter_map(|row| Some((&row.file, row.state.problem()?))) {
        writeln!(out)?;
        // Most faults of a file name it.
        let name =
            Some(Span::new(format!("{file}:"), palette.strong)).filter(|_| !message.as_str().contains(file.as_str()));
        let words: Vec<Span> = name.into_iter().chain([Span::plain(message.as_str())]).collect();
        paragraph(out, &words, 0, 2, style.width)?;
        if let Some(remedy) = remedy {
            paragraph(out, &[Span::new("→", palette.dim), Span::plain(remedy.as_str())], 2, 4, style.width)?;
        }
    }
    let kept = rows.iter().filter(|row| row.state.is_kept()).count();
    let folder = folder.map_or_else(String::new, |folder| format!(" in {}", SafeText::new(&folder.to_string_lossy())));
    writeln!(out, "\n{kept} of {} compiled{folder}", rows.len())
}

/// The same as a document.
pub fn document(rows: &[CompiledAhead], folder: Option<&Path>, exit_code: u8) -> Value {
    let components = rows.iter().map(|row| {
        let problem = row.state.problem();
        json!({
            "file": row.file,
            "digest": row.digest,
            "state": row.state.as_str(),
            "message": problem.map(|(message, _)| message),
            "remedy": problem.and_then(|(_, remedy)| remedy),
        })
    });
    json!({
        "schema": "smcp.compile/1",
        "exit_code": exit_code,
        "folder": folder.map(|folder| SafeText::new(&folder.to_string_lossy())),
        "components": components.collect::<Vec<_>>(),
    })
}
