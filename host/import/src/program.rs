//! Runs npm, pip, uv and runtimes; the only file here that starts a process.
//!
//! They are the user's own programs, with the user's settings, log-ins and registries. Whatever installs is told to run no
//! script of a package, and does it in a scratch folder.

use std::ffi::OsStr;
use std::io;
use std::io::Read;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use nix::errno::Errno;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::low_level::pipe;
use signal_hook::low_level::unregister;

use smcp_model::progress::Progress;
use smcp_model::text::SafeText;

/// The most that is read of what a client answers, bytes: npm describes a tree of thousands of packages.
const ANSWER: u64 = 64 * 1024 * 1024;
/// The most that is kept of what a client complains, bytes.
const COMPLAINT: usize = 16 * 1024;
/// The most that is shown of it, lines and bytes of each.
const SHOWN: (usize, usize) = (12, 240);
/// How often a display is told that the work goes on, milliseconds.
const TICK_MS: u16 = 200;

/// A program failed, or is missing.
#[derive(Debug, thiserror::Error)]
pub enum ClientProgramError {
    /// It is not on this machine.
    #[error("there is no `{program}` on PATH, and it is needed to import this\n  {install}")]
    Missing {
        /// Its name.
        program: &'static str,
        /// What installs it.
        install: &'static str,
    },
    /// It can't be started.
    #[error("`{program}` can't be started")]
    NotStarted {
        /// Its name.
        program: &'static str,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// It failed.
    #[error("`{program}` failed ({status}){said}")]
    Failed {
        /// Its name, and what it was asked for.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, as far as it is shown, each line on one of its own.
        said: String,
        /// What it complained, as it came.
        complained: String,
        /// What it printed, which may have a code for machines.
        printed: Vec<u8>,
    },
    /// It is there, but can't do this.
    #[error("{0}")]
    Unfit(String),
    /// Somebody asked smcp to end.
    #[error("interrupted while `{program}` was running")]
    Interrupted {
        /// Its name.
        program: &'static str,
        /// The number of the signal.
        signal: i32,
    },
}

/// A program that is about to run.
pub(crate) struct ClientProgram {
    command: Command,
    name: &'static str,
    install: &'static str,
}

impl ClientProgram {
    /// A program of PATH in a folder of the scratch; `install` is the advice when it is missing.
    #[expect(clippy::disallowed_methods, reason = "a client of the user installs, and nothing of a package is started")]
    pub(crate) fn new(name: &'static str, folder: &Path, install: &'static str) -> Self {
        let mut command = Command::new(name);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, name, install }
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Takes settings away that would have it install elsewhere.
    pub(crate) fn without(mut self, variables: &[&str]) -> Self {
        for name in variables {
            self.command.env_remove(name);
        }
        self
    }

    /// Runs it, and returns what it prints to standard output.
    pub(crate) fn run(self, progress: &mut dyn Progress) -> Result<Vec<u8>, ClientProgramError> {
        let Self { mut command, name, install } = self;
        let asked: Vec<String> = command.get_args().take(2).map(|word| word.to_string_lossy().into_owned()).collect();
        let asked = asked.join(" ");
        let asked = asked.split(" -").next().unwrap_or_default();
        let not_started = |cause: io::Error| {
            if cause.kind() == io::ErrorKind::NotFound {
                return ClientProgramError::Missing { program: name, install };
            }
            ClientProgramError::NotStarted { program: name, cause }
        };
        let signals =
            HeardSignals::listen().map_err(|cause| ClientProgramError::NotStarted { program: name, cause })?;
        let mut child = command.spawn().map_err(not_started)?;
        let ended = follow(&mut child, &signals, progress);
        let failed = |cause| ClientProgramError::NotStarted { program: name, cause };
        let EndedClient { printed, complained, interrupted } = ended.map_err(failed)?;
        let status = child.wait().map_err(failed)?;
        if let Some(signal) = interrupted {
            return Err(ClientProgramError::Interrupted { program: name, signal });
        }
        if status.success() {
            return Ok(printed);
        }
        let program = format!("{name} {asked}").trim_end().to_owned();
        let complained = String::from_utf8_lossy(&complained).into_owned();
        Err(ClientProgramError::Failed { program, status, said: shown(&complained), complained, printed })
    }
}

/// What a client left.
struct EndedClient {
    printed: Vec<u8>,
    complained: Vec<u8>,
    /// The number of the signal that asked smcp to end meanwhile.
    interrupted: Option<i32>,
}

/// Reads what a client prints until it closes both streams. A signal that asks smcp to end is handed on to it, so that the
/// scratch folder is removed by whoever made it.
fn follow(child: &mut Child, signals: &HeardSignals, progress: &mut dyn Progress) -> io::Result<EndedClient> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let pid = i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?;
    let (done, both) = UnixStream::pair()?;
    thread::scope(|scope| {
        let other = both.try_clone()?;
        let printed = scope.spawn(move || {
            let read = out.map_or(Ok(Vec::new()), |out| {
                let mut bytes = Vec::new();
                out.take(ANSWER).read_to_end(&mut bytes).map(|_| bytes)
            });
            drop(both);
            read
        });
        let complained = scope.spawn(move || {
            let read = err.map_or(Ok(Vec::new()), |err| last_of(err, COMPLAINT));
            drop(other);
            read
        });
        let interrupted = wait(&done, signals, pid, progress)?;
        let joined = |read: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
            read.join().unwrap_or_else(|_| Err(io::Error::other("what it prints could not be read")))
        };
        Ok(EndedClient { printed: joined(printed)?, complained: joined(complained)?, interrupted })
    })
}

/// Waits for the end of both streams. Returns the number of the signal that asked smcp to end meanwhile.
fn wait(done: &UnixStream, signals: &HeardSignals, child: Pid, progress: &mut dyn Progress) -> io::Result<Option<i32>> {
    let mut interrupted = None;
    loop {
        let mut ready =
            [PollFd::new(done.as_fd(), PollFlags::POLLIN), PollFd::new(signals.stream.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(TICK_MS)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [over, asked] = ready.map(|fd| fd.any().unwrap_or_default());
        if asked {
            let mut byte = [0];
            (&signals.stream).read_exact(&mut byte)?;
            // The second one does not ask any more.
            let signal = if interrupted.is_some() { Signal::SIGKILL } else { Signal::SIGTERM };
            interrupted = interrupted.or_else(|| signals.newest());
            match kill(child, signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if over {
            return Ok(interrupted);
        }
        progress.advance(0);
    }
}

/// Reads to the end, and returns the last bytes.
fn last_of(mut source: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        kept.drain(..kept.len().saturating_sub(most));
    }
}

/// Signals that ask smcp to end, as bytes.
struct HeardSignals {
    stream: UnixStream,
    /// The number of the newest one.
    newest: Arc<AtomicUsize>,
    ids: Vec<signal_hook::SigId>,
}

impl HeardSignals {
    fn listen() -> io::Result<Self> {
        let (stream, sender) = UnixStream::pair()?;
        let mut heard = Self { stream, newest: Arc::default(), ids: Vec::new() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // Before the byte, so that the number is there when the byte is.
            let number = usize::try_from(signal).unwrap_or_default();
            heard.ids.push(flag::register_usize(signal, Arc::clone(&heard.newest), number)?);
            heard.ids.push(pipe::register(signal, sender.try_clone()?)?);
        }
        Ok(heard)
    }

    fn newest(&self) -> Option<i32> {
        i32::try_from(self.newest.load(Ordering::SeqCst)).ok()
    }
}

impl Drop for HeardSignals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            unregister(id);
        }
    }
}

/// What is shown of what a client complained, each line on one of its own: its end, but of npm the reason, which comes before
/// the lines about how npm is used.
fn shown(complained: &str) -> String {
    let lines = complained.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let lines: Vec<&str> = lines.filter(|line| of_npm(line) != Some("")).collect();
    let (most, width) = SHOWN;
    let reason = lines.iter().position(|line| of_npm(line).is_some_and(|rest| rest.starts_with(" code ")));
    let first = reason.unwrap_or(lines.len().saturating_sub(most));
    let is_advice = |line: &str| {
        of_npm(line).is_some_and(|rest| [" Usage:", " Clean install"].iter().any(|advice| rest.starts_with(advice)))
    };
    let shown = lines.into_iter().skip(first).take(most).take_while(|line| !is_advice(line));
    shown.map(|line| format!("\n  {}", SafeText::within(line, width))).collect()
}

/// What stands on a line behind npm's mark; `None` for a line of another. Until npm 10 the mark was `ERR!`.
fn of_npm(line: &str) -> Option<&str> {
    line.strip_prefix("npm error").or_else(|| line.strip_prefix("npm ERR!"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::progress::Unwatched;

    fn shell(script: &str) -> Result<Vec<u8>, ClientProgramError> {
        ClientProgram::new("sh", Path::new("/"), "install a shell").args(["-c", script]).run(&mut Unwatched)
    }

    #[test]
    fn what_a_program_prints_is_the_answer_and_what_it_complains_the_reason() {
        assert_eq!(shell("echo out; echo err >&2").unwrap(), b"out\n");
        let error = shell("echo printed; echo one >&2; printf '\\033[31mtwo\\n\\n' >&2; exit 3").unwrap_err();
        let ClientProgramError::Failed { printed, .. } = &error else { panic!("{error}") };
        assert_eq!(printed, b"printed\n");
        let text = error.to_string();
        assert!(text.contains("exit status: 3") && text.contains("\n  one\n  \\u{1b}[31mtwo"), "{text}");
    }

    #[test]
    fn much_is_read_and_the_end_of_it_shown() {
        let error = shell("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1").unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("line 2999") && !text.contains("line 2900\n"), "{text}");
    }

    #[test]
    fn of_npm_the_reason_is_shown_and_not_how_it_is_used() {
        let said = "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install when both are in sync\n\
                    npm error\nnpm error Clean install a project\nnpm error Usage:\nnpm error npm ci\n";
        let options: String = (0..40).map(|number| format!("npm error [--option-{number}]\n")).collect();
        let expected = "\n  npm error code EUSAGE\n  npm error `npm ci` can only install when both are in sync";
        assert_eq!(shown(&format!("npm warn something\n{said}{options}")), expected);
        let older = |text: &str| text.replace("npm error", "npm ERR!");
        assert_eq!(shown(&older(&format!("{said}{options}"))), older(expected));
    }

    #[test]
    fn a_missing_program_is_named_with_what_installs_it() {
        let missing =
            ClientProgram::new("smcp-has-no-such-program", Path::new("/"), "install it with: x").run(&mut Unwatched);
        let text = missing.unwrap_err().to_string();
        assert!(text.contains("`smcp-has-no-such-program`") && text.contains("install it with: x"), "{text}");
    }
}
