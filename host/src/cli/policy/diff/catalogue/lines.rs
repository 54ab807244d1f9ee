//! A catalogue in a file or a pipe: one facts document on each line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::Context as _;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use crate::cli::policy::diff::catalogue::BATCH;
use crate::cli::policy::diff::catalogue::BATCH_BYTES;
use crate::cli::policy::diff::catalogue::CatalogueEntry;
use crate::cli::policy::diff::catalogue::EntryContent;
use crate::cli::policy::diff::catalogue::EntryPlace;
use crate::cli::policy::diff::catalogue::wrong;
use smcp_authority as authority;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::number;

/// Facts documents, read line by line.
#[derive(Debug)]
pub(super) struct LineCatalogue {
    name: String,
    lines: BufReader<File>,
    /// The length of the file, where it is known.
    length: Option<u64>,
    /// The number of the last line.
    line: u64,
    /// The line of each package, by half of its digest: a large catalogue has many.
    packages: BTreeMap<[u8; 16], u64>,
}

impl LineCatalogue {
    /// Opens a file or a pipe; `-` is standard input.
    pub(super) fn open(app: &App, name: &str) -> Result<Self, Failure> {
        let opened = if name == "-" {
            (app.system().stdin)().map_err(anyhow::Error::from)
        } else {
            authority::open_input(&app.path(Path::new(name))?).map_err(anyhow::Error::from)
        };
        let file = opened.with_context(|| format!("while opening the catalogue {name}")).map_err(wrong)?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|it| it.len());
        let lines = BufReader::with_capacity(1 << 16, file);
        Ok(Self { name: name.to_owned(), lines, length, line: 0, packages: BTreeMap::new() })
    }

    pub(super) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the line that has this package already; otherwise it is this one.
    pub(super) fn first(&mut self, package: &Digest, line: u64) -> Option<u64> {
        let key = package.as_bytes().first_chunk()?;
        let first = *self.packages.entry(*key).or_insert(line);
        (first != line).then_some(first)
    }

    /// Returns the next documents, and the bytes that they are.
    pub(super) fn next_batch(&mut self) -> Result<(Vec<CatalogueEntry>, u64), Failure> {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let mut document = Vec::new();
            let most = number::wide(limits::FACTS_FILE).saturating_add(1);
            let read = (&mut self.lines).take(most).read_until(b'\n', &mut document);
            let length = read.with_context(|| format!("while reading {}", self.name)).map_err(wrong)?;
            if length == 0 {
                break;
            }
            self.line = self.line.saturating_add(1);
            if length > limits::FACTS_FILE {
                let error =
                    anyhow::anyhow!("{}, line {}: it has more than {} bytes", self.name, self.line, limits::FACTS_FILE);
                return Err(wrong(error));
            }
            bytes = bytes.saturating_add(length);
            // A blank line is nobody's document.
            if !document.trim_ascii().is_empty() {
                let (at, content) = (EntryPlace::Line(self.line), EntryContent::Document(document));
                batch.push(CatalogueEntry { at, content, package: OnceLock::new(), seen: None });
            }
        }
        Ok((batch, number::wide(bytes)))
    }
}
