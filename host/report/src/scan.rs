//! Shows what `scan` has found: a line for each server, below its file.

pub mod sarif;

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::headline::Mark;
use crate::style::Span;
use crate::style::Style;
use crate::wrap::flow;
use crate::wrap::paragraph;
use smcp_model::scan::FailOn;
use smcp_model::scan::MachineScan;
use smcp_model::scan::PastKind;
use smcp_model::scan::ScannedFile;
use smcp_model::scan::ScannedServer;
use smcp_model::scan::StartWay;
use smcp_model::scan::shown_name;

/// The most columns for names: longer ones push the text of their own line only.
const NAMES: usize = 24;
/// Spaces before a server.
const INDENT: usize = 2;

/// Writes the files with their servers, and the overall result.
///
/// # Errors
/// When the writer fails.
pub fn human(scan: &MachineScan, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let is_told = |file: &&ScannedFile| file.problem.is_some() || !file.servers.is_empty() || !file.exposure.is_empty();
    for file in scan.files.iter().filter(is_told) {
        let head = [Span::new(format!("{}, {}:", file.client_name, file.scope.as_str()), palette.strong), {
            let link = file.link.as_ref().map_or_else(String::new, |link| format!(" (a link to {link})"));
            Span::plain(format!("{}{link}", file.path))
        }];
        paragraph(out, &head, 0, INDENT, style.width)?;
        if let Some(problem) = &file.problem {
            let line = [Mark::Bad.span(palette), Span::plain(format!("it can't be read: {problem}"))];
            paragraph(out, &line, INDENT, INDENT.saturating_add(2), style.width)?;
        }
        for exposed in &file.exposure {
            let line = [Mark::Caution.span(palette), Span::plain(exposed.as_str())];
            paragraph(out, &line, INDENT, INDENT.saturating_add(2), style.width)?;
        }
        servers(scan, file, out, style)?;
        writeln!(out)?;
    }
    summary(scan, out, style)
}

fn servers(scan: &MachineScan, file: &ScannedFile, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let name_of = |server: &ScannedServer| Span::plain(shown_name(server.name.as_str()).as_str());
    let widest = file.servers.iter().map(|server| name_of(server).width()).max().unwrap_or_default();
    let column = INDENT.saturating_add(2).saturating_add(widest.min(NAMES)).saturating_add(2);
    for server in &file.servers {
        let mark = mark(scan, server).span(&style.palette);
        let name = name_of(server);
        let gap = column.saturating_sub(name.width().saturating_add(INDENT + 2)).max(2);
        write!(out, "{:INDENT$}{}{}{:#} {}{:gap$}", "", mark.style, mark.text, mark.style, name.text, "")?;
        flow(out, &[Span::plain(sentence(server))], column, column, style.width)?;
    }
    Ok(())
}

fn mark(scan: &MachineScan, server: &ScannedServer) -> Mark {
    match &server.way {
        _ if server.off.is_some() => Mark::Quiet,
        StartWay::Past { kind: PastKind::BuiltIn, .. } => Mark::Quiet,
        StartWay::Past { .. } => Mark::Bad,
        StartWay::Gated { pinned: false, .. } if scan.fail_on == FailOn::Unpinned => Mark::Bad,
        StartWay::Gated { pinned, today, .. } if *pinned && today.state == "allowed" => Mark::Good,
        StartWay::Gated { .. } => Mark::Caution,
    }
}

/// How a server is started, in one line.
fn sentence(server: &ScannedServer) -> String {
    let mut parts = Vec::new();
    parts.extend(server.off.as_ref().map(|off| format!("switched off ({off})")));
    parts.extend(server.project.as_ref().map(|project| format!("in {project}")));
    match &server.way {
        StartWay::Gated { package, pinned, today } => {
            let how = if *pinned { "pinned" } else { "in its newest version" };
            parts.push(format!("through smcp, {how}: {package}"));
            parts.push(match (&today.message, today.state) {
                (Some(message), "unknown") => format!("what the policies say is not known: {message}"),
                (Some(message), state) => format!("{} today: {message}", said(state)),
                (None, state) => format!("{} today", said(state)),
            });
        }
        StartWay::Past { kind: PastKind::BuiltIn, what, .. } => parts.push(format!("a part of the client: {what}")),
        StartWay::Past { kind, what, fetches, remark } => {
            let kind = match kind {
                PastKind::Url => "past smcp, elsewhere",
                PastKind::Unknown => "past smcp, as far as can be said",
                PastKind::Npx | PastKind::Uvx | PastKind::Docker | PastKind::Command | PastKind::BuiltIn => "past smcp",
            };
            let fetches = if *fetches { ", which fetches what it runs at every start" } else { "" };
            parts.push(format!("{kind}: {what}{fetches}"));
            parts.extend(remark.as_ref().map(ToString::to_string));
        }
    }
    parts.join("; ")
}

fn said(state: &str) -> &'static str {
    match state {
        "allowed" => "may run",
        "asks" => "needs consent",
        "refused" => "is refused",
        _ => "is not there",
    }
}

fn summary(scan: &MachineScan, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let started = scan.servers().filter(|server| server.is_started()).count();
    let ungated = scan.servers().filter(|server| server.is_ungated()).count();
    let unpinned = scan.servers().filter(|server| server.is_unpinned()).count();
    let unread = scan.files.iter().filter(|file| file.problem.is_some()).count();
    let exposed = scan.files.iter().filter(|file| !file.exposure.is_empty()).count();
    let of_all = |count: usize| match (started, count) {
        (1, _) => "the only server is".to_owned(),
        (_, 1) => format!("1 of {started} servers is"),
        _ => format!("{count} of {started} servers are"),
    };
    let mut said = Vec::new();
    if unread > 0 {
        let files = if unread == 1 { "1 file".to_owned() } else { format!("{unread} files") };
        said.push(format!("{files} can't be read, so what clients start from there is not known"));
    }
    if ungated > 0 {
        said.push(format!("{} started past smcp", of_all(ungated)));
    }
    if unpinned > 0 {
        said.push(format!("{} started through smcp in whatever version is newest", of_all(unpinned)));
    }
    if said.is_empty() {
        said.push(match started {
            0 => "no client starts a server".to_owned(),
            _ => "every server is started through smcp, and pinned".to_owned(),
        });
    }
    if exposed > 0 {
        let files = if exposed == 1 { "1 file".to_owned() } else { format!("{exposed} files") };
        said.push(format!("others may change {files}"));
    }
    let mark = match (scan.failed(), unpinned.max(exposed)) {
        (true, _) => Mark::Bad,
        (false, 0) => Mark::Good,
        (false, _) => Mark::Caution,
    };
    paragraph(out, &[mark.span(palette), Span::new(said.join("; "), palette.strong)], 0, 2, style.width)?;
    if scan.wrappable {
        let advice = "`smcp scan --wrap --import` puts what npx and uvx start behind smcp, and asks for each";
        paragraph(out, &[Span::new("→", palette.dim), Span::plain(advice)], 2, 4, style.width)?;
    }
    Ok(())
}

/// The same as a document.
pub fn document(scan: &MachineScan, exit_code: u8) -> Value {
    let files = scan.files.iter().map(|file| {
        let ScannedFile { client, scope, path, link, exposure, problem, servers: _, client_name: _ } = file;
        json!({
            "client": client, "scope": scope, "path": path, "link_to": link, "exposure": exposure, "problem": problem,
        })
    });
    let servers = scan.files.iter().flat_map(|file| file.servers.iter().map(move |server| entry(file, server)));
    json!({
        "schema": "smcp.scan/1",
        "exit_code": exit_code,
        "ungated": scan.servers().filter(|server| server.is_ungated()).count(),
        "unpinned": scan.servers().filter(|server| server.is_unpinned()).count(),
        "unread": scan.files.iter().filter(|file| file.problem.is_some()).count(),
        "files": files.collect::<Vec<_>>(),
        "servers": servers.collect::<Vec<_>>(),
    })
}

fn entry(file: &ScannedFile, server: &ScannedServer) -> Value {
    let ScannedServer { name, project, line, off, way, variables } = server;
    let mut entry = json!({
        "client": file.client,
        "scope": server.scope(file.scope),
        "file": file.path,
        "line": (*line > 0).then_some(line),
        "project": project,
        "name": name,
        "enabled": off.is_none(),
        "disabled_by": off,
        "variables": variables,
    });
    let way = match way {
        StartWay::Gated { package, pinned, today } => json!({
            "gate": if *pinned { "pinned" } else { "latest" },
            "kind": "smcp",
            "starts": package,
            "fetches_at_start": false,
            "remark": null,
            "policies_today": today,
        }),
        StartWay::Past { kind, what, fetches, remark } => json!({
            "gate": "none",
            "kind": kind,
            "starts": what,
            "fetches_at_start": fetches,
            "remark": remark,
            "policies_today": null,
        }),
    };
    if let (Value::Object(entry), Value::Object(way)) = (&mut entry, way) {
        entry.extend(way);
    }
    entry
}
