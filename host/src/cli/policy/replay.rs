//! `smcp policy replay`: decide the decisions of the audit log again.

mod source;

pub(in crate::cli::policy) use crate::cli::policy::replay::source::one;

use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::replay::source::RecordSource;
use crate::cli::policy::replay::source::Replay;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::replay::ReplayTally;
use smcp_pipeline::Replayer;
use smcp_report::json;
use smcp_report::replay;

/// Decide the decisions of the audit log again, and say what would come out otherwise.
///
/// Exits 1 when a decision would come out otherwise, or could not be made again; 3 when the log is damaged.
///
/// Facts, time and --trust are those of each record; no registry is asked, and nothing is recorded. The policies are those of
/// that time, as far as their bytes are still known, or those of another configuration.
#[derive(Debug, Args)]
pub(crate) struct ReplayCommand {
    /// Only what was recorded since: a time such as 2026-12-24T09:00:00Z, a date, or so long ago, such as 30d
    #[arg(long, value_name = "WHEN", conflicts_with = "record")]
    since: Option<String>,
    /// One record: its number, or a file with records from elsewhere, one a line or as `audit show --json` prints them
    #[arg(long, value_name = "NUMBER|FILE")]
    record: Option<String>,
    /// The digest of the record before the first one of the log, when older files are elsewhere
    #[arg(long, value_name = "DIGEST")]
    after: Option<Digest>,
    /// Decide by this file in place of the user's configuration; the rules of the system stay in force
    #[arg(long, value_name = "CONFIG")]
    with: Option<PathBuf>,
}

impl ReplayCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session(None)?;
        let source = RecordSource::of(app, self.record.as_deref(), self.since.as_deref())?;
        if self.after.is_some() && matches!(source, RecordSource::File(_)) {
            return Err(Failure::usage(anyhow::anyhow!("--after is about the audit log, and --record names a file")));
        }
        let other = self.with.as_deref().map(|file| app.session_of_file(file, true)).transpose()?;
        let mut progress = app.progress();
        let replayer = match &other {
            Some(other) => Replayer::with(other, &mut *progress)?,
            None => Replayer::of_the_time(&session),
        };
        replayer.broken().iter().for_each(|why| app.notice(why));
        let tally = Replay::new(replayer, &mut *progress).run(app, source, self.after)?;
        if app.json() {
            json::write(&replay::document(&tally), &mut app.out())?;
        } else {
            replay::human(&tally, &mut app.out(), &app.output_style())?;
        }
        Ok(exit(&tally))
    }
}

fn exit(tally: &ReplayTally) -> Exit {
    if tally.changed > 0 || (tally.undecided_records() > 0 && tally.breaks.is_empty()) {
        Exit::Own(ExitKind::Usage)
    } else if tally.breaks.is_empty() {
        Exit::SUCCESS
    } else {
        Exit::Own(ExitKind::Integrity)
    }
}
