//! Holds what changes until all is known.
//!
//! It is in memory, and from some size on in a file without a name. A summary stands before the changes that it is of, and a
//! catalogue may have any number of them.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::File;
use cap_tempfile::TempFile;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_model::diff::ChangedPackage;
use smcp_report::diff::Changes;

/// What is held in memory, bytes: some ten thousand changes.
const IN_MEMORY: usize = 4 * 1024 * 1024;

/// What changes, one JSON document on each line.
#[derive(Debug)]
pub(super) struct Spool {
    /// The folder of the file: `TMPDIR`, or `/tmp`.
    folder: PathBuf,
    /// What is not in the file yet.
    recent: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    pub(super) fn new(app: &App) -> Self {
        let folder = app.system().variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        Self { folder, recent: Vec::new(), file: None }
    }

    /// Adds a change, as a line.
    pub(super) fn push(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.recent.extend_from_slice(line);
        if self.recent.len() < IN_MEMORY {
            return Ok(());
        }
        let spilled = spill(&self.folder, &mut self.file, &self.recent);
        spilled.map_err(|error| self.failed(error))?;
        self.recent.clear();
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Failure {
        let folder = self.folder.display();
        anyhow::Error::from(error).context(format!("while keeping what changes in {folder} (TMPDIR)")).into()
    }
}

fn spill(folder: &Path, file: &mut Option<File>, bytes: &[u8]) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(TempFile::new_anonymous(&authority::open_dir(folder)?)?),
    };
    file.write_all(bytes)
}

impl Changes for Spool {
    fn each(&mut self, visit: &mut dyn FnMut(&ChangedPackage) -> io::Result<()>) -> io::Result<()> {
        self.each_line(&mut |line| {
            let changed = serde_json::from_slice(line).ok().as_ref().and_then(ChangedPackage::read);
            visit(&changed.ok_or(io::ErrorKind::InvalidData)?)
        })
    }

    fn each_line(&mut self, visit: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let rest = self.recent.as_slice();
        match &mut self.file {
            Some(file) => {
                file.rewind()?;
                lines(BufReader::with_capacity(1 << 16, file).chain(rest), visit)
            }
            None => lines(rest, visit),
        }
    }
}

fn lines(mut lines: impl BufRead, visit: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        visit(line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}
