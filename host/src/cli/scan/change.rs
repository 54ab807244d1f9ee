//! Files of clients with lines of smcp in them: all are replaced, or none.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;

use crate::cli::app::App;
use crate::cli::client::file::ClientFile;
use crate::cli::client::line::SmcpLine;
use crate::cli::client::merge::ClientCommand;
use crate::cli::failure::Failure;
use crate::cli::scan::ServerFile;
use crate::cli::scan::read;
use crate::cli::scan::wrap::WrappableServer;

/// A file with its new text.
pub(super) struct ChangedFile<'f> {
    pub(super) file: &'f ServerFile,
    old: &'f str,
    new: String,
}

/// Returns the new text of every file that changes, each read again to see whether it says what it should.
pub(super) fn changed_files<'f>(
    app: &App,
    found: &'f [ServerFile],
    chosen: &[WrappableServer<'_>],
) -> Result<Vec<ChangedFile<'f>>, Failure> {
    let mut changed: Vec<ChangedFile<'_>> = Vec::new();
    for file in found {
        let Ok((old, _)) = &file.content else { continue };
        if changed.iter().any(|it| it.file.real == file.real) {
            continue;
        }
        let unchanged = || format!("{} was not changed, and no other file", file.path.display());
        let mut new = old.clone();
        let mut commands = Vec::new();
        for wrappable in chosen.iter().filter(|wrappable| wrappable.file.real == file.real) {
            let command = command_of(app, wrappable)?;
            let keys = &wrappable.server.keys;
            new = file.row.format.rewrite(&new, keys, &command).with_context(unchanged).map_err(Failure::usage)?;
            commands.push((keys, command));
        }
        if new == *old {
            continue;
        }
        for reader in found.iter().filter(|it| it.real == file.real) {
            let Ok((_, servers)) = &reader.content else { continue };
            let mut expected = servers.clone();
            for server in &mut expected {
                let command = commands.iter().find(|(keys, _)| **keys == server.keys);
                command.iter().for_each(|(_, command)| command.put_into(&mut server.entry));
            }
            let read = read::document(&new, reader.row.format)
                .and_then(|document| read::servers(&document, &reader.profile, &reader.row));
            if read.as_ref() != Ok(&expected) {
                let error = anyhow!("it would not say what it should").context(unchanged());
                return Err(Failure::usage(error));
            }
        }
        changed.push(ChangedFile { file, old, new });
    }
    Ok(changed)
}

/// Returns the line of smcp that takes the place of another.
fn command_of(app: &App, wrappable: &WrappableServer<'_>) -> Result<ClientCommand, Failure> {
    let WrappableServer { file, line, variables, package, .. } = wrappable;
    // The server gets what the client has given it until now, whatever its manifest asks for.
    let options: Vec<_> = variables.iter().flat_map(|name| ["--env".to_owned(), name.clone()]).collect();
    let reference = package.as_ref().map(ToString::to_string).unwrap_or_default();
    let own = SmcpLine::of(app, &options, &reference)?;
    own.check_expansion(&file.profile)?;
    let SmcpLine { program, mut args } = own;
    if !line.args.is_empty() {
        args.push("--".to_owned());
        args.extend(line.args.iter().cloned());
    }
    Ok(ClientCommand { program, args })
}

/// Replaces every file, or none: when one fails, those before it are put back, and their backups removed. Returns the backup
/// of each.
pub(super) fn replace_all(changed: &[ChangedFile<'_>]) -> anyhow::Result<Vec<Option<PathBuf>>> {
    // The import may have taken long.
    for change in changed {
        open(&change.file.path, change.old)?;
    }
    let mut backups: Vec<Option<PathBuf>> = Vec::new();
    for change in changed {
        let path = &change.file.path;
        let done = open(path, change.old).and_then(|file| Ok(file.replace(&change.new)?));
        match done.with_context(|| format!("{} was not changed", path.display())) {
            Ok(backup) => backups.push(backup),
            Err(error) => {
                for (earlier, backup) in changed.iter().zip(&backups) {
                    let path = &earlier.file.path;
                    open(path, &earlier.new)
                        .and_then(|file| Ok(file.put_back(earlier.old, backup.as_deref())?))
                        .with_context(|| format!("{} could not be put back after this: {error:#}", path.display()))?;
                }
                return Err(error.context("nothing was changed"));
            }
        }
    }
    Ok(backups)
}

/// Opens a file that has to be as it was read.
pub(super) fn open(path: &Path, text: &str) -> anyhow::Result<ClientFile> {
    let file = ClientFile::open(path).with_context(|| format!("{} can't be changed", path.display()))?;
    if file.text() != text {
        return Err(anyhow!("{} has changed meanwhile; try again", path.display()));
    }
    Ok(file)
}
