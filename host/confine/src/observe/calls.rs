//! The calls by which a server uses files, hosts and programs.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use nix::libc;
use nix::libc::c_long;

use crate::filter::calls::THREAD;
use crate::filter::verdict::SystemCall;
use crate::grants::FileView;
use crate::observe::Observed;
use crate::observe::memory::Tracee;

/// What a call does with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathUse {
    /// Opens it; this argument has the flags.
    Open(usize),
    /// Opens it; this argument points to the flags.
    OpenHow(usize),
    /// Opens it to write, made if it is not there.
    Create,
    /// Changes what is in it.
    Overwrite,
    /// Removes it, or gives it another name or place, if it is there: changes its folder.
    Take,
    /// Makes it, if nothing is there.
    Make,
    /// Puts something in its place, whatever was there.
    Put,
    /// Starts it.
    Start,
}

/// A path among the arguments of a call.
#[derive(Debug, Clone, Copy)]
struct PathArgument {
    /// The argument with the folder that the path begins at.
    folder: Option<usize>,
    argument: usize,
    path_use: PathUse,
}

const fn at(folder: usize, path_use: PathUse) -> PathArgument {
    PathArgument { folder: Some(folder), argument: folder + 1, path_use }
}

/// Calls with paths that begin at a folder, which every machine has.
const PATHS: &[(c_long, &[PathArgument])] = &[
    (libc::SYS_openat, &[at(0, PathUse::Open(2))]),
    (libc::SYS_openat2, &[at(0, PathUse::OpenHow(2))]),
    (libc::SYS_execveat, &[at(0, PathUse::Start)]),
    (libc::SYS_execve, &[PathArgument { folder: None, argument: 0, path_use: PathUse::Start }]),
    (libc::SYS_truncate, &[PathArgument { folder: None, argument: 0, path_use: PathUse::Overwrite }]),
    (libc::SYS_mkdirat, &[at(0, PathUse::Make)]),
    (libc::SYS_mknodat, &[at(0, PathUse::Make)]),
    (libc::SYS_unlinkat, &[at(0, PathUse::Take)]),
    (libc::SYS_symlinkat, &[at(1, PathUse::Make)]),
    (libc::SYS_linkat, &[at(0, PathUse::Take), at(2, PathUse::Make)]),
    (libc::SYS_renameat2, &[at(0, PathUse::Take), at(2, PathUse::Put)]),
];

/// The older ones.
#[cfg(target_arch = "x86_64")]
const OLD_PATHS: &[(c_long, &[PathArgument])] = {
    const fn path(argument: usize, path_use: PathUse) -> PathArgument {
        PathArgument { folder: None, argument, path_use }
    }
    &[
        (libc::SYS_open, &[path(0, PathUse::Open(1))]),
        (libc::SYS_creat, &[path(0, PathUse::Create)]),
        (libc::SYS_mkdir, &[path(0, PathUse::Make)]),
        (libc::SYS_mknod, &[path(0, PathUse::Make)]),
        (libc::SYS_rmdir, &[path(0, PathUse::Take)]),
        (libc::SYS_unlink, &[path(0, PathUse::Take)]),
        (libc::SYS_symlink, &[path(1, PathUse::Make)]),
        (libc::SYS_link, &[path(0, PathUse::Take), path(1, PathUse::Make)]),
        (libc::SYS_rename, &[path(0, PathUse::Take), path(1, PathUse::Put)]),
        (libc::SYS_renameat, &[at(0, PathUse::Take), at(2, PathUse::Put)]),
    ]
};
#[cfg(not(target_arch = "x86_64"))]
const OLD_PATHS: &[(c_long, &[PathArgument])] = &[(libc::SYS_renameat, &[at(0, PathUse::Take), at(2, PathUse::Put)])];

/// Calls that make a process.
#[cfg(target_arch = "x86_64")]
const FORKS: &[c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: &[c_long] = &[];

fn number(call: c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

/// The numbers of all calls that are watched.
pub(super) fn watched() -> Vec<u32> {
    let others = [libc::SYS_connect, libc::SYS_bind, libc::SYS_clone, libc::SYS_clone3];
    let paths = PATHS.iter().chain(OLD_PATHS).map(|(call, _)| *call);
    paths.chain(others).chain(FORKS.iter().copied()).map(number).collect()
}

/// What a call says that its thread is about to do.
pub(super) fn observed(call: &SystemCall, tracee: &Tracee) -> Vec<Observed> {
    let is = |known: c_long| call.number == number(known);
    let argument = |place: usize| call.arguments.get(place).copied().unwrap_or_default();
    if let Some((_, paths)) = PATHS.iter().chain(OLD_PATHS).find(|(known, _)| is(*known)) {
        let in_vain = |of: &PathArgument| {
            let Some(fails_where) = fails_where(of.path_use) else { return false };
            let path = tracee.path(of.folder.map(argument), argument(of.argument));
            path.is_some_and(|path| is_there(&path, tracee.view) == fails_where)
        };
        if paths.iter().any(in_vain) {
            return Vec::new();
        }
        return moved(paths.iter().flat_map(|path| path_used(path, argument, tracee)).collect());
    }
    if is(libc::SYS_connect) || is(libc::SYS_bind) {
        let address = address(argument(1), argument(2), tracee);
        return address.into_iter().filter_map(|address| socket_used(address, is(libc::SYS_bind))).collect();
    }
    let forks = FORKS.iter().any(|fork| is(*fork))
        || (is(libc::SYS_clone) && argument(0) & u64::from(THREAD) == 0)
        || (is(libc::SYS_clone3) && tracee.number(argument(0)).is_some_and(|flags| flags & u64::from(THREAD) == 0));
    if forks { vec![Observed::Forks] } else { Vec::new() }
}

/// Whether a call fails where something is there, or where nothing is; `None` where it does not matter. Programs make folders
/// without looking first, and remove what may be gone.
const fn fails_where(path_use: PathUse) -> Option<bool> {
    match path_use {
        PathUse::Take => Some(false),
        PathUse::Make => Some(true),
        PathUse::Put
        | PathUse::Open(_)
        | PathUse::OpenHow(_)
        | PathUse::Create
        | PathUse::Overwrite
        | PathUse::Start => None,
    }
}

/// Whether there is something, if only a link that leads nowhere.
fn is_there(path: &Path, view: FileView) -> bool {
    (view.resolve)(path).is_some() || (view.target)(path).is_some()
}

/// What is moved, or has another name, from one folder in another: it may be no more there than here, so that both folders
/// need the same.
fn moved(mut used: Vec<Observed>) -> Vec<Observed> {
    if let [Observed::Changes { path: from, reads }, Observed::Changes { path: to, reads: other }] = used.as_mut_slice()
    {
        let apart = from.parent() != to.parent();
        (*reads, *other) = (apart, apart);
    }
    used
}

fn path_used(of: &PathArgument, argument: impl Fn(usize) -> u64, tracee: &Tracee) -> Vec<Observed> {
    let Some(path) = tracee.path(of.folder.map(&argument), argument(of.argument)) else { return Vec::new() };
    let flags = match of.path_use {
        PathUse::Open(place) => Some(argument(place)),
        PathUse::OpenHow(place) => tracee.number(argument(place)),
        PathUse::Create => Some(flag(libc::O_CREAT | libc::O_WRONLY)),
        PathUse::Overwrite => Some(flag(libc::O_WRONLY)),
        PathUse::Take | PathUse::Make | PathUse::Put => return vec![Observed::Changes { path, reads: false }],
        PathUse::Start => return vec![Observed::Starts(path)],
    };
    let Some(flags) = flags else { return Vec::new() };
    opened(path, flags, |path| (tracee.view.resolve)(path).is_some())
}

const fn flag(flag: i32) -> u64 {
    flag.cast_unsigned() as u64
}

/// What opening a path with these flags takes.
fn opened(path: PathBuf, flags: u64, exists: impl Fn(&Path) -> bool) -> Vec<Observed> {
    let has = |wanted: i32| flags & flag(wanted) == flag(wanted);
    if has(libc::O_PATH) {
        return Vec::new();
    }
    let how = flags & flag(libc::O_ACCMODE);
    let (reads, writes) = (how != flag(libc::O_WRONLY), how != flag(libc::O_RDONLY));
    if has(libc::O_TMPFILE) {
        let read = reads.then(|| Observed::Reads(path.clone()));
        return read.into_iter().chain([Observed::Writes(path)]).collect();
    }
    if !exists(&path) {
        // Files that are looked for in vain are nothing that a server uses.
        let made = has(libc::O_CREAT).then_some(Observed::Changes { path, reads });
        return made.into_iter().collect();
    }
    if has(libc::O_CREAT | libc::O_EXCL) {
        return Vec::new();
    }
    let read = reads.then(|| Observed::Reads(path.clone()));
    let written = (writes || has(libc::O_TRUNC)).then_some(Observed::Writes(path));
    read.into_iter().chain(written).collect()
}

/// Where a socket leads.
#[derive(Debug, PartialEq, Eq)]
enum SocketPlace {
    Network(SocketAddr),
    Path(PathBuf),
}

/// The longest address that is read, bytes: that of a socket with a path.
const LONGEST_ADDRESS: u64 = 110;

fn address(at: u64, length: u64, tracee: &Tracee) -> Option<SocketPlace> {
    let length = usize::try_from(length.min(LONGEST_ADDRESS)).ok()?;
    let bytes = tracee.bytes(at, length)?;
    let place = read_address(&bytes)?;
    match place {
        SocketPlace::Path(path) if !path.is_absolute() => None,
        place @ (SocketPlace::Network(_) | SocketPlace::Path(_)) => Some(place),
    }
}

/// Reads an address as the kernel has it.
fn read_address(bytes: &[u8]) -> Option<SocketPlace> {
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    let family = i32::from(u16::from_ne_bytes(*family));
    if family == libc::AF_UNIX {
        let path = rest.split(|byte| *byte == 0).next().filter(|path| !path.is_empty())?;
        return Some(SocketPlace::Path(PathBuf::from(String::from_utf8_lossy(path).into_owned())));
    }
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let address: IpAddr = if family == libc::AF_INET {
        IpAddr::from(*rest.first_chunk::<4>()?)
    } else if family == libc::AF_INET6 {
        // The label of the flow comes first.
        IpAddr::from(*rest.get(4..)?.first_chunk::<16>()?)
    } else {
        return None;
    };
    Some(SocketPlace::Network(SocketAddr::new(address.to_canonical(), u16::from_be_bytes(*port))))
}

fn socket_used(place: SocketPlace, binds: bool) -> Option<Observed> {
    match (place, binds) {
        (SocketPlace::Network(address), false) => Some(Observed::Connects(address)),
        (SocketPlace::Network(_), true) => Some(Observed::Binds),
        (SocketPlace::Path(path), false) => Some(Observed::ConnectsTo(path)),
        (SocketPlace::Path(path), true) => Some(Observed::Changes { path, reads: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_say_what_is_done_with_a_file() {
        let (reads, writes) = (|| Observed::Reads("/d/f".into()), || Observed::Writes("/d/f".into()));
        let changes = |reads| Observed::Changes { path: "/d/f".into(), reads };
        for (flags, there, expected) in [
            (libc::O_RDONLY, true, vec![reads()]),
            (libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC, true, vec![reads()]),
            (libc::O_RDONLY, false, vec![]),
            (libc::O_WRONLY, true, vec![writes()]),
            (libc::O_RDWR, true, vec![reads(), writes()]),
            (libc::O_RDONLY | libc::O_TRUNC, true, vec![reads(), writes()]),
            (libc::O_WRONLY | libc::O_CREAT, true, vec![writes()]),
            (libc::O_WRONLY | libc::O_CREAT, false, vec![changes(false)]),
            (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, false, vec![changes(true)]),
            (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, true, vec![]),
            (libc::O_RDWR | libc::O_EXCL, true, vec![reads(), writes()]),
            (libc::O_WRONLY, false, vec![]),
            (libc::O_WRONLY | libc::O_TMPFILE, true, vec![writes()]),
            (libc::O_RDWR | libc::O_TMPFILE, true, vec![reads(), writes()]),
            (libc::O_PATH, true, vec![]),
        ] {
            assert_eq!(opened("/d/f".into(), flag(flags), |_| there), expected, "{flags:o} {there}");
        }
    }

    #[test]
    fn addresses_are_read_as_the_kernel_has_them() {
        let family = |family: i32| u16::try_from(family).unwrap().to_ne_bytes();
        let four = [&family(libc::AF_INET)[..], &[1, 187, 192, 0, 2, 1], &[0; 8]].concat();
        let mut six = [&family(libc::AF_INET6)[..], &[0, 80, 9, 9, 9, 9]].concat();
        six.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let path = [&family(libc::AF_UNIX)[..], b"/run/s\0rest"].concat();
        let network = |text: &str| Some(SocketPlace::Network(text.parse().unwrap()));
        for (bytes, expected) in [
            (four.as_slice(), network("192.0.2.1:443")),
            (six.as_slice(), network("[2001:db8::1]:80")),
            (path.as_slice(), Some(SocketPlace::Path("/run/s".into()))),
            (&four[..7], None),
            (&six[..20], None),
            (&[family(libc::AF_UNIX).as_slice(), b"\0abstract"].concat(), None),
            (&family(libc::AF_UNSPEC), None),
            (&[1], None),
        ] {
            assert_eq!(read_address(bytes), expected, "{bytes:?}");
        }
    }
}
