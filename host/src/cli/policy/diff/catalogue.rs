//! The packages of a comparison: of a file, a registry, or the audit log.

mod lines;
mod listed;
mod recorded;

use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::policy::diff::catalogue::lines::LineCatalogue;
use crate::cli::policy::diff::catalogue::listed::ListedCatalogue;
use crate::cli::policy::diff::catalogue::recorded::RecordedCatalogue;
use smcp_authority as authority;
use smcp_config::Places;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::facts_document;
use smcp_model::facts_document::DocumentError;
use smcp_model::json;
use smcp_model::progress::Progress;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_pipeline::Session;

/// The word for the audit log; a file of that name is `./audit`.
const AUDIT: &str = "audit";
/// The most packages that are judged together, and about the most bytes of their documents: all cores have work until
/// they come to the last, and no catalogue is ever in memory.
const BATCH: usize = 8192;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The packages of a comparison.
#[derive(Debug)]
pub(super) struct Catalogue {
    source: CatalogueSource,
    reader: EntryReader,
}

/// Reads entries; shared by all threads that judge.
#[derive(Debug)]
pub(super) struct EntryReader {
    name: String,
    places: Places,
}

#[derive(Debug)]
enum CatalogueSource {
    Lines(LineCatalogue),
    Listed(Box<ListedCatalogue>),
    Recorded(RecordedCatalogue),
}

/// A package of the catalogue.
#[derive(Debug)]
pub(super) struct CatalogueEntry {
    /// Where it stands, for an error.
    at: EntryPlace,
    content: EntryContent,
    /// Of a line that was read: which package it is.
    package: OnceLock<Digest>,
    /// How often it was decided about, and when that was last.
    pub(super) seen: Option<(u64, SafeText)>,
}

#[derive(Debug)]
enum EntryPlace {
    /// The line of a file.
    Line(u64),
    /// The last record about a package.
    Record(SafeText),
}

#[derive(Debug)]
enum EntryContent {
    /// A facts document.
    Document(Vec<u8>),
    /// A record of a decision.
    Record(Vec<u8>),
    /// What a registry says.
    Known(Box<Subject>),
}

/// An entry that says nothing of a package.
#[derive(Debug)]
pub(super) struct WrongEntry {
    at: String,
    error: anyhow::Error,
    problems: Vec<serde_json::Value>,
}

impl Catalogue {
    /// Opens what `--catalog` names. A registry is asked as the configuration of `session` says; the audit log begins after the
    /// record with the digest `after`.
    pub(super) fn open(app: &App, name: &str, session: &Session, after: Option<Digest>) -> Result<Self, Failure> {
        if after.is_some() && name != AUDIT {
            return Err(Failure::usage(anyhow::anyhow!(
                "--after is about the audit log, and --catalog names another one"
            )));
        }
        let source = if name == AUDIT {
            CatalogueSource::Recorded(RecordedCatalogue::open(app, after)?)
        } else if name.contains("://") || is_folder(app, name) {
            CatalogueSource::Listed(Box::new(ListedCatalogue::open(app, name, session)?))
        } else {
            CatalogueSource::Lines(LineCatalogue::open(app, name)?)
        };
        Ok(Self { source, reader: EntryReader { name: name.to_owned(), places: app.places().clone() } })
    }

    /// Counts a package that was read. A file that has it twice is not right: nothing says which line is.
    pub(super) fn count(&mut self, entry: &CatalogueEntry) -> Result<(), Failure> {
        let (CatalogueSource::Lines(lines), EntryPlace::Line(line)) = (&mut self.source, &entry.at) else {
            return Ok(());
        };
        let Some(first) = entry.package.get().and_then(|package| lines.first(package, *line)) else { return Ok(()) };
        let EntryContent::Document(document) = &entry.content else { return Ok(()) };
        let label = self.reader.read(document).map(|subject| SafeText::new(&subject.label())).unwrap_or_default();
        let error = anyhow::anyhow!("the package {label} is there already, in line {first}");
        Err(failure(WrongEntry { at: self.reader.place(entry), error, problems: Vec::new() }))
    }

    /// Tells how much there is to do.
    pub(super) fn begin(&self, progress: &mut dyn Progress) {
        match &self.source {
            CatalogueSource::Lines(lines) => progress.begin("judging", lines.length()),
            CatalogueSource::Listed(listed) => progress.begin_steps("judging", listed.left()),
            CatalogueSource::Recorded(recorded) => progress.begin_steps("judging", recorded.left()),
        }
    }

    /// Returns the next packages, and how much of what there is to do they are; none at the end.
    pub(super) fn next_batch(&mut self) -> Result<(Vec<CatalogueEntry>, u64), Failure> {
        match &mut self.source {
            CatalogueSource::Lines(lines) => lines.next_batch(),
            CatalogueSource::Listed(listed) => listed.next_batch(),
            CatalogueSource::Recorded(recorded) => recorded.next_batch(),
        }
    }

    /// What is to be said of it at the end.
    pub(super) fn remarks(&self) -> Vec<String> {
        match &self.source {
            CatalogueSource::Lines(_) => Vec::new(),
            CatalogueSource::Listed(listed) => listed.remarks(),
            CatalogueSource::Recorded(recorded) => recorded.remarks(),
        }
    }

    /// What reads its entries.
    pub(super) const fn reader(&self) -> &EntryReader {
        &self.reader
    }
}

impl EntryReader {
    /// Returns the package of an entry.
    pub(super) fn subject(&self, entry: &CatalogueEntry) -> Result<Subject, WrongEntry> {
        let at = || self.place(entry);
        match &entry.content {
            EntryContent::Known(subject) => Ok(Subject::clone(subject)),
            EntryContent::Record(line) => {
                recorded::subject(line).map_err(|error| WrongEntry { at: at(), error, problems: Vec::new() })
            }
            EntryContent::Document(document) => self.of_line(document, &entry.package).map_err(|error| {
                // The line is told already.
                if let DocumentError::Syntax(error) = &error {
                    let error = anyhow::anyhow!("the facts document is not JSON: {}", json::of_one_line(error));
                    return WrongEntry { at: at(), error, problems: Vec::new() };
                }
                let Failure { error, problems, .. } = Failure::from(error);
                WrongEntry { at: at(), error, problems }
            }),
        }
    }

    fn place(&self, entry: &CatalogueEntry) -> String {
        match &entry.at {
            EntryPlace::Line(line) => format!("{}, line {line}", self.name),
            EntryPlace::Record(package) => format!("the audit log's last record about {package}"),
        }
    }

    fn of_line(&self, document: &[u8], package: &OnceLock<Digest>) -> Result<Subject, DocumentError> {
        let subject = self.read(document)?;
        let registry = subject.registry.as_ref().map(ToString::to_string).unwrap_or_default();
        // Of one registry: two may have a package of the same name.
        package.get_or_init(|| Digest::of(format!("{registry} {}", subject.label()).as_bytes()));
        Ok(subject)
    }

    fn read(&self, document: &[u8]) -> Result<Subject, DocumentError> {
        let Places { working_directory, home, .. } = &self.places;
        let mut subject = facts_document::read_named(document, working_directory, home.as_deref())?;
        subject.registry.iter_mut().for_each(|registry| registry.resolve(|path| authority::resolve(path).ok()));
        Ok(subject)
    }
}

/// Returns the files that a catalogue is read from, as far as one could be taken for another's output.
pub(super) fn files(app: &App, name: &str) -> Result<Vec<PathBuf>, Failure> {
    if name != AUDIT {
        return Ok(vec![app.path(Path::new(name))?]);
    }
    let Some(log) = app.audit_log()? else { return Ok(Vec::new()) };
    let folder = log.parent().unwrap_or(&log);
    let names = authority::names_in(folder).into_iter();
    Ok(names.filter(|name| name.to_string_lossy().starts_with(AUDIT)).map(|name| folder.join(name)).collect())
}

fn is_folder(app: &App, name: &str) -> bool {
    name != "-" && app.path(Path::new(name)).is_ok_and(|path| authority::open_dir(&path).is_ok())
}

/// The error of a catalogue without a package: what should have written it may have failed.
pub(super) fn empty(name: &str) -> Failure {
    wrong(anyhow::anyhow!(
        "the catalogue {name} has no package, and a comparison of none would say that nothing changes"
    ))
}

/// The error of a catalogue with such an entry: nothing is said about a part of it.
pub(super) fn failure(WrongEntry { at, error, problems }: WrongEntry) -> Failure {
    Failure { problems, ..wrong(error.context(at)) }
}

/// A catalogue that is not right is like a registry that can't answer: 1 is left for what changes.
fn wrong(error: anyhow::Error) -> Failure {
    Failure { exit: ExitKind::Registry, code: "catalogue", ..Failure::usage(error) }
}
