//! `smcp info`: what the registry says of a package.

use std::io::Write as _;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_import::ImportLock;
use smcp_import::LockedPackage;
use smcp_import::SOURCE_FILE;
use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::imported::ImportedFrom;
use smcp_model::package::PackageRef;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_pipeline::Session;
use smcp_pipeline::StatementReport;
use smcp_report::json;
use smcp_report::package;

/// Show what the registry says of a package, after verifying it.
///
/// No policy is asked.
#[derive(Debug, Args)]
pub(super) struct InfoCommand {
    /// Show what an imported package was made of: each package in it, with its integrity; with --json it is the lock that
    /// `smcp import --lock` repeats
    #[arg(long)]
    provenance: bool,
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
}

impl InfoCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session(None)?;
        let deadline = Deadline::after(session.config().start_timeout());
        if self.provenance {
            return self.provenance(app, &session, &deadline);
        }
        let (subject, notices, statements) =
            pipeline::describe_package(&session, &self.reference, &deadline, &mut *app.progress())?;
        let shown: Vec<_> = statements.into_iter().map(|StatementReport { layer, found }| (layer, found)).collect();
        if app.json() {
            json::write(&package::document(&subject, &notices, &shown), &mut app.out())?;
        } else {
            notices.iter().for_each(|notice| app.notice(notice.message.as_str()));
            package::human(&subject, &shown, &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }

    /// Shows what went into an imported package, after comparing what the registry and what the bundle say of it.
    fn provenance(&self, app: &App, session: &Session, deadline: &Deadline) -> Result<Exit, Failure> {
        let progress = &mut *app.progress();
        let (subject, found) = pipeline::file_of_package(session, &self.reference, SOURCE_FILE, deadline, progress)?;
        let imported = subject.manifest.as_deref().and_then(ImportedFrom::of);
        let (Some(imported), Some(bytes)) = (imported, found) else {
            return Err(Failure::usage(anyhow::anyhow!(
                "{} was not imported: its bundle does not say what it was made of",
                subject.label()
            )));
        };
        let refused = |problem: String| Failure {
            exit: ExitKind::Integrity,
            code: "provenance",
            error: anyhow::anyhow!("{}: {problem}", subject.label()),
            problems: Vec::new(),
            details: Vec::new(),
        };
        let lock =
            ImportLock::read(&bytes).map_err(|error| refused(format!("its {SOURCE_FILE} can't be read: {error}")))?;
        let said = (&imported.kind, &imported.name, &imported.version, &imported.integrity);
        if said != (&lock.kind, &lock.named(), &lock.version, &lock.integrity) {
            let problem = format!("the registry says that it is {imported}, and its bundle that it is something else");
            return Err(refused(problem));
        }
        if app.json() {
            json::write(&lock.document(), &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        package::human(&subject, &[], &mut app.out(), &app.output_style())?;
        let mut out = app.out();
        writeln!(out, "\nmade of")?;
        writeln!(out, "  {}  {}", SafeText::new(&imported.to_string()), SafeText::new(&lock.integrity))?;
        writeln!(out, "  for {}", SafeText::new(&lock.platform.to_string()))?;
        for LockedPackage { path, name, version, integrity, .. } in lock.packages.iter().filter(|part| !part.absent) {
            let integrity = integrity.as_deref().unwrap_or("inside of the package around it");
            let [path, name, version, integrity] = [path, name, version, integrity].map(SafeText::new);
            writeln!(out, "  {path}  {name} {version}  {integrity}")?;
        }
        Ok(Exit::SUCCESS)
    }
}
