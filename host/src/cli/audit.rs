//! `smcp audit`: whether the audit log is whole, and what it says.

mod cursor;
mod export;

use std::path::PathBuf;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use clap::Args;
use clap::Subcommand;

use crate::cli::app::App;
use crate::cli::audit::export::ExportCommand;
use crate::cli::chosen::Chosen;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_audit as audit;
use smcp_audit::AuditError;
use smcp_audit::KnownLog;
use smcp_audit::LogFile;
use smcp_audit::RecordKey;
use smcp_audit::Snapshot;
use smcp_authority as authority;
use smcp_model::audit::FoundLine;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_policy_cases::moment;
use smcp_report::json;
use smcp_report::records;

// Verify or read the audit log.
//
// The log is ~/.mcp/audit.jsonl, or the file that `audit_log` in the configuration names, and the files
// audit-NNNNNN.jsonl that were put aside beside it.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Find records that were changed, removed or reordered
    Verify(Chosen<VerifyCommand>),
    /// Show the newest records
    Tail(Chosen<TailCommand>),
    /// Show records: one, those of one run, or those about one package
    Show(Chosen<ShowCommand>),
    /// Write the records for the systems of a security team: as OCSF events, or as they are
    Export(Chosen<ExportCommand>),
}

/// Find records that were changed, removed or reordered.
///
/// Exits 0 when the chain holds, 3 when it does not. Without the digest of a record that was noted elsewhere (--head),
/// nobody can see that the end of a log was cut off, or that all of it was written anew.
#[derive(Debug, Args)]
pub(super) struct VerifyCommand {
    /// The files of one log, oldest first, in place of our own
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The digest of a record that must be there
    #[arg(long, value_name = "DIGEST")]
    head: Option<Digest>,
    /// The digest of the record before the first, when older files are elsewhere
    #[arg(long, value_name = "DIGEST")]
    after: Option<Digest>,
}

/// Show the newest records.
#[derive(Debug, Args)]
pub(super) struct TailCommand {
    /// How many
    #[arg(short, long, value_name = "N", default_value_t = 10)]
    number: usize,
}

/// Show records: one, those of one run, or those about one package.
#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false)]
pub(super) struct ShowCommand {
    /// The number of a record
    #[arg(value_name = "RECORD", group = "which")]
    record: Option<u64>,
    /// All records of one command: the number of its first
    #[arg(long, value_name = "NUMBER", group = "which")]
    run: Option<u64>,
    /// All records about a package: ORG/NAME, or ORG/NAME@VERSION
    #[arg(long, value_name = "PACKAGE", group = "which")]
    package: Option<String>,
}

impl AuditCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        match self {
            Self::Verify(command) => command.then(|it| it.execute(app)),
            Self::Tail(command) => {
                let records = audit::newest(&mut log(app)?.parts, command.0.number, |_| true).map_err(failed)?;
                print(app, &records, false)
            }
            Self::Show(command) => command.then(|it| it.execute(app)),
            Self::Export(command) => command.then(|it| it.execute(app)),
        }
    }
}

impl VerifyCommand {
    fn execute(self, app: &App) -> Result<Exit, Failure> {
        let mut log = if self.files.is_empty() {
            log(app)?
        } else {
            Snapshot { parts: named_files(app, &self.files)?, ..Snapshot::default() }
        };
        let bounds = KnownLog { after: self.after, head: self.head, ..KnownLog::default() };
        let mut found = audit::verify(&mut log.parts, bounds).map_err(failed)?;
        (found.living, found.foreign) = (log.living, log.foreign);
        let exit = if found.is_intact() { Exit::SUCCESS } else { Exit::Own(ExitKind::Integrity) };
        if app.json() {
            json::write(&records::verification_document(&found, exit.code()), &mut app.out())?;
        } else {
            records::verification(&found, &mut app.out(), &app.output_style())?;
        }
        Ok(exit)
    }
}

impl ShowCommand {
    fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self { record, run, package } = self;
        let is_about = |label: &str, asked: &str| {
            label == asked || label.strip_prefix(asked).is_some_and(|rest| rest.starts_with('@'))
        };
        let wanted = |key: Option<&RecordKey<'_>>| {
            key.is_some_and(|key| {
                record == Some(key.seq)
                    || run == Some(key.run)
                    || package.as_deref().is_some_and(|asked| is_about(&key.package, asked))
            })
        };
        let records = audit::newest(&mut log(app)?.parts, usize::MAX, wanted).map_err(failed)?;
        if records.is_empty() && !app.json() {
            return Err(Failure::usage(anyhow::anyhow!("the audit log has no such record; see `smcp audit tail`")));
        }
        print(app, &records, record.is_some())
    }
}

/// Opens the audit log of this user for reading.
pub(super) fn log(app: &App) -> Result<Snapshot, Failure> {
    let path = app.audit_log()?.ok_or(AuditError::NoHome).map_err(failed)?;
    let folder = path.parent().unwrap_or(&path);
    match authority::open_dir(folder) {
        Ok(dir) => Snapshot::take(dir, &path, app.system().caller).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Snapshot::default()),
        Err(cause) => Err(failed(AuditError::io("open the folder of", folder)(cause))),
    }
}

/// Returns a time as records have it: one that is given, or so long ago.
pub(super) fn beginning(app: &App, text: &str) -> Result<String, Failure> {
    let given = || Some(moment(text)?.saturating_mul(1000).saturating_add(time::fraction_millis(text)));
    let ago = || {
        let ago = humantime::parse_duration(text).ok()?.as_secs();
        Some(app.system().now().saturating_sub(ago).saturating_mul(1000))
    };
    let at = given().or_else(ago).and_then(|millis| UNIX_EPOCH.checked_add(Duration::from_millis(millis)));
    let allowed = "expected a time such as 2026-01-05T09:00:00Z, a date, or so long ago, such as 30d or 12h";
    at.and_then(time::utc_millis)
        .ok_or_else(|| Failure::usage(anyhow::anyhow!("--since {}: {allowed}", SafeText::quoted_value(text))))
}

fn named_files(app: &App, files: &[PathBuf]) -> Result<Vec<LogFile>, Failure> {
    let part = |path: &PathBuf| {
        let absolute = app.path(path)?;
        let opened = authority::open_file(&absolute).with_context(|| format!("while opening {}", path.display()));
        LogFile::new(opened.map_err(Failure::usage)?, path).map_err(failed)
    };
    files.iter().map(part).collect()
}

fn print(app: &App, found: &[FoundLine], whole: bool) -> Result<Exit, Failure> {
    let (out, style) = (&mut app.out(), app.output_style());
    if app.json() {
        json::write(&records::document(found), out)?;
    } else if whole {
        found.iter().try_for_each(|line| records::whole(line, out, &style))?;
    } else {
        records::lines(found, out, &style)?;
    }
    Ok(Exit::SUCCESS)
}

pub(super) fn failed(error: AuditError) -> Failure {
    Failure { code: "audit-unreadable", ..Failure::usage(error) }
}
