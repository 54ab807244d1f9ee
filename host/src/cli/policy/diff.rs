//! `smcp policy diff`: judge a catalogue by two configurations.

mod catalogue;
mod places;
mod spool;

use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use crate::cli::format::FormatOption;
use crate::cli::policy::diff::catalogue::Catalogue;
use crate::cli::policy::diff::catalogue::CatalogueEntry;
use crate::cli::policy::diff::places::PolicyPlaces;
use crate::cli::policy::diff::spool::Spool;
use crate::cli::policy::eval::parse_moment;
use crate::cli::policy::write::refuse_input;
use crate::cli::policy::write::write_by;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::Totals;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::text::SafeText;
use smcp_model::visible;
use smcp_pipeline::Compared;
use smcp_pipeline::WhatIf;
use smcp_report::diff;
use smcp_report::diff::DiffReport;
use smcp_report::sarif;

/// Judge a catalogue of packages by two configurations, and say what changes.
///
/// Exits 0 whatever changes, 1 with --exit-code when something does, 2 when the catalogue is not right, or empty.
///
/// Both files are read as a user's own configuration. Each package is judged by both, with all their policies; nothing is
/// started, recorded or remembered. A package that no registry is named for counts as believed by every layer.
#[derive(Debug, Args)]
pub(crate) struct DiffCommand {
    /// The configuration of before
    #[arg(long, value_name = "OLD.yaml")]
    from: PathBuf,
    /// The configuration of after
    #[arg(long, value_name = "NEW.yaml")]
    to: PathBuf,
    /// The packages: a file or pipe with one facts document on each line (`-` reads standard input), a registry (DIR, or
    /// oci://HOST/PREFIX), or `audit`, for those of the audit log
    #[arg(long, value_name = "CATALOGUE")]
    catalog: String,
    /// The digest of the record before the first one of the audit log, when older files are elsewhere
    #[arg(long, value_name = "DIGEST")]
    after: Option<Digest>,
    /// Add the administrator's layers to both
    #[arg(long)]
    with_system: bool,
    /// Write a report for people in this file, too: one page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Exit 1 when a decision changes
    #[arg(long)]
    exit_code: bool,
    /// Decide as of this moment: a time such as 2026-12-24T09:00:00Z, or a date
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Option<u64>,
    #[command(flatten)]
    format: FormatOption,
}

impl DiffCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        app.answer_in(self.format.format)?;
        if let Some(at) = self.at {
            app.decide_as_of(at);
        }
        let (from, to) =
            (app.session_of_file(&self.from, self.with_system)?, app.session_of_file(&self.to, self.with_system)?);
        if let Some(page) = &self.html {
            let inputs = places::inputs([(&from, &self.from), (&to, &self.to)], app)?;
            refuse_input(app, page, &[inputs, catalogue::files(app, &self.catalog)?].concat())?;
        }
        // The same on a terminal and in a pipe, with and without a person.
        let context = Context { interactive: false, ..app.context(false) };
        let mut catalogue = Catalogue::open(app, &self.catalog, &to, self.after)?;
        let what_if = WhatIf::new(&from, &to, context, &mut *app.progress())?;
        what_if.broken().iter().for_each(|why| app.notice(why));
        let mut spool = Spool::new(app);
        let totals = compare(&what_if, &mut catalogue, &mut spool, &mut *app.progress())?;
        catalogue.remarks().iter().for_each(|remark| app.notice(remark));
        if totals.packages() == 0 {
            return Err(catalogue::empty(&self.catalog));
        }
        let shown = |path: &PathBuf| SafeText::new(&path.to_string_lossy());
        let report = DiffReport {
            from: &shown(&self.from),
            to: &shown(&self.to),
            catalogue: &SafeText::new(&self.catalog),
            totals: &totals,
        };
        let late = what_if.late();
        if late > 0 {
            let packages = if late == 1 { "1 package" } else { &format!("{late} packages") };
            app.notice(&format!(
                "policies had no answer about {packages} in their time, though they were asked again: what is said there \
                 (`fault-deadline`) is not what the rules say"
            ));
        }
        let exit = if late > 0 {
            ExitKind::Registry
        } else if self.exit_code && !totals.is_unchanged() {
            ExitKind::Usage
        } else {
            ExitKind::Success
        };
        if let Some(page) = &self.html {
            let written = write_by(&app.path(page)?, None, &mut |file| diff::html(&report, &mut spool, file));
            written.with_context(|| format!("while writing {}", page.display()))?;
        }
        let out = &mut app.out();
        match app.format() {
            AnswerFormat::Human => diff::human(&report, &mut spool, out, &app.output_style())?,
            AnswerFormat::Sarif => {
                let places = PolicyPlaces::of([(&from, self.from.as_path()), (&to, self.to.as_path())], app)?;
                sarif::changes(&report, &mut spool, &|policy| places.of_policy(policy), exit.code(), out)?;
            }
            AnswerFormat::Json => diff::json(&report, &mut spool, out)?,
            AnswerFormat::Junit => diff::junit(&report, &mut spool, exit != ExitKind::Success, out)?,
        }
        Ok(Exit::Own(exit))
    }
}

/// Judges every package, in order. What changes goes into the spool.
fn compare(
    what_if: &WhatIf<'_>,
    catalogue: &mut Catalogue,
    spool: &mut Spool,
    progress: &mut dyn Progress,
) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    catalogue.begin(progress);
    loop {
        let (batch, done) = catalogue.next_batch()?;
        if batch.is_empty() {
            break;
        }
        let reader = catalogue.reader();
        let finish = |entry: &CatalogueEntry, compared| JudgedEntry::new(entry, compared);
        let all = what_if.of_each(&batch, |entry| reader.subject(entry), finish);
        for (entry, judged) in batch.iter().zip(all) {
            let judged = judged.map_err(catalogue::failure)?;
            catalogue.count(entry)?;
            match judged {
                JudgedEntry::Unchanged(effect) => totals.unchanged(effect),
                JudgedEntry::Changed(changed, line) => {
                    totals.changed(&changed);
                    spool.push(&line?)?;
                }
            }
        }
        progress.advance(done);
    }
    progress.end();
    Ok(totals)
}

/// What came of a package, and how the spool has it: written by the thread that judged.
enum JudgedEntry {
    Unchanged(Effect),
    Changed(Box<ChangedPackage>, io::Result<Vec<u8>>),
}

impl JudgedEntry {
    fn new(entry: &CatalogueEntry, compared: Compared) -> Self {
        match compared {
            Compared::Unchanged(effect) => Self::Unchanged(effect),
            Compared::Changed(mut changed) => {
                (changed.times, changed.last) = entry.seen.clone().unzip();
                let line = visible::line(&changed.document()).map_err(io::Error::from);
                Self::Changed(changed, line)
            }
        }
    }
}
