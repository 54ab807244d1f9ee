//! Compares a kept tree with its index, before a server starts in it.
//!
//! Folders are opened one inside of the other, so no path is walked twice, and no link is followed. Everything is looked at
//! through the descriptor that was opened, which never waits for what is no file. All cores take part.

use std::collections::HashSet;
use std::io;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;

use crate::unpack::index::FileTime;
use crate::unpack::index::Index;
use crate::unpack::index::IndexedFile;
use crate::unpack::index::IndexedFolder;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Hasher;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::text::SafeText;
use smcp_store::file::open_folder_itself;
use smcp_store::file::open_itself;
use smcp_store::folder::READ_ONLY;
use smcp_store::stream::CHUNK;
use smcp_store::stream::Halted;

/// The twelve bits of `chmod`.
pub(super) const MODE_BITS: u32 = 0o7777;

/// Why a server can't start in a tree.
#[derive(Debug)]
pub(super) enum CheckFailure {
    /// It is not what the index says.
    Changed(SafeText),
    /// The check was ended.
    Halted(Halted),
}

/// Checks that `root` has exactly what the index says, and that all of it belongs to `owner`.
pub(super) fn check(
    root: &Dir,
    index: &Index,
    owner: u32,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), CheckFailure> {
    let unreadable = |error: io::Error| changed("", &error.to_string());
    let root = Arc::new(root.try_clone().map_err(unreadable)?);
    let work = TreeCheck { index, owner, deadline, state: Mutex::default(), more: Condvar::new() };
    // No larger than what there is to read: memory that is used for the first time is not for nothing.
    let chunk = usize::try_from(index.largest()).unwrap_or(CHUNK).clamp(1, CHUNK);
    let mut buffer = vec![0; chunk];
    let tasks = work.folder(&root, 0, &mut buffer)?;
    *work.locked() = CheckState { unfinished: tasks.len(), tasks, failure: None };
    let further = if index.files() > limits::trees::SHARE { threads().saturating_sub(1) } else { 0 };
    thread::scope(|scope| {
        for _ in 0..further {
            let help = || work.go(&mut vec![0; chunk], &|| false);
            if let Err(error) = thread::Builder::new().name("tree check".to_owned()).spawn_scoped(scope, help) {
                tracing::debug!(%error, "there is no further thread");
            }
        }
        work.go(&mut buffer, interrupted);
    });
    work.locked().failure.take().map_or(Ok(()), Err)
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get).min(limits::trees::THREADS)
}

/// A part of the check.
enum CheckTask<'w> {
    /// A folder in another one.
    Folder { around: Arc<Dir>, name: &'w str, place: usize },
    /// Some of the files of an opened folder.
    Files { dir: Arc<Dir>, place: usize, files: Range<usize> },
}

/// What there is to do, and how it went.
#[derive(Default)]
struct CheckState<'w> {
    /// The last one is done first, so that few folders are open at a time.
    tasks: Vec<CheckTask<'w>>,
    /// Tasks that are waiting or under way.
    unfinished: usize,
    failure: Option<CheckFailure>,
}

struct TreeCheck<'w> {
    index: &'w Index,
    owner: u32,
    deadline: &'w Deadline,
    state: Mutex<CheckState<'w>>,
    more: Condvar,
}

impl<'w> TreeCheck<'w> {
    fn locked(&self) -> MutexGuard<'_, CheckState<'w>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does tasks until there are no more, or one has failed.
    fn go(&self, buffer: &mut [u8], interrupted: &dyn Fn() -> bool) {
        loop {
            if interrupted() {
                self.locked().failure.get_or_insert(Halted::Interrupted.into());
            }
            let Some(task) = self.next() else { return };
            let done = self.do_task(task, buffer);
            let mut state = self.locked();
            state.unfinished = state.unfinished.saturating_sub(1);
            match done {
                Ok(further) => {
                    state.unfinished = state.unfinished.saturating_add(further.len());
                    state.tasks.extend(further);
                }
                Err(failure) => {
                    state.failure.get_or_insert(failure);
                }
            }
            let is_news = !state.tasks.is_empty() || state.unfinished == 0 || state.failure.is_some();
            drop(state);
            if is_news {
                self.more.notify_all();
            }
        }
    }

    fn next(&self) -> Option<CheckTask<'w>> {
        let mut state = self.locked();
        loop {
            if state.failure.is_some() || state.unfinished == 0 {
                return None;
            }
            if let Some(task) = state.tasks.pop() {
                return Some(task);
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn do_task(&self, task: CheckTask<'w>, buffer: &mut [u8]) -> Result<Vec<CheckTask<'w>>, CheckFailure> {
        match task {
            CheckTask::Folder { around, name, place } => {
                let opened = open_folder_itself(&around, name);
                let path = || self.index.folders.get(place).map_or(name, |folder| &folder.path);
                let dir = opened.map_err(|error| changed(path(), &reason(&around, name, &error)))?;
                self.folder(&Arc::new(dir), place, buffer)
            }
            CheckTask::Files { dir, place, files } => {
                let Some(folder) = self.index.folders.get(place) else { return Ok(Vec::new()) };
                self.files(&dir, folder, folder.files.get(files).unwrap_or_default(), buffer)?;
                Ok(Vec::new())
            }
        }
    }

    /// Checks an opened folder, and the files in it when they are few. Returns what is left to do.
    fn folder(&self, dir: &Arc<Dir>, place: usize, buffer: &mut [u8]) -> Result<Vec<CheckTask<'w>>, CheckFailure> {
        let Some(folder) = self.index.folders.get(place) else { return Ok(Vec::new()) };
        let found = dir.dir_metadata().map_err(|error| changed(&folder.path, &error.to_string()))?;
        self.check_owner(|| folder.path.clone(), found.uid())?;
        check_mode(|| folder.path.clone(), found.mode(), READ_ONLY)?;
        check_names(dir, folder)?;
        let mut further: Vec<_> = folder
            .folders
            .iter()
            .map(|(name, place)| CheckTask::Folder { around: Arc::clone(dir), name, place: *place })
            .collect();
        if folder.files.len() <= limits::trees::SHARE {
            self.files(dir, folder, &folder.files, buffer)?;
            return Ok(further);
        }
        let count = folder.files.len();
        further.extend((0..count).step_by(limits::trees::SHARE).map(|first| {
            let files = first..first.saturating_add(limits::trees::SHARE).min(count);
            CheckTask::Files { dir: Arc::clone(dir), place, files }
        }));
        Ok(further)
    }

    fn files(
        &self,
        dir: &Dir,
        folder: &IndexedFolder,
        files: &[IndexedFile],
        buffer: &mut [u8],
    ) -> Result<(), CheckFailure> {
        for file in files {
            self.deadline.check().map_err(Halted::from)?;
            self.file(dir, folder, file, buffer)?;
        }
        Ok(())
    }

    fn file(
        &self,
        dir: &Dir,
        folder: &IndexedFolder,
        file: &IndexedFile,
        buffer: &mut [u8],
    ) -> Result<(), CheckFailure> {
        let path = || folder.joined(&file.name);
        let unreadable = |error: io::Error| changed(&path(), &error.to_string());
        let opened = open_itself(dir, &file.name);
        let mut opened = opened.map_err(|error| changed(&path(), &reason(dir, &file.name, &error)))?.into_std();
        let found = opened.metadata().map_err(unreadable)?;
        if !found.is_file() {
            return Err(changed(&path(), "it is not a regular file"));
        }
        self.check_owner(path, found.uid())?;
        check_mode(path, found.mode(), file.mode)?;
        if found.nlink() != 1 {
            return Err(changed(&path(), "it has a second name"));
        }
        if found.size() != file.size {
            return Err(changed(&path(), "it has another length"));
        }
        if (FileTime { seconds: found.mtime(), nanoseconds: found.mtime_nsec() }) != file.time {
            return Err(changed(&path(), "it was written at another time"));
        }
        let mut hasher = Hasher::default();
        let mut left = file.size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let read = opened.read(buffer.get_mut(..most).unwrap_or_default()).map_err(unreadable)?;
            if read == 0 {
                return Err(changed(&path(), "it has another length"));
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            left = left.saturating_sub(number::wide(read));
        }
        if hasher.finish() == file.digest { Ok(()) } else { Err(changed(&path(), "it has other contents")) }
    }

    fn check_owner(&self, path: impl Fn() -> String, found: u32) -> Result<(), CheckFailure> {
        let foreign = || changed(&path(), &format!("it belongs to another user (uid {found})"));
        if found == self.owner { Ok(()) } else { Err(foreign()) }
    }
}

fn check_mode(path: impl Fn() -> String, found: u32, expected: u32) -> Result<(), CheckFailure> {
    let found = found & MODE_BITS;
    let other = || changed(&path(), &format!("its mode is {found:04o} in place of {expected:04o}"));
    if found == expected { Ok(()) } else { Err(other()) }
}

/// Checks that a folder has no names but those of the index; a missing one is noticed where it is opened.
fn check_names(dir: &Dir, folder: &IndexedFolder) -> Result<(), CheckFailure> {
    let unreadable = |error: io::Error| changed(&folder.path, &error.to_string());
    let files = folder.files.iter().map(|file| file.name.as_str());
    let known: HashSet<&str> = files.chain(folder.folders.iter().map(|(name, _)| name.as_str())).collect();
    for entry in dir.entries().map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        if !known.contains(&*name) {
            return Err(changed(&folder.joined(&name), "the bundle does not have it"));
        }
    }
    Ok(())
}

/// Why something could not be opened.
fn reason(dir: &Dir, name: &str, error: &io::Error) -> String {
    let is_link = dir.symlink_metadata(name).is_ok_and(|found| found.is_symlink());
    if is_link { "it is a link".to_owned() } else { error.to_string() }
}

fn changed(path: &str, how: &str) -> CheckFailure {
    let path = if path.is_empty() { "its folder".to_owned() } else { format!("`{}`", SafeText::quoted(path)) };
    CheckFailure::Changed(SafeText::new(&format!("{path}: {how}")))
}

impl From<Halted> for CheckFailure {
    fn from(halted: Halted) -> Self {
        Self::Halted(halted)
    }
}
