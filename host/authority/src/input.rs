//! Reads a file or a pipe once, to its end.

use std::io;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::errno::Errno;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

use smcp_model::number;

/// An input could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It could not be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a directory, a disk or a socket.
    #[error("it is neither a file nor a pipe")]
    NotReadable,
    /// The writer of the pipe was too slow.
    #[error("nobody has written all of it within {}", humantime::format_duration(*.0))]
    Late(Duration),
    /// It is longer than allowed.
    #[error("it has more than {limit} bytes, the most that is read")]
    TooLarge {
        /// The limit, bytes.
        limit: usize,
    },
}

/// The most that one read takes, bytes: the default capacity of a pipe.
const PIECE: usize = 64 * 1024;

/// Reads a file, a pipe, a named pipe or a terminal to its end: at most `limit` bytes, for at most `time`. A named pipe
/// without a writer is waited for as long.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// See [`InputError`].
pub fn read_input(path: &Path, limit: usize, time: Duration) -> Result<Vec<u8>, InputError> {
    let mut options = OpenOptions::new();
    // With this flag a named pipe opens at once, with or without a writer.
    options.read(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    let file = opened(path, &options)?;
    let kind = file.metadata()?.file_type();
    let end = Instant::now().checked_add(time);
    let mut bytes = Vec::new();
    loop {
        // Without a writer, a read of a named pipe returns its end at once; only this waits for a writer.
        if !kind.is_file() {
            wait(&file, end).map_err(|error| late(error, time))?;
        }
        // Into memory that grows with what comes: most documents are a few hundred bytes.
        match (&file).take(number::wide(PIECE)).read_to_end(&mut bytes) {
            Ok(0) => return Ok(bytes),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if bytes.len() > limit {
            return Err(InputError::TooLarge { limit });
        }
    }
}

/// Opens a file, a pipe, a named pipe or a terminal, to read it bit by bit. A named pipe is waited for until somebody
/// writes to it.
///
/// # Ambient authority
/// Opens any path.
///
/// # Errors
/// See [`InputError`].
pub fn open_input(path: &Path) -> Result<std::fs::File, InputError> {
    opened(path, OpenOptions::new().read(true))
}

fn opened(path: &Path, options: &OpenOptions) -> Result<std::fs::File, InputError> {
    let file = cap_std::fs::File::open_ambient_with(path, options, ambient_authority())?.into_std();
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_fifo() || kind.is_char_device() { Ok(file) } else { Err(InputError::NotReadable) }
}

/// Waits until there are bytes to read, or no writer is left.
fn wait(file: &std::fs::File, end: Option<Instant>) -> io::Result<()> {
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        // Rounded up, so that no round is shorter than the system's unit.
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.saturating_add(Duration::from_micros(999))).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) if left.is_some_and(|left| left.is_zero()) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn late(error: io::Error, time: Duration) -> InputError {
    if error.kind() == io::ErrorKind::TimedOut { InputError::Late(time) } else { error.into() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use super::*;

    const TIME: Duration = Duration::from_secs(60);

    /// A named pipe in a folder of its own.
    fn named_pipe() -> (tempfile::TempDir, std::path::PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        (temp, path)
    }

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let path = std::path::PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        let text = "x".repeat(3 * PIECE);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(text.as_bytes()).unwrap();
                drop(writer);
            });
            assert_eq!(read_input(&path, text.len(), TIME).unwrap(), text.as_bytes());
        });
        assert_eq!(read_input(&path, 10, TIME).unwrap(), b"", "no writer is left");
        assert_eq!(read_input(Path::new("/dev/null"), 10, TIME).unwrap(), b"");
    }

    #[test]
    fn a_writer_of_a_named_pipe_is_waited_for() {
        let (_temp, path) = named_pipe();
        std::thread::scope(|scope| {
            // Opening it blocks until there is a reader. Either side may come first.
            scope.spawn(|| {
                let mut options = OpenOptions::new();
                options.write(true);
                let file = cap_std::fs::File::open_ambient_with(&path, &options, ambient_authority()).unwrap();
                file.into_std().write_all(b"A=1\n").unwrap();
            });
            assert_eq!(read_input(&path, 100, TIME).unwrap(), b"A=1\n");
        });
    }

    #[test]
    fn no_writer_is_waited_for_for_ever() {
        let (_temp, path) = named_pipe();
        let time = Duration::from_millis(20);
        assert!(matches!(read_input(&path, 100, time), Err(InputError::Late(_))), "it is never opened");
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"A=1").unwrap();
        let open = std::path::PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        assert!(matches!(read_input(&open, 100, time), Err(InputError::Late(_))), "it is never closed");
    }

    #[test]
    fn an_endless_input_is_refused() {
        let limit = 100_000;
        assert!(matches!(read_input(Path::new("/dev/zero"), limit, TIME), Err(InputError::TooLarge { .. })));
        let temp = tempfile::tempdir().unwrap();
        let socket = temp.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(matches!(read_input(temp.path(), limit, TIME), Err(InputError::NotReadable)));
        assert!(read_input(&socket, limit, TIME).is_err());
    }
}
