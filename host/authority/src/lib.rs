//! The one door to the ambient world: files, directories, environment, clock.
//!
//! All other crates receive a handle or a value. Each function here widens what the program can reach, and says how
//! under *Ambient authority*.

mod caller;
mod kernel;
mod limits;
mod input;
mod room;
mod program;
mod folders;
mod scratch;
mod shared;
mod unshown;
mod guarded;

pub use crate::caller::acting_as;
pub use crate::caller::caller;
pub use crate::caller::foreign_owner;
pub use crate::caller::ownership;
pub use crate::folders::create_dir;
pub use crate::folders::open_dir;
pub use crate::folders::open_dir_itself;
pub use crate::folders::runtime_dir;
pub use crate::guarded::GuardedReader;
pub use crate::guarded::create_private;
pub use crate::guarded::names;
pub use crate::guarded::names_guarded;
pub use crate::guarded::read_guarded;
pub use crate::input::InputError;
pub use crate::input::open_input;
pub use crate::input::read_input;
pub use crate::kernel::Namespaces;
pub use crate::kernel::landlock;
pub use crate::kernel::namespaces;
pub use crate::limits::address_space;
pub use crate::limits::available_memory;
pub use crate::limits::file_size;
pub use crate::limits::open_files;
pub use crate::limits::survive_file_size_limit;
pub use crate::program::is_program;
pub use crate::program::program_head;
pub use crate::room::longest_argument;
pub use crate::room::room_for_arguments;
pub use crate::scratch::ScratchFolder;
pub use crate::shared::create_shared_dir;
pub use crate::unshown::read_unshown;
pub use smcp_model::guarded::Folder;
pub use smcp_model::guarded::Guarded;
pub use smcp_model::guarded::GuardedNames;
pub use smcp_model::guarded::ReadError;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;

use smcp_model::bounded;

/// Reads a whole regular file of at most `limit` bytes; never waits for a pipe or a device.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// See [`ReadError`].
pub fn read_file(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    let file = open_file(path)?;
    let expected = usize::try_from(file.metadata()?.len()).unwrap_or(limit);
    read_to(file, limit, expected)
}

/// Opens a regular file to read it; never waits for a pipe or a device.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// See [`ReadError`].
pub fn open_file(path: &Path) -> Result<std::fs::File, ReadError> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    let file = cap_std::fs::File::open_ambient_with(path, &options, ambient_authority())?;
    if file.metadata()?.is_file() { Ok(file.into_std()) } else { Err(ReadError::NotAFile) }
}

/// Reads to the end, at most `limit` bytes. `expected` is the probable length, bytes.
fn read_to(source: impl io::Read, limit: usize, expected: usize) -> Result<Vec<u8>, ReadError> {
    bounded::read_within(source, limit, expected)?.ok_or(ReadError::TooLarge { limit })
}

/// Whether `path` exists. A link counts as existing, even if it leads nowhere.
///
/// # Ambient authority
/// Looks at any path.
///
/// # Errors
/// When it can't be known: a directory above may not be searched, or is a link that leads nowhere.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn exists(path: &Path) -> io::Result<bool> {
    for (depth, above) in path.ancestors().enumerate() {
        match std::fs::symlink_metadata(above) {
            Ok(_) if depth == 0 => return Ok(true),
            // The nearest existing ancestor. If it is a link that leads nowhere, this is an error.
            Ok(found) if found.is_symlink() => return std::fs::metadata(above).map(|_| false),
            Ok(_) => return Ok(false),
            // A file has nothing below it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// The real path of `path`, with links followed.
///
/// # Ambient authority
/// Looks at any path.
///
/// # Errors
/// When the path does not exist, or a link leads nowhere.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// What a link leads to, as it says; `None` for anything else.
///
/// # Ambient authority
/// Looks at any path.
pub fn link_target(path: &Path) -> Option<PathBuf> {
    nix::fcntl::readlink(path).ok().map(PathBuf::from)
}

/// Whether what is in a folder belongs to others: this user can't change it, and can't give himself the right.
///
/// # Ambient authority
/// Looks at any folder.
pub fn is_others(path: &Path) -> bool {
    let mine = nix::sys::stat::stat(path).is_ok_and(|found| found.st_uid == nix::unistd::geteuid().as_raw());
    !mine && nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_err()
}

/// The names in a folder; none where it can't be read.
///
/// # Ambient authority
/// Looks at any folder.
pub fn names_in(path: &Path) -> Vec<OsString> {
    let entries = open_dir(path).and_then(|dir| dir.entries());
    entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name())).collect()
}

/// The path of this program's file: the absolute path that it was called by, which stays valid after an upgrade if it
/// is a link; otherwise the real path.
///
/// # Ambient authority
/// Reads the process's state and the environment, and looks at the files that they name.
///
/// # Errors
/// When the system doesn't know, or the file does not exist any more.
pub fn program_file() -> io::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let real = std::env::current_exe().and_then(|path| resolve(&path))?;
    let called = PathBuf::from(arguments().next().unwrap_or_default());
    let folders = match called.parent() {
        Some(folder) if folder.as_os_str().is_empty() => variable("PATH").unwrap_or_default(),
        Some(_) | None => current_dir().unwrap_or_default().into_os_string(),
    };
    let places = std::env::split_paths(&folders).filter(|folder| folder.is_absolute());
    let mut places = places.filter_map(|folder| std::path::absolute(folder.join(&called)).ok());
    Ok(places.find(|place| resolve(place).is_ok_and(|found| found == real)).unwrap_or(real))
}

/// A path at which this program can be started again, whatever became of its file since it was started.
///
/// # Ambient authority
/// Reads the process's state.
///
/// # Errors
/// When the system doesn't say: on Linux, without `/proc`.
pub fn own_program() -> io::Result<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        // Leads to the program itself, even when its file was replaced or removed.
        let link = Path::new("/proc/self/exe");
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        std::fs::symlink_metadata(link)?;
        Ok(link.to_path_buf())
    }
    #[cfg(not(target_os = "linux"))]
    {
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        std::env::current_exe()
    }
}

/// Removes a directory if it is empty. It stays if it is not, or can't be removed.
///
/// # Ambient authority
/// Removes any path.
pub fn remove_empty_dir(path: &Path) {
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        let _ = open_dir(parent).and_then(|parent| parent.remove_dir(name));
    }
}

/// The directory that relative paths of the command line start from.
///
/// # Ambient authority
/// Reads the process's state.
///
/// # Errors
/// When the directory was removed, or may not be read.
pub fn current_dir() -> io::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    std::env::current_dir()
}

/// The user's home, from `HOME`; `None` if that is not an absolute path.
///
/// # Ambient authority
/// Reads the environment.
pub fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}

/// A variable of the environment; an empty one counts as absent.
///
/// # Ambient authority
/// Reads the environment.
pub fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The whole environment.
///
/// # Ambient authority
/// Reads the environment.
pub fn environment() -> Vec<(OsString, OsString)> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    std::env::vars_os().collect()
}

/// Seconds since the Unix epoch; 0 if the clock is set before it.
///
/// # Ambient authority
/// Reads the clock.
pub fn now() -> u64 {
    clock().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The time of the system's clock.
///
/// # Ambient authority
/// Reads the clock.
pub fn clock() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    SystemTime::now()
}

/// A connection to the system's log.
///
/// # Ambient authority
/// Connects to a socket of the system.
///
/// # Errors
/// When there is none, or it takes no datagrams.
pub fn system_log() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    let mut connected = Err(io::ErrorKind::NotFound.into());
    for path in ["/dev/log", "/var/run/syslog", "/var/run/log"] {
        connected = socket.connect(path);
        if !connected.as_ref().is_err_and(|error: &io::Error| error.kind() == io::ErrorKind::NotFound) {
            break;
        }
    }
    connected.map(|()| socket)
}

/// Standard input, unbuffered, so that bytes which are not read here are left for the server.
///
/// # Ambient authority
/// Reads what the process was given.
///
/// # Errors
/// When it is closed.
pub fn stdin() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

/// Listens on a TCP port.
///
/// # Ambient authority
/// Opens the machine to its network.
///
/// # Errors
/// When the address is not this machine's, or another program listens on the port.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// The command line, the program's name first.
///
/// # Ambient authority
/// Reads what the process was given.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// Discards input that was typed before now, if standard input is a terminal, so that an answer is given after its
/// question.
///
/// # Ambient authority
/// Changes what the process was given.
pub fn forget_typed() {
    // On anything that is not a terminal this fails, and nothing has to be discarded.
    let _ = nix::sys::termios::tcflush(io::stdin(), nix::sys::termios::FlushArg::TCIFLUSH);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_exists_and_a_path_that_can_not_be_looked_at_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let dir = open_dir(temp.path()).unwrap();
        dir.create_dir("folder").unwrap();
        dir.write("file", "").unwrap();
        for (target, link) in [("folder", "link"), ("nowhere", "dangling"), ("loop", "loop")] {
            symlink(target, temp.path().join(link)).unwrap();
        }
        let cases = [
            ("folder", Some(true)),
            ("file", Some(true)),
            ("link", Some(true)),
            ("dangling", Some(true)),
            ("loop", Some(true)),
            ("missing", Some(false)),
            ("missing/deeper", Some(false)),
            ("folder/missing", Some(false)),
            ("link/missing", Some(false)),
            ("file/missing", Some(false)),
            ("dangling/missing", None),
            ("dangling/missing/deeper", None),
            ("loop/missing", None),
        ];
        for (path, expected) in cases {
            assert_eq!(exists(&temp.path().join(path)).ok(), expected, "{path}");
        }
    }
}
