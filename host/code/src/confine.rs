//! What the compiling child gives up before it reads a byte.
//!
//! A component can make a compiler slow, hungry or, by an error of the compiler's, do as it likes. So the child keeps its
//! three streams and the system calls that computing takes, and nothing else.

#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod files;

use std::fmt;
use std::io;

use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use nix::sys::resource::setrlimit;
use serde::Deserialize;
use serde::Serialize;

use smcp_model::limits::compiling;

/// How far a compiling child is confined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompilerConfinement {
    /// What this system could not apply, each with the reason; empty when the child is confined in full.
    pub missing: Vec<String>,
}

impl CompilerConfinement {
    fn apply(&mut self, what: &str, applied: Result<(), impl fmt::Display>) {
        if let Err(why) = applied {
            self.missing.push(format!("{what}: {why}"));
        }
    }
}

/// Gives up everything that compiling does not need, for good. The process has one thread.
pub(crate) fn confine() -> CompilerConfinement {
    let mut confinement = CompilerConfinement::default();
    // It ends with the process that waits for the code. A parent that is gone already has closed the pipe.
    #[cfg(target_os = "linux")]
    confinement.apply("the end with its parent", nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL));
    close_all();
    for (what, resource, soft, hard) in [
        // The first limit says why by its signal; the second one can't be survived.
        ("CPU time", Resource::RLIMIT_CPU, compiling::CPU_TIME.as_secs(), compiling::CPU_TIME_HARD.as_secs()),
        ("memory", Resource::RLIMIT_AS, compiling::MEMORY, compiling::MEMORY),
        ("size of files", Resource::RLIMIT_FSIZE, 0, 0),
        ("core dumps", Resource::RLIMIT_CORE, 0, 0),
        // Counts all processes of a user, and root's not at all; the filter is what refuses them.
        ("processes", Resource::RLIMIT_NPROC, 0, 0),
    ] {
        confinement.apply(what, at_most(resource, soft, hard));
    }
    #[cfg(target_os = "linux")]
    confinement.apply("files and network (Landlock)", files::give_up());
    // Landlock has needed a descriptor; nothing needs one from now on.
    confinement.apply("open files", at_most(Resource::RLIMIT_NOFILE, STREAMS, STREAMS));
    #[cfg(target_os = "linux")]
    confinement.apply("system calls (seccomp)", filter::apply());
    #[cfg(not(target_os = "linux"))]
    confinement.apply("files, network and system calls", Err("this system has no means for it"));
    confinement
}

/// Standard input, output and error.
const STREAMS: u64 = 3;

/// Lowers a limit; one that is lower already stays.
fn at_most(resource: Resource, soft: u64, hard: u64) -> nix::Result<()> {
    let (present, allowed) = getrlimit(resource)?;
    setrlimit(resource, soft.min(present), hard.min(allowed))
}

/// Closes the descriptors that an ancestor left open.
pub(crate) fn close_all() {
    let most = getrlimit(Resource::RLIMIT_NOFILE).map_or(STREAMS, |(soft, _)| soft);
    #[cfg(target_os = "linux")]
    if filter::close_from(STREAMS) {
        return;
    }
    for descriptor in STREAMS..most {
        // A descriptor that is not open is fine.
        let _ = i32::try_from(descriptor).map(nix::unistd::close);
    }
}

/// Tries what a confined process must not be able to do. Returns what it could do all the same.
#[expect(clippy::disallowed_methods, reason = "it is tried whether they are refused")]
pub(crate) fn escapes() -> Vec<String> {
    type Attempt = fn() -> io::Result<()>;
    let tries: [(&str, Attempt); 7] = [
        ("read a file", || std::fs::File::open("/etc/passwd").map(drop)),
        ("list a folder", || std::fs::read_dir("/").map(drop)),
        ("write a file", || std::fs::OpenOptions::new().write(true).open("/dev/null").map(drop)),
        ("open a socket of the network", || std::net::TcpListener::bind("127.0.0.1:0").map(drop)),
        ("open a local socket", || std::os::unix::net::UnixDatagram::unbound().map(drop)),
        ("start a process", || std::process::Command::new("/bin/true").spawn().map(drop)),
        ("start a thread", || std::thread::Builder::new().spawn(|| ()).map(drop)),
    ];
    let done = tries.into_iter().filter(|(_, attempt)| attempt().is_ok());
    let mut done: Vec<String> = done.map(|(what, _)| what.to_owned()).collect();
    let too_much = usize::try_from(compiling::MEMORY).unwrap_or(usize::MAX);
    if Vec::<u8>::new().try_reserve_exact(too_much).is_ok() {
        done.push("use more memory than it may".to_owned());
    }
    if setrlimit(Resource::RLIMIT_CPU, u64::MAX, u64::MAX).is_ok() {
        done.push("raise its limits".to_owned());
    }
    done
}

/// Each lock alone, on a thread of its own: a thread can give up what its process keeps.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::thread;

    use super::*;

    const REFUSED: [io::ErrorKind; 1] = [io::ErrorKind::PermissionDenied];

    #[expect(clippy::disallowed_methods, reason = "it is tried whether they are refused")]
    fn tries() -> [(&'static str, Result<(), io::ErrorKind>); 5] {
        let kind = |error: io::Error| error.kind();
        [
            ("read", std::fs::File::open("/etc/passwd").map(drop).map_err(kind)),
            ("list", std::fs::read_dir("/").map(drop).map_err(kind)),
            ("bind", std::net::TcpListener::bind("127.0.0.1:0").map(drop).map_err(kind)),
            ("socket", std::os::unix::net::UnixDatagram::unbound().map(drop).map_err(kind)),
            ("start", std::process::Command::new("/bin/true").status().map(drop).map_err(kind)),
        ]
    }

    fn refused_by(lock: fn()) -> Vec<&'static str> {
        let tried = thread::spawn(move || {
            lock();
            tries()
        });
        let tried = tried.join().unwrap().into_iter();
        tried.filter(|(_, done)| done.is_err_and(|kind| REFUSED.contains(&kind))).map(|(what, _)| what).collect()
    }

    #[test]
    fn without_a_lock_all_of_it_can_be_done() {
        assert_eq!(refused_by(|| ()), [""; 0]);
    }

    #[test]
    fn the_filter_alone_refuses_everything() {
        assert_eq!(refused_by(|| filter::apply().unwrap()), ["read", "list", "bind", "socket", "start"]);
    }

    /// A kernel without Landlock, or with less of it, is said to be such.
    #[test]
    fn landlock_alone_refuses_files_and_the_network() {
        let refused = refused_by(|| _ = files::give_up());
        match thread::spawn(files::give_up).join().unwrap() {
            Ok(()) => assert_eq!(refused, ["read", "list", "bind", "start"]),
            Err(files::NotInFull::Partly) => assert!(refused.contains(&"read"), "{refused:?}"),
            Err(why) => assert_eq!(refused, [""; 0], "{why}"),
        }
    }
}
