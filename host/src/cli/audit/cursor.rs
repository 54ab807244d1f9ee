//! The file that says how far a log was exported: one exporter has it at once.
//!
//! It is taken before the first record is written, and written once then, so that a place where nothing can be kept is
//! told at once. Each new content is a new file, which is locked before it gets the name.

use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_tempfile::TempFile;
use serde_json::Value;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::policy::write::folder_of;
use smcp_audit::LogCursor;
use smcp_authority as authority;
use smcp_model::audit::Head;
use smcp_model::bounded;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;

/// The schema of a cursor.
const SCHEMA: &str = "smcp.cursor/1";

/// A cursor that no other exporter has.
#[derive(Debug)]
pub(super) struct CursorFile {
    shown: PathBuf,
    dir: Dir,
    name: PathBuf,
    /// The file that has the name now, locked.
    held: File,
}

impl CursorFile {
    /// Takes the file at `path`, and makes it where there is none. Returns it with the cursor in it.
    pub(super) fn take(path: &Path) -> Result<(Self, Option<LogCursor>), Failure> {
        let taken = Self::taken(path).with_context(|| format!("the cursor {} can't be used", path.display()));
        taken.map_err(|error| Failure { code: "audit-cursor", ..Failure::usage(error) })
    }

    fn taken(path: &Path) -> anyhow::Result<(Self, Option<LogCursor>)> {
        let real = match authority::resolve(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
            resolved => resolved?,
        };
        let (dir, name) = folder_of(&real)?;
        let held = loop {
            let opened = match dir.open(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    dir.open_with(&name, OpenOptions::new().read(true).write(true).create(true))?
                }
                opened => opened?,
            };
            anyhow::ensure!(opened.metadata()?.is_file(), "it is not a regular file");
            let (device, inode) = (opened.metadata()?.dev(), opened.metadata()?.ino());
            let opened = opened.into_std();
            let is_ours = lock::try_lock(&opened, Sharing::Exclusive)?;
            anyhow::ensure!(is_ours, "another export goes by it\n  → end that one, or name another cursor");
            // Until it was locked, another exporter may have put a new one in its place.
            if dir.metadata(&name).is_ok_and(|now| (now.dev(), now.ino()) == (device, inode)) {
                break opened;
            }
        };
        let bytes = bounded::read_within(&held, limits::TOKEN, limits::TOKEN)?.context("it is too long")?;
        // One that was made, and never written.
        let cursor = if bytes.is_empty() { None } else { Some(read(&bytes)?) };
        let mut taken = Self { shown: path.to_path_buf(), dir, name, held };
        taken.write(&bytes)?;
        Ok((taken, cursor))
    }

    /// Keeps how far the log was written.
    pub(super) fn keep(&mut self, cursor: LogCursor) -> io::Result<()> {
        let LogCursor { head: Head { seq, digest }, after } = cursor;
        let document = json!({"schema": SCHEMA, "seq": seq, "digest": digest, "after": after});
        let shown = self.shown.display().to_string();
        self.write(format!("{document}\n").as_bytes())
            .map_err(|error| io::Error::new(error.kind(), format!("the cursor {shown} can't be written: {error}")))
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        let mut file = TempFile::new(&self.dir)?;
        file.write_all(content)?;
        file.as_file().set_permissions(self.dir.metadata(&self.name)?.permissions())?;
        let held = file.as_file().try_clone()?.into_std();
        if !lock::try_lock(&held, Sharing::Exclusive)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        held.sync_all()?;
        file.replace(&self.name)?;
        self.held = held;
        Ok(())
    }
}

/// Reads the content of a cursor.
fn read(bytes: &[u8]) -> anyhow::Result<LogCursor> {
    let document: Value = serde_json::from_slice(bytes)?;
    let number = |key: &str| document.get(key).and_then(Value::as_u64).with_context(|| format!("it has no `{key}`"));
    anyhow::ensure!(document.get("schema").and_then(Value::as_str) == Some(SCHEMA), "it is no `{SCHEMA}`");
    let digest = document.get("digest").and_then(Value::as_str).context("it has no `digest`")?.parse()?;
    Ok(LogCursor { head: Head { seq: number("seq")?, digest }, after: number("after")? })
}
