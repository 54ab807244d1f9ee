//! The packages of a comparison, in their order, some at a time.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_config::Places;
use smcp_model::exit::ExitKind;
use smcp_model::facts_document;
use smcp_model::facts_document::DocumentError;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::progress::Progress;
use smcp_model::request::Subject;

/// The most packages that are judged together, and about the most bytes of their documents: all cores have work until
/// they come to the last, and no catalogue is ever in memory.
const BATCH: usize = 8192;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The packages of a comparison.
#[derive(Debug)]
pub(super) struct Catalogue {
    name: String,
    places: Places,
    lines: BufReader<File>,
    /// The length of the file, where it is known.
    length: Option<u64>,
    /// The number of the last line.
    line: u64,
}

/// A package of the catalogue.
#[derive(Debug)]
pub(super) struct CatalogueEntry {
    line: u64,
    document: Vec<u8>,
}

/// A line that is no facts document.
#[derive(Debug)]
pub(super) struct WrongEntry {
    line: u64,
    error: DocumentError,
}

impl Catalogue {
    /// Opens what `--catalog` names.
    pub(super) fn open(app: &App, name: &str) -> Result<Self, Failure> {
        let opened = if name == "-" {
            (app.system().stdin)().map_err(anyhow::Error::from)
        } else {
            authority::open_input(&app.path(&PathBuf::from(name))?).map_err(anyhow::Error::from)
        };
        let file = opened.with_context(|| format!("while opening the catalogue {name}")).map_err(wrong)?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|it| it.len());
        let lines = BufReader::with_capacity(1 << 16, file);
        Ok(Self { name: name.to_owned(), places: app.places().clone(), lines, length, line: 0 })
    }

    /// Tells how much there is to do.
    pub(super) fn begin(&self, progress: &mut dyn Progress) {
        progress.begin("judging", self.length);
    }

    /// Returns the next packages, and how much of what there is to do they are; none at the end.
    pub(super) fn next_batch(&mut self) -> Result<(Vec<CatalogueEntry>, u64), Failure> {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let mut document = Vec::new();
            let most = number::wide(limits::FACTS_FILE).saturating_add(1);
            let read = (&mut self.lines).take(most).read_until(b'\n', &mut document);
            let length = read.with_context(|| self.at(self.line)).map_err(wrong)?;
            if length == 0 {
                break;
            }
            self.line = self.line.saturating_add(1);
            if length > limits::FACTS_FILE {
                let error = anyhow::anyhow!("{}: it has more than {} bytes", self.at(self.line), limits::FACTS_FILE);
                return Err(wrong(error));
            }
            bytes = bytes.saturating_add(length);
            // A blank line is nobody's document.
            if !document.trim_ascii().is_empty() {
                batch.push(CatalogueEntry { line: self.line, document });
            }
        }
        Ok((batch, number::wide(bytes)))
    }

    /// Returns the package of an entry.
    pub(super) fn subject(&self, entry: &CatalogueEntry) -> Result<Subject, WrongEntry> {
        let Places { working_directory, home, .. } = &self.places;
        let read = facts_document::read(&entry.document, working_directory, home.as_deref());
        let mut subject = read.map_err(|error| WrongEntry { line: entry.line, error })?;
        subject.registry.iter_mut().for_each(|registry| registry.resolve(|path| authority::resolve(path).ok()));
        Ok(subject)
    }

    /// The error of a catalogue with such an entry: nothing is said about a part of it.
    pub(super) fn failure(&self, WrongEntry { line, error }: WrongEntry) -> Failure {
        let problems = Failure::from(error);
        Failure { problems: problems.problems, ..wrong(problems.error.context(self.at(line))) }
    }

    fn at(&self, line: u64) -> String {
        format!("{}, line {line}", self.name)
    }
}

/// A catalogue that is not right is like a registry that can't answer: 1 is left for what changes.
fn wrong(error: anyhow::Error) -> Failure {
    Failure { exit: ExitKind::Registry, code: "catalogue", ..Failure::usage(error) }
}
